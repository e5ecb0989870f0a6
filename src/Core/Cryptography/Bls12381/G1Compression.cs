namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>
/// Points of G1 in 48 bytes: x, and three flags in its highest bits (the ZCash encoding, as in EIP-4844).
/// </summary>
/// <remarks>
/// <code>
///   bit 383: 1, compressed    bit 382: infinity    bit 381: y is above (p - 1) / 2    bits 380..0: x, big-endian
/// </code>
/// </remarks>
internal static class G1Compression
{
    internal const int Size = Fq.Size;

    private const byte CompressedFlag = 0x80;
    private const byte InfinityFlag = 0x40;
    private const byte LargeFlag = 0x20;
    private const byte Flags = CompressedFlag | InfinityFlag | LargeFlag;

    /// <summary>False for wrong flags, an x that is not below p or has no y, and for a point outside G1.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out Affine<Fq> point)
    {
        point = default;
        if (bytes.Length != Size || (bytes[0] & CompressedFlag) == 0)
        {
            return false;
        }

        if ((bytes[0] & InfinityFlag) != 0)
        {
            return bytes[0] == (CompressedFlag | InfinityFlag) && bytes[1..].IndexOfAnyExcept((byte)0) < 0;
        }

        Span<byte> plain = stackalloc byte[Size];
        bytes.CopyTo(plain);
        plain[0] &= 0xFF ^ Flags;
        if (!Fq.TryRead(plain, out var x)
            || !Fq.TrySquareRoot((Fq.Square(x) * x) + Fq.CurveB, out var y))
        {
            return false;
        }

        var large = (bytes[0] & LargeFlag) != 0;
        point = new Affine<Fq>(x, y.IsLarge == large ? y : -y);
        return G1.Contains(point);
    }

    internal static void Write(in Affine<Fq> point, Span<byte> bytes)
    {
        point.X.Write(bytes);
        bytes[0] |= point.IsInfinity
            ? (byte)(CompressedFlag | InfinityFlag)
            : (byte)(CompressedFlag | (point.Y.IsLarge ? LargeFlag : 0));
    }
}
