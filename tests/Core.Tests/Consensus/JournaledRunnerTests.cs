using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

/// <summary>
/// Four validators whose states are journals, with workers that race for them and die between save and send.
/// </summary>
public sealed class JournaledRunnerTests
{
    [Fact]
    public async Task Workers_that_lose_races_and_die_after_saving_still_order_each_transaction_once()
    {
        var world = new World(4);
        await world.HappenAsync(0, new RequestsSubmitted(TestCluster.StartMs, [[1, 2, 3]]));
        await world.HappenAsync(2, new RequestsSubmitted(TestCluster.StartMs, [[4, 5, 6]]));
        await world.DrainAsync();
        Assert.True(world.Conflicts > 0 && world.Deaths > 0);
        for (var node = 0; node < 4; node++)
        {
            var replica = await world.Runners[node].StandingAsync(default);
            Assert.Equal(replica.Committed, replica.Finalized);
            Assert.Equal(2, world.Archived[node].Values.SelectMany(batch => batch.Hashes).Distinct().Count());
            Assert.Equal(2, world.Archived[node].Values.Sum(batch => batch.Hashes.Count));
        }
    }

    [Fact]
    public async Task Who_opens_a_journal_knows_all_that_was_known_and_keeps_the_promises_where_steps_differ()
    {
        var world = new World(4);
        await world.HappenAsync(0, new RequestsSubmitted(TestCluster.StartMs, [[1, 2, 3]]));
        await world.DrainAsync();
        await world.HappenAsync(1, new RequestsSubmitted(TestCluster.StartMs, [[7, 8, 9]]));
        Assert.All(world.Journals, journal => Assert.True(journal.Bases > 0));
        for (var node = 0; node < 4; node++)
        {
            var (saved, entries) = await world.Journals[node].LoadAsync(default);
            var opened = ReplicaRecords.Open(world.Contexts[node], saved, entries);
            Assert.True(opened.IsExact);
            var standing = await world.Runners[node].StandingAsync(default);
            Assert.Equal(standing.Committed, opened.Replica.Committed);
            Assert.Equal(
                ReplicaRecords.Base(opened.Replica, opened.Requests),
                ReplicaRecords.Base(ReplicaRecords.Open(
                    world.Contexts[node], ReplicaRecords.Base(opened.Replica, opened.Requests), []).Replica,
                    opened.Requests));

            // As if another version of the program went other steps: what was promised stands.
            byte[] stray = ReplicaRecords.Entry([], [], [new RequestsSubmitted(TestCluster.StartMs, [[9, 9, 9]])]);
            var other = ReplicaRecords.Open(world.Contexts[node], saved, [.. entries, stray]);
            Assert.False(other.IsExact);
            Assert.Equal(opened.Replica.Committed, other.Replica.Committed);
            Assert.Equal(opened.Replica.Finalized, other.Replica.Finalized);
            Assert.Equal(opened.Replica.View, other.Replica.View);
        }
    }

    private sealed class DeathException : Exception;

    private sealed class World
    {
        private readonly Queue<(int Node, ReplicaEvent Event, bool Repeated)> _queue = [];
        private readonly ValidatorSet _set;
        private int _saves;

        internal World(int count)
        {
            var cluster = new TestCluster(count);
            _set = cluster.Set;
            Archived = [.. Enumerable.Range(0, count).Select(_ => new SortedDictionary<ulong, Batch>())];
            Contexts = cluster.Contexts;
            Journals = [.. Enumerable.Range(0, count).Select(_ => new Journal(this))];
            Runners = [.. Enumerable.Range(0, count).Select(node =>
                new JournaledRunner(cluster.Contexts[node], Journals[node], new Ports(this, node)))];
        }

        internal JournaledRunner[] Runners { get; }

        internal IReadOnlyList<ReplicaContext> Contexts { get; }

        internal Journal[] Journals { get; }

        internal SortedDictionary<ulong, Batch>[] Archived { get; }

        internal int Conflicts { get; private set; }

        internal int Deaths { get; private set; }

        internal async Task HappenAsync(int node, ReplicaEvent happened, bool repeated = false)
        {
            try
            {
                Assert.True(await Runners[node].ProcessAsync([happened], repeated, default));
            }
            catch (DeathException)
            {
                Deaths++;
                _queue.Enqueue((node, happened, true));
            }
        }

        internal async Task DrainAsync()
        {
            while (_queue.TryDequeue(out var next))
            {
                await HappenAsync(next.Node, next.Event, next.Repeated);
            }
        }

        internal sealed class Journal(World world) : IReplicaJournal
        {
            private readonly List<byte[]> _entries = [];
            private byte[]? _base;

            public int MostEntryBytes => 64 * 1024;

            public bool WantsBase => _entries.Count >= 8;

            internal int Bases { get; private set; }

            public Task<(byte[]? Base, IReadOnlyList<byte[]> Entries)> LoadAsync(CancellationToken cancellation) =>
                Task.FromResult<(byte[]?, IReadOnlyList<byte[]>)>((_base, [.. _entries]));

            public Task<bool> TryAppendAsync(byte[] entry, CancellationToken cancellation)
            {
                // Every fifth append loses against another worker that changed nothing.
                if (world._saves++ % 5 == 3)
                {
                    world.Conflicts++;
                    return Task.FromResult(false);
                }

                _entries.Add(entry);
                return Task.FromResult(true);
            }

            public Task<bool> TryRebaseAsync(byte[] saved, CancellationToken cancellation)
            {
                Bases++;
                _base = saved;
                _entries.Clear();
                return Task.FromResult(true);
            }
        }

        private sealed class Ports(World world, int node) : IJournaledRunnerPorts
        {
            private int _sends;

            public long NowMs => TestCluster.StartMs;

            public Task ArchiveAsync(IReadOnlyList<Effect> effects, CancellationToken cancellation)
            {
                foreach (var batch in effects.OfType<BatchCommitted>().Select(e => e.Batch))
                {
                    Assert.Equal(batch.Digest, world.Archived[node].GetValueOrDefault(batch.Sequence, batch).Digest);
                    world.Archived[node][batch.Sequence] = batch;
                }

                return Task.CompletedTask;
            }

            public Task<BatchExecuted?> ExecutedAsync(ulong sequence, CancellationToken cancellation) =>
                Task.FromResult<BatchExecuted?>(new BatchExecuted(
                    NowMs, sequence, Keccak256.Hash(world.Archived[node][sequence].Digest.Bytes), null));

            public Task SendAsync(
                IReadOnlyList<Address> to, ConsensusMessage message, CancellationToken cancellation)
            {
                if (++_sends % 7 == 0)
                {
                    throw new DeathException();
                }

                foreach (var address in to)
                {
                    world._queue.Enqueue((
                        world._set.IndexOf(address), new MessageArrived(NowMs, TestCluster.Key(node).Address, message),
                        false));
                }

                return Task.CompletedTask;
            }

            public Task CarryOutAsync(Effect effect, CancellationToken cancellation)
            {
                if (effect is ExecuteBatch e)
                {
                    world._queue.Enqueue((node, new BatchExecuted(
                        NowMs, e.Batch.Sequence, Keccak256.Hash(e.Batch.Digest.Bytes), null), false));
                }

                return Task.CompletedTask;
            }
        }
    }
}
