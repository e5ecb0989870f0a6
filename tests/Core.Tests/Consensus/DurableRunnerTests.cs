using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Consensus;

/// <summary>A runner over a store that dies at every write there is, before it and after it.</summary>
public sealed class DurableRunnerTests
{
    [Fact]
    public void A_death_at_any_write_neither_forks_nor_doubles_nor_loses()
    {
        var whole = new Machine(new MemoryKeyValueStore());
        whole.Work();
        Assert.Equal(3, whole.Executed.Count);
        Assert.True(whole.Writes > 4);
        for (var death = 0; death < whole.Writes; death++)
        {
            foreach (var after in (bool[])[false, true])
            {
                var store = new MemoryKeyValueStore();
                var machine = new Machine(store) { DiesAt = death, DiesAfter = after };
                Assert.Throws<DeathException>(machine.Work);
                var next = new Machine(store) { Executed = machine.Executed };
                next.Work();
                Assert.Equal(whole.Executed.Count, next.Executed.Count);
                Assert.Equal(3UL, next.Runner.Replica.Finalized);
                Assert.Equal(
                    Enumerable.Range(1, 3).Select(i => (ulong)i), next.Executed.Select(batch => batch.Sequence));
                Assert.Equal(3, next.Executed.SelectMany(batch => batch.Hashes).Distinct().Count());
            }
        }
    }

    [Fact]
    public void The_archive_serves_batches_with_certificates_and_the_last_attestation()
    {
        var machine = new Machine(new MemoryKeyValueStore());
        machine.Work();
        var archive = machine.Runner.Archive;
        var blocks = Assert.IsType<Blocks>(archive.Serve(1, 2, machine.Context.Parameters));
        Assert.Equal([1UL, 2UL], blocks.Batches.Select(batch => batch.Batch.Sequence));
        Assert.All(blocks.Batches, batch => Assert.True(batch.Certificate.Verify(
            machine.Context.Parameters.ChainId, machine.Context.Genesis, machine.Context.Verifier)));
        Assert.Equal(3UL, archive.LastAttestation()!.Statement.Sequence);
        Assert.Null(archive.Serve(4, 2, machine.Context.Parameters));
    }

    [Fact]
    public void Pruned_batches_are_answered_with_a_snapshots_place()
    {
        var machine = new Machine(new MemoryKeyValueStore());
        machine.Work();
        using (var write = machine.Store.CreateBatch())
        {
            ConsensusArchive.Prune(write, 3);
            machine.Store.Write(write);
        }

        var snapshot = Assert.IsType<Snapshot>(machine.Runner.Archive.Serve(1, 2, machine.Context.Parameters));
        Assert.Equal(3UL, snapshot.Attestation.Statement.Sequence);
        Assert.Equal([1UL, 2UL, 3UL], snapshot.Headers.Select(header => header.Sequence));
    }

    [Fact]
    public void A_store_of_another_format_is_refused_with_both_versions()
    {
        var store = new MemoryKeyValueStore();
        new Machine(store).Work();
        Assert.Equal([DurableRunner.FormatVersion], store.Get(Column.Consensus, FormatKey)!);
        Assert.Equal(3UL, new Machine(store).Runner.Replica.Finalized);

        Set(store, [DurableRunner.FormatVersion + 1]);
        var newer = Assert.Throws<StoreException>(() => new Machine(store)).Message;
        Assert.Contains($"format {DurableRunner.FormatVersion + 1}", newer);
        Assert.Contains($"format {DurableRunner.FormatVersion}.", newer);

        // What was written before formats had numbers.
        Set(store, null);
        Assert.Contains("has format 1;", Assert.Throws<StoreException>(() => new Machine(store)).Message);
        Assert.Contains(
            "empty data folder", Assert.Throws<StoreException>(() => new Machine(store)).Message);
    }

    [Fact]
    public void A_damaged_record_is_refused_as_damage()
    {
        var store = new MemoryKeyValueStore();
        new Machine(store).Work();
        foreach (var (key, value) in store.Scan(Column.Consensus, new[] { (byte)'R' }).ToList())
        {
            using var damage = store.CreateBatch();
            damage.Put(Column.Consensus, key, value.AsSpan(0, value.Length / 2));
            store.Write(damage);
            Assert.Contains("damaged", Assert.Throws<StoreException>(() => new Machine(store)).Message);
            using var repair = store.CreateBatch();
            repair.Put(Column.Consensus, key, value);
            store.Write(repair);
        }

        Assert.Equal(3UL, new Machine(store).Runner.Replica.Finalized);
    }

    private static readonly byte[] FormatKey = [(byte)'F'];

    private static void Set(MemoryKeyValueStore store, byte[]? format)
    {
        using var write = store.CreateBatch();
        if (format is null)
        {
            write.Delete(Column.Consensus, FormatKey);
        }
        else
        {
            write.Put(Column.Consensus, FormatKey, format);
        }

        store.Write(write);
    }

    private sealed class DeathException : Exception;

    /// <summary>
    /// A validator of one: three transactions, one after another, each submitted again until it is executed.
    /// </summary>
    private sealed class Machine : IConsensusTransport, IConsensusTimers, IBatchExecutor
    {
        private readonly MemoryKeyValueStore _store;
        private readonly Queue<ReplicaEvent> _events = [];

        internal Machine(MemoryKeyValueStore store)
        {
            _store = store;
            Context = new TestCluster(1).Contexts[0];
            Store = new DyingStore(this, store);
            Runner = new DurableRunner(Context, Store, this, this, this);
        }

        internal IKeyValueStore Store { get; }

        internal ReplicaContext Context { get; }

        internal DurableRunner Runner { get; }

        internal int DiesAt { get; init; } = -1;

        internal bool DiesAfter { get; init; }

        internal int Writes { get; private set; }

        /// <summary>The execution side's own durable chain.</summary>
        internal List<Batch> Executed { get; init; } = [];

        public long NowMs => TestCluster.StartMs;

        internal void Work()
        {
            Runner.Start();
            Drain();
            for (var i = 0; i < 3; i++)
            {
                _events.Enqueue(new RequestsSubmitted(NowMs, [[1, 2, (byte)i]]));
                Drain();
            }
        }

        public void Execute(Batch batch)
        {
            if (Executed.All(known => known.Sequence != batch.Sequence))
            {
                Executed.Add(batch);
            }

            Assert.Equal(batch.Digest, Executed[(int)batch.Sequence - 1].Digest);
            _events.Enqueue(new BatchExecuted(NowMs, batch.Sequence, Keccak256.Hash(batch.Digest.Bytes), null));
        }

        public void InstallSnapshot(InstallSnapshot wanted) =>
            throw new InvalidOperationException("One validator needs no snapshot.");

        public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded) =>
            throw new InvalidOperationException("One validator has no peers.");

        public void Set(TimerKind timer, ulong generation, int delayMs, int jitterMs)
        {
        }

        private void Drain()
        {
            while (_events.TryDequeue(out var next))
            {
                Runner.Process([next]);
            }
        }

        private sealed class DyingStore(Machine machine, MemoryKeyValueStore store) : IKeyValueStore
        {
            public string Kind => store.Kind;

            public byte[]? Get(Column column, ReadOnlySpan<byte> key) => store.Get(column, key);

            public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination) =>
                store.Read(column, key, destination);

            public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => store.GetMany(column, keys);

            public IKeyValueCursor OpenCursor(
                Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start, bool reverse) =>
                store.OpenCursor(column, prefix, start, reverse);

            public IWriteBatch CreateBatch() => store.CreateBatch();

            public void Write(IWriteBatch batch, bool sync)
            {
                var dies = machine.Writes++ == machine.DiesAt;
                if (!dies || machine.DiesAfter)
                {
                    store.Write(batch, sync);
                }

                if (dies)
                {
                    throw new DeathException();
                }
            }

            public IKeyValueSnapshot Snapshot() => store.Snapshot();

            public void CreateCheckpoint(string directory) => store.CreateCheckpoint(directory);

            public IReadOnlyDictionary<string, double> Statistics() => store.Statistics();

            public void Dispose()
            {
            }
        }
    }
}
