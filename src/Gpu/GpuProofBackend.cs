using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving;

namespace SuperVm.Gpu;

/// <summary>Proofs on a device; what it refuses the processors do, with a line that says so.</summary>
/// <remarks>Each operation falls back alone: a sum that does not fit into the device's memory does not keep the other
/// four off it.</remarks>
/// <param name="device">The device; it stays the caller's.</param>
/// <param name="fallback">Does what the device does not.</param>
/// <param name="log">Takes one line a fall-back.</param>
public sealed class GpuProofBackend(GpuAccelerator device, IProofBackend fallback, Action<string> log) : IProofBackend
{
    private long _done, _fellBack;

    /// <summary>
    /// The backend for this machine: a GPU where there is one (OpenCL on the processor would be slower than the
    /// processor itself), else the processors; a line says which and why.
    /// </summary>
    /// <remarks>The device stays open as long as the process: a backend has no end of its own.</remarks>
    public static IProofBackend Best(IProofBackend processors, Action<string> log)
    {
        if (GpuAccelerator.TryOpenBest(new GpuOptions(), onlyGpu: true, out var device, out var failure))
        {
            log($"proofs are made on {device!.Device.Name}, driver {device.Device.Driver}");
            return new GpuProofBackend(device, processors, log);
        }

        log($"proofs are made by {processors.Name}: {failure!.Message}");
        return processors;
    }

    public string Name => device.Lost is null ? $"{device.Device.Name} (OpenCL)" : fallback.Name;

    /// <summary>Operations that the device did.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>Operations that it refused.</summary>
    public long FellBack => Interlocked.Read(ref _fellBack);

    public void Quotient(Span<Fr> a, Span<Fr> b, Span<byte> result)
    {
        if (!IsDone("quotient", device.Quotient(a, b, result)))
        {
            fallback.Quotient(a, b, result);
        }
    }

    public void Sum(IReadOnlyList<PointSum> sums, Action<double>? progress, CancellationToken cancellation)
    {
        var left = new List<PointSum>();
        for (var i = 0; i < sums.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            sums[i].RequireSameCount();
            if (!TrySum(sums[i]))
            {
                left.Add(sums[i]);
            }

            progress?.Invoke((double)(i + 1 - left.Count) / sums.Count);
        }

        if (left.Count > 0)
        {
            var done = 1 - ((double)left.Count / sums.Count);
            fallback.Sum(
                left, progress is null ? null : part => progress(done + (part * (1 - done))), cancellation);
        }
    }

    private bool TrySum(PointSum sum)
    {
        try
        {
            if (sum.Group == CurveGroup.G1)
            {
                var failure = device.MultiplySum(sum.Points, sum.Scalars, out AffinePoint<Fq> point);
                sum.InG1 = new JacobianPoint<Fq>(point);
                return IsDone(sum.Name, failure);
            }
            else
            {
                var failure = device.MultiplySum(sum.Points, sum.Scalars, out AffinePoint<Fq2> point);
                sum.InG2 = new JacobianPoint<Fq2>(point);
                return IsDone(sum.Name, failure);
            }
        }
        catch (InvalidDataException wrong)
        {
            throw new ProofException($"{sum.Name}: {wrong.Message}");
        }
    }

    private bool IsDone(string what, GpuFailure? failure)
    {
        if (failure is null)
        {
            Interlocked.Increment(ref _done);
            return true;
        }

        Interlocked.Increment(ref _fellBack);
        log($"{what} is done by {fallback.Name}, not by {device.Device.Name}: {failure}");
        return false;
    }
}
