namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>The encodings of EIP-2537: field elements of 64 big-endian bytes, infinity as zeros.</summary>
internal static class BlsEncoding
{
    internal const int FieldSize = 64;
    internal const int G1Size = 2 * FieldSize;
    internal const int G2Size = 4 * FieldSize;
    internal const int ScalarSize = 32;

    private const int Padding = FieldSize - Fq.Size;

    /// <summary>False where the top sixteen bytes are not zero or the number is not below p.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out Fq value)
    {
        value = default;
        return bytes[..Padding].IndexOfAnyExcept((byte)0) < 0 && Fq.TryRead(bytes[Padding..FieldSize], out value);
    }

    internal static bool TryRead(ReadOnlySpan<byte> bytes, out Fq2 value)
    {
        value = default;
        if (!TryRead(bytes, out Fq c0) || !TryRead(bytes[FieldSize..], out Fq c1))
        {
            return false;
        }

        value = new Fq2(c0, c1);
        return true;
    }

    /// <summary>
    /// False where a coordinate is no field element or the point is not on the curve; its group is not checked.
    /// </summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out Affine<Fq> point)
    {
        point = default;
        if (!TryRead(bytes, out Fq x) || !TryRead(bytes[FieldSize..], out Fq y))
        {
            return false;
        }

        point = new Affine<Fq>(x, y);
        return point.IsOnCurve;
    }

    internal static bool TryRead(ReadOnlySpan<byte> bytes, out Affine<Fq2> point)
    {
        point = default;
        if (!TryRead(bytes, out Fq2 x) || !TryRead(bytes[(2 * FieldSize)..], out Fq2 y))
        {
            return false;
        }

        point = new Affine<Fq2>(x, y);
        return point.IsOnCurve;
    }

    internal static void Write(in Affine<Fq> point, Span<byte> bytes)
    {
        Write(point.X, bytes);
        Write(point.Y, bytes[FieldSize..]);
    }

    internal static void Write(in Affine<Fq2> point, Span<byte> bytes)
    {
        Write(point.X.C0, bytes);
        Write(point.X.C1, bytes[FieldSize..]);
        Write(point.Y.C0, bytes[(2 * FieldSize)..]);
        Write(point.Y.C1, bytes[(3 * FieldSize)..]);
    }

    private static void Write(in Fq value, Span<byte> bytes)
    {
        bytes[..Padding].Clear();
        value.Write(bytes[Padding..FieldSize]);
    }
}
