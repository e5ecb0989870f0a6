using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Proving;

/// <summary>Does proof jobs: a message of the queue in, the job's record final.</summary>
/// <remarks>
/// <code>
///   message ─▶ claim check ─▶ record: proving, attempts + 1 ─▶ key ─▶ engine ─▶ record: done, or failed with a reason
///                                   └─ final already: nothing to do      └─ every second: progress; cancelled?
/// </code>
/// A delivery that comes again after a crash is proven again, up to <see cref="ProofLimits.MostAttempts"/> times; one
/// that comes again after the end changes nothing. One proof at a time: it takes all cores.
/// </remarks>
/// <param name="ports">Queue, documents, blobs, clock.</param>
/// <param name="engine">Null where none is deployed: every job is answered so, at once.</param>
/// <param name="files">The circuits' keys.</param>
/// <param name="limits">What it takes on.</param>
public sealed class ProofService(RolePorts ports, IProofEngine? engine, IKeyFiles files, ProofLimits limits)
    : IDisposable
{
    private readonly ProofJobs _jobs = new(ports);
    private readonly OpenKeys _keys = new(files, limits.MostOpenKeys);
    private readonly SemaphoreSlim _turn = new(1);

    public async Task<RoleEnd> ProveAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (await ClaimCheck.OpenAsync(message, ports.Blobs, cancellation) is not { } body)
        {
            return RoleEnd.Again;
        }

        if (body.Length > limits.MostBytes || ProofJob.TryRead(body, out _) is not { } job)
        {
            return RoleEnd.Malformed;
        }

        await _turn.WaitAsync(cancellation);
        try
        {
            return await DoAsync(job, cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<RoleEnd> DoAsync(ProofJob job, CancellationToken cancellation)
    {
        // A job that came past the asking side has no record yet.
        var first = new ProofRecord { Job = job.Job, Circuit = job.Circuit, Digest = job.Digest };
        var key = ProofJobs.KeyOf(ports.Names, job.Job);
        await ports.Documents.CreateAsync(key, first.Write(), cancellation);
        var (begun, record) = await _jobs.ChangeAsync(job.Job, there => Begin(job, there), cancellation);
        if (record is null || record.Digest != job.Digest)
        {
            return record is null ? RoleEnd.Again : RoleEnd.Malformed;
        }

        if (record.IsFinal)
        {
            ports.Reach(FailPoint.ProveAnswered);
            return RoleEnd.Done;
        }

        return begun ? await ProveAndKeepAsync(job, cancellation) : RoleEnd.Again;
    }

    private ProofRecord Begin(ProofJob job, ProofRecord there)
    {
        if (there.Digest != job.Digest)
        {
            return there;
        }

        if (engine is null)
        {
            return there with
            {
                Status = ProofStatus.NotAvailable, Reason = "no prover is deployed beside this validator",
            };
        }

        return there.Attempts >= limits.MostAttempts
            ? there with { Status = ProofStatus.Failed, Reason = $"given up after {there.Attempts} attempts" }
            : there with { Status = ProofStatus.Proving, Attempts = there.Attempts + 1, Progress = 0 };
    }

    private async Task<RoleEnd> ProveAndKeepAsync(ProofJob job, CancellationToken cancellation)
    {
        var began = ports.Clock.GetTimestamp();
        var end = await TryProveAsync(job, cancellation);
        if (end is null)
        {
            return RoleEnd.Done; // cancelled: the record says so already
        }

        var (kept, record) = await _jobs.ChangeAsync(job.Job, end, cancellation);
        if (!kept && record is { IsFinal: false })
        {
            return RoleEnd.Again;
        }

        ports.Reach(FailPoint.ProveAnswered);
        var seconds = ports.Clock.GetElapsedTime(began).TotalSeconds;
        ports.Log($"proof job {job.Job}: {ProofRecord.NameOf(record!.Status)} after {seconds:F1} s {record.Reason}");
        return RoleEnd.Done;
    }

    /// <summary>How the record is to change; null where the job was cancelled.</summary>
    private async Task<Func<ProofRecord, ProofRecord>?> TryProveAsync(ProofJob job, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(limits.Patience, ports.Clock);
        using var cancelled = new CancellationTokenSource();
        using var any = CancellationTokenSource.CreateLinkedTokenSource(
            cancellation, patience.Token, cancelled.Token);
        try
        {
            if (await _keys.GetAsync(job.Circuit, any.Token) is not { } key)
            {
                return Failed($"there is no circuit '{job.Circuit}'");
            }

            using var source = new MemorySource(job.Witness);
            var witness = new Witness(source);
            var part = 0.0;
            var proving = engine!.ProveAsync(key, witness, value => Volatile.Write(ref part, value), any.Token);
            await WatchAsync(job.Job, proving, () => Volatile.Read(ref part), cancelled, any.Token);
            var proof = await proving;
            var publics = Prover.PublicsOf(key, witness);
            return there => there with
            {
                Status = ProofStatus.Done, Progress = 1, Proof = SnarkJson.Write(proof),
                Publics = SnarkJson.Write(publics),
            };
        }
        catch (ProofException wrong)
        {
            return Failed(wrong.Message);
        }
        catch (OperationCanceledException) when (cancelled.IsCancellationRequested)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Failed($"it took longer than {limits.Patience.TotalSeconds:F0} s");
        }
    }

    private static Func<ProofRecord, ProofRecord> Failed(string reason) =>
        there => there with { Status = ProofStatus.Failed, Reason = reason };

    /// <summary>Writes progress and looks for cancellation until the proof is there.</summary>
    private async Task WatchAsync(
        string job, Task proving, Func<double> part, CancellationTokenSource cancelled, CancellationToken any)
    {
        using var timer = new PeriodicTimer(limits.ReportInterval, ports.Clock);
        var tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
        while (await Task.WhenAny(proving, tick) != proving)
        {
            tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
            if (any.IsCancellationRequested)
            {
                continue;
            }

            var (_, record) = await _jobs.ChangeAsync(
                job, there => there with { Progress = part() }, CancellationToken.None);
            if (record is { Status: ProofStatus.Cancelled })
            {
                await cancelled.CancelAsync();
            }
        }
    }

    public void Dispose()
    {
        _keys.Dispose();
        _turn.Dispose();
    }
}
