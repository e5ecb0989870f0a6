using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Gpu.Tests;

/// <summary>Random field elements and points, and the layouts that the device takes.</summary>
internal static class Numbers
{
    internal static UInt256 Word(Random random)
    {
        Span<byte> bytes = stackalloc byte[32];
        random.NextBytes(bytes);
        return UInt256.FromBigEndian(bytes);
    }

    internal static Fr Scalar(Random random) => Fr.Reduce(Word(random));

    /// <summary>Values at the edges of ranges and limbs, then random ones.</summary>
    internal static Fr[] Scalars(Random random, int count)
    {
        Fr[] edges = [Fr.Zero, Fr.One, -Fr.One, Fr.FromUInt64(uint.MaxValue), Fr.Reduce(UInt256.MaxValue)];
        var others = Enumerable.Range(0, Math.Max(count - edges.Length, 0)).Select(_ => Scalar(random));
        return [.. edges.Take(count), .. others];
    }

    internal static void Write(in Fq value, Span<byte> bytes)
    {
        var form = value.ToMontgomery256();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, form.U0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], form.U1);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], form.U2);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], form.U3);
    }

    /// <summary>Plain numbers, least significant byte first.</summary>
    internal static byte[] Layout(ReadOnlySpan<UInt256> numbers)
    {
        var bytes = new byte[numbers.Length * 32];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i].WriteBigEndian(bytes.AsSpan(i * 32, 32));
            bytes.AsSpan(i * 32, 32).Reverse();
        }

        return bytes;
    }

    internal static byte[] Layout(ReadOnlySpan<AffinePoint<Fq>> points)
    {
        var bytes = new byte[points.Length * 64];
        for (var i = 0; i < points.Length; i++)
        {
            Write(points[i].X, bytes.AsSpan(i * 64));
            Write(points[i].Y, bytes.AsSpan((i * 64) + 32));
        }

        return bytes;
    }

    internal static byte[] Layout(ReadOnlySpan<AffinePoint<Fq2>> points)
    {
        var bytes = new byte[points.Length * 128];
        for (var i = 0; i < points.Length; i++)
        {
            Write(points[i].X.C0, bytes.AsSpan(i * 128));
            Write(points[i].X.C1, bytes.AsSpan((i * 128) + 32));
            Write(points[i].Y.C0, bytes.AsSpan((i * 128) + 64));
            Write(points[i].Y.C1, bytes.AsSpan((i * 128) + 96));
        }

        return bytes;
    }
}
