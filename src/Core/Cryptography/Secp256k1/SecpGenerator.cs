using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>k G for secret k: the same operations and the same memory accesses whatever k is.</summary>
/// <remarks>
/// Sixty-four digits of four bits; for each, all fifteen multiples d 16^i G are read and one is kept by masks. The
/// sums are by the complete formulas of Renes, Costello and Batina, "Complete addition formulas for prime order
/// elliptic curves" (eprint 2015/1060), algorithm 8: no exceptional cases, no branches.
/// </remarks>
internal static class SecpGenerator
{
    private const int DigitBits = 4;
    private const int Positions = 256 / DigitBits;
    private const int Entries = (1 << DigitBits) - 1;

    /// <summary>3 b of the curve equation, b = 7.</summary>
    private const ulong TripleB = 21;

    private static readonly SecpAffine[] Table = BuildTable();

    /// <summary>k G for k in 1..n-1.</summary>
    internal static SecpAffine Multiply(in UInt256 k)
    {
        var (x, y, z) = (SecpField.Zero, SecpField.One, SecpField.Zero);
        for (var position = 0; position < Positions; position++)
        {
            var word = (position / 16) switch { 0 => k.U0, 1 => k.U1, 2 => k.U2, _ => k.U3 };
            var digit = (word >> (DigitBits * (position % 16))) & Entries;
            var (entryX, entryY) = (SecpField.Zero, SecpField.Zero);
            for (var i = 0; i < Entries; i++)
            {
                ref readonly var entry = ref Table[(position * Entries) + i];
                var same = EqualMask(digit, (ulong)i + 1);
                entryX = SecpField.Select(entryX, entry.X, same);
                entryY = SecpField.Select(entryY, entry.Y, same);
            }

            var (oldX, oldY, oldZ) = (x, y, z);
            AddComplete(ref x, ref y, ref z, entryX, entryY);
            var zero = EqualMask(digit, 0);
            x = SecpField.Select(x, oldX, zero);
            y = SecpField.Select(y, oldY, zero);
            z = SecpField.Select(z, oldZ, zero);
        }

        var inverse = SecpField.Invert(z);
        return new SecpAffine(x * inverse, y * inverse);
    }

    /// <summary>(X : Y : Z) += (x, y) in homogeneous coordinates.</summary>
    private static void AddComplete(
        ref SecpField x1, ref SecpField y1, ref SecpField z1, in SecpField x2, in SecpField y2)
    {
        var xx = x1 * x2;
        var yy = y1 * y2;
        var cross = ((x2 + y2) * (x1 + y1)) - (xx + yy);
        var yz = (y2 * z1) + y1;
        var xz = SecpField.Scale((x2 * z1) + x1, TripleB);
        var triple = xx + xx + xx;
        var bz = SecpField.Scale(z1, TripleB);
        var sum = yy + bz;
        var difference = yy - bz;
        x1 = (cross * difference) - (yz * xz);
        y1 = (difference * sum) + (xz * triple);
        z1 = (sum * yz) + (triple * cross);
    }

    /// <summary>All ones where the numbers, both below 2^63, are equal.</summary>
    private static ulong EqualMask(ulong a, ulong b) => Limbs.Mask(((a ^ b) - 1) >> 63);

    private static SecpAffine[] BuildTable()
    {
        var multiples = new SecpJacobian[Positions * Entries];
        var unit = SecpAffine.Generator;
        for (var position = 0; position < Positions; position++)
        {
            var sum = SecpJacobian.From(unit);
            for (var i = 0; i < Entries; i++)
            {
                multiples[(position * Entries) + i] = sum;
                sum = SecpJacobian.Add(sum, unit);
            }

            unit = sum.ToAffine();
        }

        var table = new SecpAffine[multiples.Length];
        SecpJacobian.ToAffine(multiples, table);
        return table;
    }
}
