using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>Recovers eight keys side by side, one in each lane of 512-bit registers.</summary>
/// <remarks>
/// The sum u1 G + u2 R as <see cref="SecpMultiplication"/> forms it, but with digits at fixed places, so that all
/// lanes do the same at the same time:
/// <code>
///   u2 = c + d lambda    digits of 4 bits, -8..8, tables of R .. 8R made for each batch
///   u1 = a + b 2^128     digits of 8 bits, -128..128, tables of G and 2^128 G held ready
///   place 32:  add c, d, a, b    then for every lower place: four doublings, add c, d, at even places also a, b
/// </code>
/// A digit of zero leaves its lane alone by a mask. The sum starts at a fixed point in place of infinity, whose
/// multiple is subtracted at the end. Lanes that met a special case show Z = 0 and are left to the caller, as are
/// those that no key belongs to.
/// </remarks>
internal static class SecpBatch
{
    internal const int Lanes = SecpField8.Lanes;

    private const int PointBits = 4;
    private const int PointEntries = 1 << (PointBits - 1);
    private const int PointPlaces = (128 / PointBits) + 1;
    private const int GeneratorBits = 8;
    private const int GeneratorEntries = 1 << (GeneratorBits - 1);
    private const int GeneratorPlaces = (128 / GeneratorBits) + 1;

    /// <summary>Five limbs of x and five of y.</summary>
    private const int EntrySize = 10;

    private static readonly ulong[] LowTable = CreateTable(UInt256.One);
    private static readonly ulong[] HighTable = CreateTable(UInt256.One << 128);

    /// <summary>
    /// Where the sums start, a multiple of G that nothing else is derived from, and what they must lose at the end.
    /// </summary>
    private static readonly UInt256 StartScalar = new(0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0);

    private static readonly SecpAffine Start = TimesGenerator(StartScalar);
    private static readonly SecpAffine Surplus =
        -TimesGenerator(SecpScalar.Multiply(StartScalar, UInt256.One << 128));

    /// <summary>
    /// Writes the keys of up to eight requests, 64 bytes each, and answers which lanes hold one, as bits. A lane
    /// without may still have a key; only <see cref="ISecp256k1Backend.TryRecover"/> can tell.
    /// </summary>
    [SkipLocalsInit]
    internal static int Recover(ReadOnlySpan<RecoveryRequest> requests, Span<byte> publicKeys)
    {
        Span<UInt256> r = stackalloc UInt256[Lanes];
        Span<UInt256> u1 = stackalloc UInt256[Lanes];
        Span<UInt256> u2 = stackalloc UInt256[Lanes];
        Span<bool> odd = stackalloc bool[Lanes];
        var usable = Prepare(requests, r, u1, u2, odd);
        usable &= LiftX(r, odd, out var x, out var y);
        Span<long> pointDigits = stackalloc long[2 * PointPlaces * Lanes];
        Span<long> generatorDigits = stackalloc long[2 * GeneratorPlaces * Lanes];
        for (var lane = 0; lane < Lanes; lane++)
        {
            SecpScalar.Split(u2[lane], out var c, out var d);
            WriteDigits(c.Size, c.IsNegative, PointBits, pointDigits[lane..(PointPlaces * Lanes)]);
            WriteDigits(d.Size, d.IsNegative, PointBits, pointDigits[((PointPlaces * Lanes) + lane)..]);
            var (low, high) = (new UInt128(u1[lane].U1, u1[lane].U0), new UInt128(u1[lane].U3, u1[lane].U2));
            WriteDigits(low, false, GeneratorBits, generatorDigits[lane..(GeneratorPlaces * Lanes)]);
            WriteDigits(high, false, GeneratorBits, generatorDigits[((GeneratorPlaces * Lanes) + lane)..]);
        }

        Sum(x, y, pointDigits, generatorDigits, out var sum);
        return usable & WriteKeys(sum, publicKeys);
    }

    /// <summary>
    /// Takes the requests' numbers apart; lanes without a proper request get harmless ones and no bit.
    /// </summary>
    private static int Prepare(
        ReadOnlySpan<RecoveryRequest> requests, Span<UInt256> r, Span<UInt256> u1, Span<UInt256> u2, Span<bool> odd)
    {
        var usable = 0;
        Span<UInt256> products = stackalloc UInt256[Lanes];
        var product = UInt256.One;
        for (var lane = 0; lane < Lanes; lane++)
        {
            (r[lane], u1[lane], u2[lane], odd[lane]) = (SecpAffine.Generator.X.ToUInt256(), 0, 0, false);
            if (lane < requests.Length)
            {
                ref readonly var request = ref requests[lane];
                if (request.YParity <= 1 && SecpScalar.IsInRange(request.R) && SecpScalar.IsInRange(request.S))
                {
                    var m = SecpScalar.Reduce(UInt256.FromBigEndian(request.Message.Bytes));
                    (r[lane], u1[lane], u2[lane]) = (request.R, SecpScalar.Negate(m), request.S);
                    odd[lane] = request.YParity == 1;
                    usable |= 1 << lane;
                }
            }

            products[lane] = product;
            product = SecpScalar.Multiply(product, r[lane]);
        }

        // u1 = -m / r and u2 = s / r, the eight inverses from one.
        var inverse = SecpScalar.InvertFast(product);
        for (var lane = Lanes - 1; lane >= 0; lane--)
        {
            var inverseR = SecpScalar.Multiply(inverse, products[lane]);
            inverse = SecpScalar.Multiply(inverse, r[lane]);
            u1[lane] = SecpScalar.Multiply(u1[lane], inverseR);
            u2[lane] = SecpScalar.Multiply(u2[lane], inverseR);
        }

        return usable;
    }

    /// <summary>The points with these x and parities of y; answers which lanes have one.</summary>
    private static int LiftX(ReadOnlySpan<UInt256> r, ReadOnlySpan<bool> odd, out SecpField8 x, out SecpField8 y)
    {
        Span<SecpField> elements = stackalloc SecpField[Lanes];
        for (var lane = 0; lane < Lanes; lane++)
        {
            elements[lane] = SecpField.From(r[lane]);
        }

        x = SecpField8.Create(elements);
        SecpField8.Square(x, out var right);
        SecpField8.Multiply(right, x, out right);
        SecpField8.Add(right, SecpField8.Create(new SecpField(7, 0, 0, 0)), out right);
        SecpField8.RootCandidate(right, out y);
        SecpField8.Square(y, out var square);
        SecpField8.Subtract(square, right, out var difference);
        difference.CopyTo(elements);
        var found = 0;
        for (var lane = 0; lane < Lanes; lane++)
        {
            found |= elements[lane].IsZero ? 1 << lane : 0;
        }

        y.CopyTo(elements);
        Span<ulong> negate = stackalloc ulong[Lanes];
        for (var lane = 0; lane < Lanes; lane++)
        {
            negate[lane] = Limbs.Mask(elements[lane].IsOdd == odd[lane] ? 0UL : 1);
        }

        SecpField8.Subtract(default, y, out var opposite);
        SecpField8.Select(y, opposite, Vector512.Create<ulong>(negate), out y);
        return found;
    }

    /// <summary>Writes signed digits of <paramref name="bits"/> bits, lowest first, to every eighth place.</summary>
    private static void WriteDigits(UInt128 k, bool negative, int bits, Span<long> digits)
    {
        long carry = 0;
        var (size, sign) = (1L << bits, negative ? -1L : 1);
        var (low, high) = ((ulong)k, (ulong)(k >> 64));
        for (var i = 0; i < digits.Length; i += Lanes)
        {
            var digit = ((long)low & (size - 1)) + carry;
            low = (low >> bits) | (high << (64 - bits));
            high >>= bits;
            carry = digit > size / 2 ? 1 : 0;
            digits[i] = sign * (digit - (carry * size));
        }
    }

    [SkipLocalsInit]
    private static void Sum(
        in SecpField8 x, in SecpField8 y, ReadOnlySpan<long> pointDigits, ReadOnlySpan<long> generatorDigits,
        out SecpPoint8 sum)
    {
        Span<SecpField8> tableX = stackalloc SecpField8[PointEntries];
        Span<SecpField8> tableY = stackalloc SecpField8[PointEntries];
        Span<SecpField8> tableLambdaX = stackalloc SecpField8[PointEntries];
        BuildTable(x, y, tableX, tableY, out var scale);
        var beta = SecpField8.Create(SecpAffine.Beta);
        for (var i = 0; i < PointEntries; i++)
        {
            SecpField8.Multiply(tableX[i], beta, out tableLambdaX[i]);
        }

        SecpField8.Square(scale, out var square);
        SecpField8.Multiply(SecpField8.Create(Start.X), square, out sum.X);
        SecpField8.Multiply(square, scale, out square);
        SecpField8.Multiply(SecpField8.Create(Start.Y), square, out sum.Y);
        sum.Z = SecpField8.Create(SecpField.One);
        const int half = PointPlaces * Lanes;
        const int generatorHalf = GeneratorPlaces * Lanes;
        for (var place = PointPlaces - 1; place >= 0; place--)
        {
            for (var i = 0; i < PointBits && place < PointPlaces - 1; i++)
            {
                SecpPoint8.Double(ref sum);
            }

            AddFromTable(ref sum, tableX, tableY, pointDigits.Slice(place * Lanes, Lanes));
            AddFromTable(ref sum, tableLambdaX, tableY, pointDigits.Slice(half + (place * Lanes), Lanes));
            if (place % (GeneratorBits / PointBits) == 0)
            {
                var offset = place / (GeneratorBits / PointBits) * Lanes;
                AddGenerator(ref sum, LowTable, generatorDigits.Slice(offset, Lanes), scale);
                AddGenerator(ref sum, HighTable, generatorDigits.Slice(generatorHalf + offset, Lanes), scale);
            }
        }

        SecpField8.Multiply(sum.Z, scale, out var z);
        SecpPoint8.Add(
            ref sum, SecpField8.Create(Surplus.X), SecpField8.Create(Surplus.Y), z, default, default, out _);
        SecpField8.Multiply(sum.Z, scale, out sum.Z);
    }

    /// <summary>
    /// Writes R, 2R, ... 8R with a common Z, which it answers: on the curve scaled by it they are affine.
    /// </summary>
    private static void BuildTable(
        in SecpField8 x, in SecpField8 y, Span<SecpField8> tableX, Span<SecpField8> tableY, out SecpField8 scale)
    {
        Span<SecpField8> ratios = stackalloc SecpField8[PointEntries];
        SecpPoint8 point;
        (point.X, point.Y, point.Z) = (x, y, SecpField8.Create(SecpField.One));
        (tableX[0], tableY[0]) = (x, y);
        SecpPoint8.Double(ref point);
        ratios[1] = point.Z;
        for (var i = 1; i < PointEntries; i++)
        {
            if (i > 1)
            {
                SecpPoint8.Add(ref point, x, y, point.Z, default, default, out ratios[i]);
            }

            (tableX[i], tableY[i]) = (point.X, point.Y);
        }

        scale = point.Z;
        var factor = SecpField8.Create(SecpField.One);
        for (var i = PointEntries - 2; i >= 0; i--)
        {
            SecpField8.Multiply(factor, ratios[i + 1], out factor);
            SecpField8.Square(factor, out var square);
            SecpField8.Multiply(tableX[i], square, out tableX[i]);
            SecpField8.Multiply(square, factor, out square);
            SecpField8.Multiply(tableY[i], square, out tableY[i]);
        }
    }

    private static void AddFromTable(
        ref SecpPoint8 sum, ReadOnlySpan<SecpField8> tableX, ReadOnlySpan<SecpField8> tableY,
        ReadOnlySpan<long> digits)
    {
        var digit = Vector512.Create(digits);
        var size = Vector512.Abs(digit).AsUInt64();
        var (x, y) = (tableX[0], tableY[0]);
        for (var i = 1; i < PointEntries; i++)
        {
            var mask = Vector512.Equals(size, Vector512.Create((ulong)i + 1));
            SecpField8.Select(x, tableX[i], mask, out x);
            SecpField8.Select(y, tableY[i], mask, out y);
        }

        var negate = Vector512.LessThan(digit, Vector512<long>.Zero).AsUInt64();
        var skip = Vector512.Equals(size, Vector512<ulong>.Zero);
        SecpPoint8.Add(ref sum, x, y, sum.Z, negate, skip, out _);
    }

    [SkipLocalsInit]
    private static void AddGenerator(
        ref SecpPoint8 sum, ulong[] table, ReadOnlySpan<long> digits, in SecpField8 scale)
    {
        Span<ulong> limbs = stackalloc ulong[EntrySize * Lanes];
        for (var lane = 0; lane < Lanes; lane++)
        {
            var index = Math.Max((int)Math.Abs(digits[lane]) - 1, 0);
            var entry = table.AsSpan(index * EntrySize, EntrySize);
            for (var i = 0; i < entry.Length; i++)
            {
                limbs[(i * Lanes) + lane] = entry[i];
            }
        }

        var digit = Vector512.Create(digits);
        var negate = Vector512.LessThan(digit, Vector512<long>.Zero).AsUInt64();
        var skip = Vector512.Equals(digit, Vector512<long>.Zero).AsUInt64();
        SecpField8.Multiply(sum.Z, scale, out var z);
        SecpPoint8.Add(
            ref sum, SecpField8.Create(limbs), SecpField8.Create(limbs[(EntrySize / 2 * Lanes)..]), z, negate, skip,
            out _);
    }

    /// <summary>Brings the points to affine form with one inversion and writes those that are not infinity.</summary>
    private static int WriteKeys(in SecpPoint8 sum, Span<byte> publicKeys)
    {
        Span<SecpField> x = stackalloc SecpField[Lanes];
        Span<SecpField> y = stackalloc SecpField[Lanes];
        Span<SecpField> z = stackalloc SecpField[Lanes];
        sum.X.CopyTo(x);
        sum.Y.CopyTo(y);
        sum.Z.CopyTo(z);
        Span<SecpField> products = stackalloc SecpField[Lanes];
        var (written, product) = (0, SecpField.One);
        for (var lane = 0; lane < Lanes; lane++)
        {
            written |= z[lane].IsZero ? 0 : 1 << lane;
            products[lane] = product;
            product = z[lane].IsZero ? product : product * z[lane];
        }

        var inverse = SecpField.InvertFast(product);
        for (var lane = Lanes - 1; lane >= 0; lane--)
        {
            if ((written & (1 << lane)) != 0)
            {
                var inverseZ = inverse * products[lane];
                inverse *= z[lane];
                var square = SecpField.Square(inverseZ);
                new SecpAffine(x[lane] * square, y[lane] * square * inverseZ)
                    .Write(publicKeys.Slice(lane * Secp256k1.PublicKeySize, Secp256k1.PublicKeySize));
            }
        }

        return written;
    }

    /// <summary>The limbs of P, 2P, ... for P = factor G.</summary>
    private static ulong[] CreateTable(in UInt256 factor)
    {
        var point = TimesGenerator(factor);
        var multiples = new SecpJacobian[GeneratorEntries];
        multiples[0] = SecpJacobian.From(point);
        for (var i = 1; i < multiples.Length; i++)
        {
            multiples[i] = SecpJacobian.Add(multiples[i - 1], point);
        }

        var affine = new SecpAffine[multiples.Length];
        SecpJacobian.ToAffine(multiples, affine);
        var table = new ulong[EntrySize * affine.Length];
        Span<ulong> limbs = stackalloc ulong[EntrySize * Lanes];
        for (var i = 0; i < affine.Length; i++)
        {
            SecpField8.WriteLimbs(affine[i].X, limbs, 0);
            SecpField8.WriteLimbs(affine[i].Y, limbs[(EntrySize / 2 * Lanes)..], 0);
            for (var j = 0; j < EntrySize; j++)
            {
                table[(EntrySize * i) + j] = limbs[Lanes * j];
            }
        }

        return table;
    }

    private static SecpAffine TimesGenerator(in UInt256 factor) =>
        SecpMultiplication.Sum(factor, UInt256.Zero, SecpAffine.Generator).ToAffine();
}
