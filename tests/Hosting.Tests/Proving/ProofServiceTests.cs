using System.Text;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.Proving.Scheduling;
using SuperVm.Core.Storage;
using SuperVm.Core.Tests.Proving;
using SuperVm.Hosting.Proving;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Tests.Proving;

public sealed class ProofServiceTests
{
    private const int Constraints = 20;

    private static readonly byte[] Key = SquaringCircuit.Key(Constraints, new ProvingRandom(0));

    private readonly InMemoryMessageBus _bus = new(TimeProvider.System);
    private readonly InMemoryBlobStore _blobs = new();
    private readonly InMemoryDocumentStore _documents = new();
    private readonly RolePorts _ports;

    public ProofServiceTests() => _ports = new RolePorts
    {
        Bus = _bus,
        Documents = _documents,
        Blobs = _blobs,
        Clock = TimeProvider.System,
        Names = new RoleNames("inbox", "batches", "proofs", "replica", "proof-records"),
    };

    [Fact]
    public async Task A_job_through_the_queue_ends_with_a_proof_that_verifies()
    {
        using var service = Service(new DirectProofEngine(new CpuProofBackend(), new ProvingRandom(1)));
        await StoreKeyAsync();
        var jobs = new ProofJobs(_ports);
        var (status, queued) = await jobs.SubmitAsync(Job("first", 7));
        Assert.Equal((SubmitStatus.Accepted, ProofStatus.Queued), (status, queued.Status));
        Assert.Equal(RoleEnd.Done, await DeliverAsync(service));
        AssertProven(await jobs.FindAsync("first"));
    }

    [Fact]
    public async Task The_hybrid_scheduler_proves_the_same()
    {
        using var scheduler = new HybridScheduler(new HybridOptions { CpuLanes = 1 }, TimeProvider.System);
        using var service = Service(
            new ScheduledProofEngine(scheduler, new CpuProofBackend(), [], new ProvingRandom(1)));
        await StoreKeyAsync();
        await new ProofJobs(_ports).SubmitAsync(Job("scheduled", 8));
        Assert.Equal(RoleEnd.Done, await DeliverAsync(service));
        AssertProven(await new ProofJobs(_ports).FindAsync("scheduled"));
        Assert.Equal(1, scheduler.Statistics(WorkKind.Proof).Works);
    }

    [Fact]
    public async Task A_message_that_comes_twice_is_proven_once()
    {
        var engine = new CountingEngine(new DirectProofEngine(new CpuProofBackend(), new ProvingRandom(1)));
        using var service = Service(engine);
        await StoreKeyAsync();
        var message = Job("twice", 7).Write();
        Assert.Equal(RoleEnd.Done, await service.ProveAsync(message, default));
        Assert.Equal(RoleEnd.Done, await service.ProveAsync(message, default));
        Assert.Equal(1, engine.Calls);
        var again = await new ProofJobs(_ports).SubmitAsync(Job("twice", 7));
        Assert.Equal((SubmitStatus.Accepted, ProofStatus.Done), (again.Status, again.Record.Status));
        Assert.Equal(0, await _bus.CountAsync("proofs"));
    }

    [Fact]
    public async Task A_prover_that_dies_after_its_answer_does_not_prove_again()
    {
        var engine = new CountingEngine(new DirectProofEngine(new CpuProofBackend(), new ProvingRandom(1)));
        await StoreKeyAsync();
        var message = Job("mortal", 7).Write();
        var dies = _ports with
        {
            Reach = point => throw new InvalidOperationException(point == FailPoint.ProveAnswered ? "died" : point),
        };
        using (var mortal = new ProofService(dies, engine, new BlobKeyFiles(_blobs), new ProofLimits()))
        {
            var death = await Assert.ThrowsAsync<InvalidOperationException>(() => mortal.ProveAsync(message, default));
            Assert.Equal("died", death.Message);
        }

        using var next = Service(engine);
        Assert.Equal(RoleEnd.Done, await next.ProveAsync(message, default));
        Assert.Equal(1, engine.Calls);
        AssertProven(await new ProofJobs(_ports).FindAsync("mortal"));
    }

    [Fact]
    public async Task A_name_stays_with_the_job_that_took_it()
    {
        var jobs = new ProofJobs(_ports);
        await jobs.SubmitAsync(Job("name", 7));
        var (status, record) = await jobs.SubmitAsync(Job("name", 8));
        Assert.Equal(SubmitStatus.NameTaken, status);
        Assert.Equal(Job("name", 7).Digest, record.Digest);
        using var service = Service(null);
        Assert.Equal(RoleEnd.Malformed, await service.ProveAsync(Job("name", 9).Write(), default));
    }

    [Fact]
    public async Task Without_a_prover_a_job_is_answered_so()
    {
        using var service = Service(null);
        Assert.Equal(RoleEnd.Done, await service.ProveAsync(Job("lonely", 7).Write(), default));
        var record = await new ProofJobs(_ports).FindAsync("lonely");
        Assert.Equal(ProofStatus.NotAvailable, record!.Status);
        Assert.Contains("no prover", record.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_circuits_witnesses_and_values_fail_with_a_reason()
    {
        using var service = Service(new DirectProofEngine(new CpuProofBackend(), new ProvingRandom(1)));
        await StoreKeyAsync();
        var good = SquaringCircuit.Witness(Constraints, 7);
        var wrong = good.ToArray();
        wrong[^1] ^= 1;
        await BlobKeyFiles.StoreAsync(_blobs, "broken", Key.AsMemory(0, 300));
        (ProofJob Job, string Reason)[] cases =
        [
            (new("a", "unknown", good), "there is no circuit 'unknown'"),
            (new("b", "squares", good.AsMemory(0, 100)), "wtns"),
            (new("c", "squares", SquaringCircuit.Witness(Constraints + 1, 7)), "not of one circuit"),
            (new("d", "squares", wrong), "not"),
            (new("e", "broken", good), "zkey"),
        ];
        foreach (var (job, reason) in cases)
        {
            Assert.Equal(RoleEnd.Done, await service.ProveAsync(job.Write(), default));
            var record = await new ProofJobs(_ports).FindAsync(job.Job);
            Assert.Equal(ProofStatus.Failed, record!.Status);
            Assert.Contains(reason, record.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Messages_without_sense_are_refused_and_never_throw()
    {
        using var service = Service(null);
        string[] messages =
        [
            "", "x", "[]", "{}", "null", """{"circuit":"a"}""", """{"circuit":"a","witness":"***"}""",
            """{"circuit":"a","witness":""}""", """{"circuit":"../a","witness":"AAAA"}""",
            """{"circuit":"a","witness":"AAAA","job":"a b"}""", """{"circuit":"a","witness":"AAAA","job":7}""",
            "{\"circuit\":\"" + new string('a', 65) + "\",\"witness\":\"AAAA\"}",
        ];
        foreach (var message in messages)
        {
            Assert.Equal(RoleEnd.Malformed, await service.ProveAsync(Encoding.UTF8.GetBytes(message), default));
        }

        var good = Job("fuzzed", 7).Write();
        var random = new Random(5);
        for (var i = 0; i < 300; i++)
        {
            var bytes = good.ToArray();
            bytes[random.Next(60)] = (byte)random.Next(256);
            Assert.Contains(
                await service.ProveAsync(bytes.AsMemory(0, random.Next(1, bytes.Length + 1)), default),
                new[] { RoleEnd.Malformed, RoleEnd.Done });
        }
    }

    [Fact]
    public async Task A_cancelled_job_is_given_up_by_the_prover()
    {
        var engine = new BlockedEngine();
        using var service = Service(engine, new ProofLimits { ReportInterval = TimeSpan.FromMilliseconds(5) });
        await StoreKeyAsync();
        var proving = service.ProveAsync(Job("long", 7).Write(), default);
        await engine.Entered.Task;
        var jobs = new ProofJobs(_ports);
        Assert.Equal(ProofStatus.Cancelled, (await jobs.CancelAsync("long"))!.Status);
        Assert.Equal(RoleEnd.Done, await proving);
        Assert.Equal(ProofStatus.Cancelled, (await jobs.FindAsync("long"))!.Status);
        Assert.Null(await jobs.CancelAsync("nobody"));
    }

    [Fact]
    public async Task A_proof_that_takes_too_long_fails()
    {
        using var service = Service(
            new BlockedEngine(), new ProofLimits { Patience = TimeSpan.FromMilliseconds(30) });
        await StoreKeyAsync();
        Assert.Equal(RoleEnd.Done, await service.ProveAsync(Job("slow", 7).Write(), default));
        var record = await new ProofJobs(_ports).FindAsync("slow");
        Assert.Equal(ProofStatus.Failed, record!.Status);
        Assert.Contains("longer than", record.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_whose_prover_dies_again_and_again_is_given_up()
    {
        await StoreKeyAsync();
        var message = Job("deadly", 7).Write();
        for (var i = 0; i < 3; i++)
        {
            // The process is killed in the middle: nothing that it had to say is written.
            using var stop = new CancellationTokenSource();
            var engine = new BlockedEngine();
            using var dying = Service(engine);
            var proving = dying.ProveAsync(message, stop.Token);
            await engine.Entered.Task;
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => proving);
        }

        using var service = Service(new DirectProofEngine(new CpuProofBackend(), new ProvingRandom(1)));
        Assert.Equal(RoleEnd.Done, await service.ProveAsync(message, default));
        var record = await new ProofJobs(_ports).FindAsync("deadly");
        Assert.Equal(ProofStatus.Failed, record!.Status);
        Assert.Equal("given up after 3 attempts", record.Reason);
    }

    [Fact]
    public async Task A_worker_empties_the_queue_by_itself()
    {
        using var service = Service(new DirectProofEngine(new CpuProofBackend(), new ProvingRandom(1)));
        await StoreKeyAsync();
        var jobs = new ProofJobs(_ports);
        await _bus.SendAsync("proofs", Encoding.UTF8.GetBytes("no sense"));
        await jobs.SubmitAsync(Job("one", 2));
        await jobs.SubmitAsync(Job("two", 3));
        await using (new ProofWorker(_ports, service, TimeSpan.FromMilliseconds(100)))
        {
            while (await _bus.CountAsync("proofs") > 0)
            {
                await Task.Yield();
            }
        }

        AssertProven(await jobs.FindAsync("one"));
        AssertProven(await jobs.FindAsync("two"));
        Assert.Equal(1, await _bus.CountAsync("proofs-poison"));
    }

    private static ProofJob Job(string name, ulong number) =>
        new(name, "squares", SquaringCircuit.Witness(Constraints, number));

    private ProofService Service(IProofEngine? engine, ProofLimits? limits = null) =>
        new(_ports, engine, new BlobKeyFiles(_blobs), limits ?? new ProofLimits());

    private Task StoreKeyAsync() => BlobKeyFiles.StoreAsync(_blobs, "squares", Key);

    private async Task<RoleEnd> DeliverAsync(ProofService service)
    {
        var message = Assert.Single(await _bus.ReceiveAsync("proofs", 1, TimeSpan.FromSeconds(30)));
        return await service.ProveAsync(message.Body, default);
    }

    private static void AssertProven(ProofRecord? record)
    {
        Assert.Equal(ProofStatus.Done, record!.Status);
        using var source = new MemorySource(Key);
        var verdict = Verifier.Verify(
            new ProvingKey(source).VerificationKey, SnarkJson.ReadProof(Encoding.UTF8.GetBytes(record.Proof!)),
            SnarkJson.ReadPublics(Encoding.UTF8.GetBytes(record.Publics!)));
        Assert.Equal(Verdict.Valid, verdict);
    }

    private sealed class CountingEngine(IProofEngine inner) : IProofEngine
    {
        internal int Calls { get; private set; }

        public string Name => inner.Name;

        public Task<Proof> ProveAsync(
            ProvingKey key, Witness witness, Action<double> progress, CancellationToken cancellation)
        {
            Calls++;
            return inner.ProveAsync(key, witness, progress, cancellation);
        }
    }

    /// <summary>Never done; ends when it is cancelled.</summary>
    private sealed class BlockedEngine : IProofEngine
    {
        internal TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => "blocked";

        public async Task<Proof> ProveAsync(
            ProvingKey key, Witness witness, Action<double> progress, CancellationToken cancellation)
        {
            progress(0.5);
            Entered.TrySetResult();
            var end = new TaskCompletionSource<Proof>(TaskCreationOptions.RunContinuationsAsynchronously);
            using var registration = cancellation.Register(() => end.TrySetCanceled(cancellation));
            return await end.Task;
        }
    }
}
