using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Tests.Consensus;

public sealed class MisbehaviourTests
{
    private static readonly RegistryParameters Short = new() { EpochLength = 8, UnbondingSeconds = 0 };

    [Fact]
    public async Task An_equivocator_loses_half_of_its_stake_and_is_out_at_the_next_border()
    {
        const int Liar = 3;
        await using var cluster = await ValidatorCluster.StartAsync(
            4, Short, (node, network) => node == Liar ? new Equivocator(network) : network);
        var accused = ValidatorCluster.AddressOf(Liar);
        await cluster.IncludedAsync(cluster.Send(
            ValidatorCluster.User(0).PrivateKey.ToArray(), Address.FromNumber(1), value: UInt256.One));
        await cluster.UntilAsync("the punishment", () => !ValidatorRegistry.IsSlashable(Latest(cluster), accused));
        var record = ValidatorRegistry.Find(Latest(cluster), accused)!;
        Assert.Equal(ValidatorCluster.Ether * new UInt256(5), record.Stake);
        Assert.Contains(cluster.View(0).Archive.Evidence(), proof => proof.Kind == EvidenceKind.ConflictingVotes);

        await cluster.AdvanceToAsync(10);
        await cluster.UntilAsync("the border", () => cluster.View(0).Epoch!.Number == 1);
        Assert.Equal(3, cluster.View(0).Epoch!.Validators.Count);
        Assert.Equal(-1, cluster.View(0).Epoch!.Validators.IndexOf(accused));
        await cluster.UntilAsync(
            "no proof to wait", () => cluster.Log.Any(line => line.Contains($"validator {accused} is punished")));
    }

    [Fact]
    public async Task A_validator_whose_block_differs_stops_says_so_and_keeps_the_proof()
    {
        const int Broken = 2;
        IKeyValueStore[] stores;
        await using (var cluster = await ValidatorCluster.StartAsync(
            4, Short, processor: node => node == Broken ? new BlockProcessor(new EvmEngine(), new Forgetful()) : null))
        {
            stores = cluster.Stores;
            await cluster.AdvanceToAsync(3);
            var failure = await Assert.ThrowsAsync<InvalidDataException>(() => cluster.Nodes[Broken].Completion);
            Assert.Contains("stopped for good", failure.Message);
            Assert.Contains("a quorum attests", failure.Message);
            Assert.Contains(cluster.Log, line => line.StartsWith($"[{Broken}] this validator stops:"));
            var proof = Assert.Single(cluster.View(Broken).Archive.Evidence());
            Assert.Equal(EvidenceKind.DivergentBlock, proof.Kind);
            Assert.True(proof.Verify(
                ChainSpec.DevelopmentChainId, cluster.View(Broken).Genesis, new Secp256k1Verifier()));

            // The others go on without it.
            await cluster.AdvanceToAsync(6);
            Assert.Equal(1UL, cluster.Nodes[Broken].Node.Chain.Head.Number);
        }

        var refusal = await Assert.ThrowsAsync<StoreException>(
            () => ValidatorCluster.StartAsync(4, Short, stores: stores));
        Assert.Contains("stopped for good", refusal.Message);
    }

    private static SuperVm.Core.State.IStateReader Latest(ValidatorCluster cluster) =>
        cluster.Chain.StateAt(cluster.Chain.Head.Number).State!;

    /// <summary>Says of every vote the contrary too, to everybody.</summary>
    private sealed class Equivocator(IPeerNetwork inner) : IPeerNetwork
    {
        private readonly Secp256k1Signer _signer = new(ValidatorCluster.KeyOf(3));

        public Task StartAsync(PeerMessageHandler receive, CancellationToken cancellation) =>
            inner.StartAsync(receive, cancellation);

        public void SetPeers(IReadOnlyList<ValidatorPeer> peers) => inner.SetPeers(peers);

        public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded)
        {
            inner.Send(to, message, encoded);
            if (message is not Vote vote)
            {
                return;
            }

            var other = Keccak256.Hash(vote.Digest.Bytes);
            var statement = Statements.Vote(
                ChainSpec.DevelopmentChainId, vote.Phase, vote.View, vote.Sequence, other);
            inner.Send(to, vote with { Digest = other, Signature = _signer.Sign(statement) }, null);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    /// <summary>Leaves all transactions of a block out.</summary>
    private sealed class Forgetful : ITransactionRunner
    {
        public void Run(BlockInput input, BlockOutcome outcome)
        {
        }
    }
}
