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
}
