using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.Proving.Scheduling;

namespace SuperVm.Hosting.Proving;

/// <summary>Makes proofs; one at a time is asked for.</summary>
public interface IProofEngine
{
    /// <summary>What it runs on, for logs.</summary>
    string Name { get; }

    /// <exception cref="ProofException">Key or witness are not right.</exception>
    Task<Proof> ProveAsync(
        ProvingKey key, Witness witness, Action<double> progress, CancellationToken cancellation);
}

/// <summary>One backend.</summary>
public sealed class DirectProofEngine(IProofBackend backend, IRandomSource random) : IProofEngine
{
    public string Name => backend.Name;

    public Task<Proof> ProveAsync(
        ProvingKey key, Witness witness, Action<double> progress, CancellationToken cancellation) =>
        Task.Run(() => ProofParts.Prove(backend, random, key, witness, progress, cancellation), cancellation);
}

/// <summary>An engine that is made when it is first needed, so that a process starts at once.</summary>
public sealed class LazyProofEngine(Func<IProofEngine> make) : IProofEngine
{
    private readonly Lazy<IProofEngine> _engine = new(make);

    public string Name => _engine.Value.Name;

    public Task<Proof> ProveAsync(
        ProvingKey key, Witness witness, Action<double> progress, CancellationToken cancellation) =>
        _engine.Value.ProveAsync(key, witness, progress, cancellation);
}

/// <summary>
/// Processors and accelerators under one <see cref="HybridScheduler"/>, beside whatever else it has to do.
/// </summary>
/// <param name="scheduler">Decides who proves.</param>
/// <param name="processors">The backend of its processor lanes.</param>
/// <param name="accelerators">The backends of its accelerators, by number.</param>
/// <param name="random">Blinding factors.</param>
public sealed class ScheduledProofEngine(
    HybridScheduler scheduler, IProofBackend processors, IReadOnlyList<IProofBackend> accelerators,
    IRandomSource random) : IProofEngine
{
    public string Name => string.Join(", ", accelerators.Select(backend => backend.Name).Prepend(processors.Name));

    public async Task<Proof> ProveAsync(
        ProvingKey key, Witness witness, Action<double> progress, CancellationToken cancellation)
    {
        Proof? proof = null;
        void Make(IProofBackend backend) =>
            proof = ProofParts.Prove(backend, random, key, witness, progress, cancellation);
        var work = new Work
        {
            // A proof is one piece of as many elements as its circuit has constraints.
            Kind = WorkKind.Proof,
            Size = key.DomainSize,
            LeastSlice = key.DomainSize,
            OnCpu = (_, _) => Make(processors),
            OnAccelerator = accelerators.Count == 0 ? null : (device, _, _) =>
            {
                Make(accelerators[device]);
                return AcceleratorAnswer.Done;
            },
        };
        var run = scheduler.TryRun(work, cancellation)
            ?? throw new InvalidOperationException("More proofs wait than the scheduler takes.");
        await run;
        return proof!;
    }
}

/// <summary>A proof's stages as one number.</summary>
internal static class ProofParts
{
    private const double BeforeSums = 0.15, Sums = 0.8;

    internal static Proof Prove(
        IProofBackend backend, IRandomSource random, ProvingKey key, Witness witness, Action<double> progress,
        CancellationToken cancellation) => new Prover(backend, random).Prove(
            key, witness,
            (stage, part) => progress(stage switch
            {
                ProofStage.Constraints => 0,
                ProofStage.Quotient => BeforeSums / 2,
                ProofStage.Sums => BeforeSums + (Sums * part),
                _ => BeforeSums + Sums,
            }),
            cancellation);
}
