using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

/// <summary>
/// Four validators whose states are documents, with workers that race for them and die between save and send.
/// </summary>
public sealed class DocumentRunnerTests
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
            var replica = await world.Runners[node].LoadAsync(default);
            Assert.Equal(replica.Committed, replica.Finalized);
            Assert.Equal(2, world.Archived[node].Values.SelectMany(batch => batch.Hashes).Distinct().Count());
            Assert.Equal(2, world.Archived[node].Values.Sum(batch => batch.Hashes.Count));
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
            Runners = [.. Enumerable.Range(0, count).Select(node =>
                new DocumentRunner(cluster.Contexts[node], new Document(this), new Ports(this, node)))];
        }

        internal DocumentRunner[] Runners { get; }

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

        private sealed class Document(World world) : IReplicaDocument
        {
            private byte[]? _content;
            private int _version;

            public Task<(byte[] Content, string Tag)?> LoadAsync(CancellationToken cancellation) =>
                Task.FromResult<(byte[], string)?>(_content is null ? null : (_content, $"{_version}"));

            public Task<bool> TrySaveAsync(byte[] content, string? tag, CancellationToken cancellation)
            {
                // Every fifth save loses against another worker that changed nothing.
                if (world._saves++ % 5 == 3)
                {
                    world.Conflicts++;
                    return Task.FromResult(false);
                }

                Assert.Equal(_content is null ? null : $"{_version}", tag);
                (_content, _version) = (content, _version + 1);
                return Task.FromResult(true);
            }
        }

        private sealed class Ports(World world, int node) : IDocumentRunnerPorts
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
