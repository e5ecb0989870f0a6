using System.Collections.Concurrent;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Tests.Consensus;

public sealed class SnapshotTests
{
    private const int Late = 4;
    private static readonly RegistryParameters Parameters = new() { EpochLength = 70, UnbondingSeconds = 0 };

    [Fact]
    public async Task Who_starts_far_behind_peers_that_pruned_takes_a_state_that_is_checked_and_goes_on_from_it()
    {
        IKeyValueStore[] stores;
        Hash256 gapped;
        var gate = new Gate();
        await using (var cluster = await ValidatorCluster.StartAsync(
            5, Parameters, (node, network) => node == Late ? gate.Around(network) : network, adjust: Pruning))
        {
            stores = cluster.Stores;
            var user = ValidatorCluster.User(2).PrivateKey.ToArray();
            for (var i = 0; i < 180; i++)
            {
                cluster.Send(user, Address.FromNumber(0xC0FFEE), value: UInt256.One);
            }

            await cluster.AdvanceToAsync(180);
            Assert.Null(cluster.View(0).Archive.Batch(5));

            // Lies first: what is tampered with is refused, and asked for again.
            gate.IsOpen = true;
            await Assert.ThrowsAsync<RestartNeededException>(() => cluster.Nodes[Late].Completion);
            Assert.Contains(cluster.Log, line => line.Contains("state ends: Nodes of", StringComparison.Ordinal));
            Assert.True(gate.Parts.ContainsKey(StatePart.Nodes) && gate.Parts.ContainsKey(StatePart.Batches));
            gapped = cluster.Send(user, Address.FromNumber(7), value: UInt256.One);
            Assert.True(await cluster.IncludedAsync(gapped));
        }

        await using var again = await ValidatorCluster.StartAsync(5, Parameters, stores: stores, adjust: Pruning);
        var late = again.Nodes[Late].Node.Chain;
        await again.UntilAsync("the last blocks", () => late.FinalizedNumber >= again.Chain.Head.Number);
        Assert.Equal(again.Chain.Head.Hash, late.Head.Hash);
        Assert.NotNull(late.FindTransaction(gapped));
        // It executed nothing from the beginning: the states of the first blocks never were there.
        Assert.True(late.OldestStateNumber >= 180, $"oldest state {late.OldestStateNumber}");
        Assert.Equal(again.View(0).Epoch!.Number, again.View(Late).Epoch!.Number);
    }

    private static LocalValidatorsOptions Pruning(LocalValidatorsOptions options) =>
        options with
        {
            KeepBatches = 1, Parameters = options.Parameters with { Window = 8, BatchTransactions = 1 },
        };

    /// <summary>
    /// Lets nothing through at first; then everything, but for the first parts of the state: those it bends.
    /// </summary>
    private sealed class Gate
    {
        private int _bent;

        internal volatile bool IsOpen;

        internal ConcurrentDictionary<StatePart, int> Parts { get; } = [];

        internal IPeerNetwork Around(IPeerNetwork inner) => new Network(this, inner);

        private ConsensusMessage Pass(ConsensusMessage message)
        {
            if (message is not StateChunk chunk)
            {
                return message;
            }

            Parts.AddOrUpdate(chunk.Part, 1, (_, count) => count + 1);
            if (chunk.Part != StatePart.Nodes || Interlocked.Increment(ref _bent) > 1)
            {
                return message;
            }

            var bent = chunk.Content.ToArray();
            bent[bent.Length / 2] ^= 1;
            return chunk with { Content = bent };
        }

        private sealed class Network(Gate gate, IPeerNetwork inner) : IPeerNetwork
        {
            public Task StartAsync(PeerMessageHandler receive, CancellationToken cancellation) => inner.StartAsync(
                (from, message, bytes) => gate.IsOpen && receive(from, gate.Pass(message), bytes), cancellation);

            public void SetPeers(IReadOnlyList<ValidatorPeer> peers) => inner.SetPeers(peers);

            public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded)
            {
                if (gate.IsOpen)
                {
                    inner.Send(to, message, encoded);
                }
            }

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
