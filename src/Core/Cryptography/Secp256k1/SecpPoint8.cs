using System.Runtime.Intrinsics;

namespace SuperVm.Core.Cryptography;

/// <summary>Eight points of secp256k1 side by side as (X / Z^2, Y / Z^3).</summary>
/// <remarks>
/// There are no branches, and so no special cases: a sum of equal or opposite points, or with infinity, comes out with
/// Z = 0 in its lane, and every later step keeps that zero, so that one look at the end tells which lanes are to be
/// done again by other means.
/// </remarks>
internal struct SecpPoint8
{
    internal SecpField8 X, Y, Z;

    /// <summary>Doubles every lane: 3 multiplications, 4 squarings.</summary>
    internal static void Double(ref SecpPoint8 a)
    {
        SecpField8.Square(a.Y, out var yy);
        SecpField8.Square(a.X, out var xx);
        SecpField8.Multiply(a.Y, a.Z, out var yz);
        SecpField8.Multiply(a.X, yy, out var xyy);
        SecpField8.Triple(xx, out var slope);
        SecpField8.Square(yy, out var yyyy);
        SecpField8.Square(slope, out var square);
        SecpField8.Add(yz, yz, out a.Z);
        SecpField8.Subtract(square, 0, xyy, 3, out a.X);
        SecpField8.Subtract(xyy, 2, a.X, 0, out var difference);
        SecpField8.Multiply(slope, difference, out var product);
        SecpField8.Subtract(product, 0, yyyy, 3, out a.Y);
    }

    /// <summary>
    /// Adds (x, y), or (x, -y) where <paramref name="negate"/> is all ones, to every lane where <paramref
    /// name="skip"/> is zero: 8 multiplications, 3 squarings.
    /// </summary>
    /// <param name="a">The points; they become the sums.</param>
    /// <param name="x">The other points' x.</param>
    /// <param name="y">The other points' y.</param>
    /// <param name="z">Z as the other points' curve sees it: a.Z, or that times a scale.</param>
    /// <param name="negate">All ones in lanes that subtract.</param>
    /// <param name="skip">All ones in lanes that stay as they are.</param>
    /// <param name="ratio">What Z was multiplied by, in lanes that were not skipped.</param>
    internal static void Add(
        ref SecpPoint8 a, in SecpField8 x, in SecpField8 y, in SecpField8 z,
        Vector512<ulong> negate, Vector512<ulong> skip, out SecpField8 ratio)
    {
        SecpField8.Square(z, out var zz);
        SecpField8.Multiply(y, z, out var yz);
        SecpField8.Multiply(x, zz, out var otherX);
        SecpField8.Multiply(yz, zz, out var otherY);
        SecpField8.Subtract(otherX, a.X, out ratio);
        SecpField8.SubtractSigned(otherY, negate, a.Y, out var r);
        SecpField8.Square(ratio, out var hh);
        SecpField8.Square(r, out var rr);
        SecpField8.Multiply(a.Z, ratio, out var sumZ);
        SecpField8.Multiply(hh, ratio, out var hhh);
        SecpField8.Multiply(a.X, hh, out var v);
        SecpField8.Multiply(a.Y, hhh, out var yhhh);
        SecpField8.SubtractTwice(rr, hhh, v, out var sumX);
        SecpField8.Subtract(v, sumX, out var difference);
        SecpField8.Multiply(r, difference, out var product);
        SecpField8.Subtract(product, yhhh, out var sumY);
        SecpField8.Select(sumX, a.X, skip, out a.X);
        SecpField8.Select(sumY, a.Y, skip, out a.Y);
        SecpField8.Select(sumZ, a.Z, skip, out a.Z);
    }
}
