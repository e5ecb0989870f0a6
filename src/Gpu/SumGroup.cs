using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving;
using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

/// <summary>What a multi-scalar sum must know of its group.</summary>
/// <typeparam name="T">The field of the coordinates.</typeparam>
/// <param name="Name">What the names of its kernels begin with.</param>
/// <param name="Source">The kernels' text, with loops unrolled or not.</param>
/// <param name="FieldBytes">Bytes of a coordinate.</param>
/// <param name="CurveB">The b of y^2 = x^3 + b.</param>
/// <param name="Read">A coordinate as the device answers it.</param>
internal sealed record SumGroup<T>(
    string Name, Func<bool, string> Source, int FieldBytes, Fq2 CurveB, SumGroup<T>.Reading Read)
    where T : unmanaged, ICurveField<T>
{
    internal delegate T Reading(ReadOnlySpan<byte> bytes);

    /// <summary>A point lies there as x and y.</summary>
    internal int PointBytes => 2 * FieldBytes;

    /// <summary>A sum lies there as X, Y, ZZ, ZZZ.</summary>
    internal int SumBytes => 4 * FieldBytes;
}

/// <summary>BN254's two groups.</summary>
internal static class SumGroups
{
    internal static SumGroup<Fq> First { get; } =
        new("g1", KernelSource.FirstGroup, 32, new Fq2(G1.CurveB, Fq.Zero), ReadFq);

    internal static SumGroup<Fq2> Second { get; } = new(
        "g2", KernelSource.SecondGroup, 64, G2.CurveB, static bytes => new Fq2(ReadFq(bytes), ReadFq(bytes[32..])));

    private static Fq ReadFq(ReadOnlySpan<byte> bytes) =>
        Fq.TryCreateFromMontgomery256(SnarkPoints.ReadNumber(bytes), out var value)
            ? value
            : throw new GpuException(GpuFailureKind.DeviceLost, "the device answered a number that is not below p");
}
