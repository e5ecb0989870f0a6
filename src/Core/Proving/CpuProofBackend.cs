using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving.Msm;
using SuperVm.Core.Proving.Ntt;

namespace SuperVm.Core.Proving;

/// <summary>Proofs on all cores, with eight field operations at a time where the processor can (AVX-512).</summary>
public sealed class CpuProofBackend : IProofBackend
{
    /// <summary>Below that many points the plain algorithm is as fast.</summary>
    private const int LeastForLanes = 16;

    private readonly bool _lanes;

    /// <param name="allowLanes">False for the scalar code, which processors without AVX-512 take anyway.</param>
    public CpuProofBackend(bool allowLanes = true) =>
        _lanes = allowLanes && FieldLanes<FqModulus>.IsSupported;

    public string Name => _lanes ? $"CPU, AVX-512, {Environment.ProcessorCount} threads"
        : $"CPU, {Environment.ProcessorCount} threads";

    public void Quotient(Span<Fr> a, Span<Fr> b, Span<byte> result)
    {
        if (_lanes)
        {
            Ntt.Quotient.Compute(a, b, result);
        }
        else
        {
            Ntt.Quotient.OneByOne(a, b, result);
        }
    }

    public void Sum(IReadOnlyList<PointSum> sums, Action<double>? progress, CancellationToken cancellation)
    {
        var runs = new List<SumRun>();
        try
        {
            foreach (var sum in sums)
            {
                sum.RequireSameCount();
                cancellation.ThrowIfCancellationRequested();
                runs.Add(sum.Group == CurveGroup.G1
                    ? Start<FqLanes, Fq>(sum, cancellation, (to, result) => to.InG1 = result)
                    : Start<Fq2Lanes, Fq2>(sum, cancellation, (to, result) => to.InG2 = result));
            }

            RunAll(runs, progress, cancellation);
            foreach (var run in runs)
            {
                run.Finish();
            }
        }
        finally
        {
            runs.ForEach(run => run.Dispose());
        }
    }

    /// <summary>All windows of all sums, the heaviest first, taken by whichever thread is free.</summary>
    private static void RunAll(List<SumRun> runs, Action<double>? progress, CancellationToken cancellation)
    {
        var tasks = (
            from run in runs
            orderby run.Weight descending
            from window in Enumerable.Range(0, run.Windows)
            select (Run: run, Window: window)).ToArray();
        var (next, done) = (-1, 0);
        System.Threading.Tasks.Parallel.For(0, Math.Min(Environment.ProcessorCount, tasks.Length), _ =>
        {
            for (int at; (at = Interlocked.Increment(ref next)) < tasks.Length;)
            {
                cancellation.ThrowIfCancellationRequested();
                tasks[at].Run.RunWindow(tasks[at].Window);
                var count = Interlocked.Increment(ref done);
                progress?.Invoke((double)count / tasks.Length);
            }
        });
    }

    private SumRun Start<TLanes, TField>(
        PointSum sum, CancellationToken cancellation, Action<PointSum, JacobianPoint<TField>> put)
        where TLanes : unmanaged, ICurveLanes<TLanes, TField>
        where TField : unmanaged, ICurveField<TField>
    {
        if (!_lanes || sum.Count < LeastForLanes)
        {
            return Plain(sum, put);
        }

        var points = PointTable<TLanes, TField>.Create(sum.Points, cancellation)
            ?? throw new ProofException($"{sum.Name}: a point is not on the curve.");
        var lanes = new LaneSum<TLanes, TField>(points, sum.Scalars.Span);
        var weight = (long)sum.Count * PointTable<TLanes, TField>.PointBytes;
        return new SumRun(lanes.Windows, weight, lanes.Run, () => put(sum, lanes.Combine()), lanes.Dispose);
    }

    private static SumRun Plain<TField>(PointSum sum, Action<PointSum, JacobianPoint<TField>> put)
        where TField : unmanaged, ICurveField<TField>
    {
        var plain = new ScalarSum<TField>(
            sum.Group == CurveGroup.G1
                ? (AffinePoint<TField>[])(object)SnarkPoints.ReadG1(sum.Points.Span, sum.Name)
                : (AffinePoint<TField>[])(object)SnarkPoints.ReadG2(sum.Points.Span, sum.Name),
            sum.Scalars.Span);
        return new SumRun(plain.Windows, sum.Count, plain.Run, () => put(sum, plain.Combine()), plain.Dispose);
    }

    /// <summary>A sum of either group while its windows are done.</summary>
    private sealed record SumRun(
        int Windows, long Weight, Action<int> RunWindow, Action Finish, Action Dispose);
}
