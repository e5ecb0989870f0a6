using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Tests.Consensus;

public sealed class EpochTests
{
    private const ulong ChainId = ChainSpec.DevelopmentChainId;
    private static readonly RegistryParameters Short = new() { EpochLength = 4, UnbondingSeconds = 0 };

    [Fact]
    public async Task Who_registers_votes_from_the_next_border_on_and_who_resigned_does_not()
    {
        await using var cluster = await ValidatorCluster.StartAsync(5, Short);
        var user = ValidatorCluster.User(1);

        // Who is in no set passes its clients' transactions on all the same.
        Assert.True(await cluster.IncludedAsync(cluster.Send(
            ValidatorCluster.User(2).PrivateKey.ToArray(), Address.FromNumber(0xC0FFEE), value: UInt256.One, node: 4)));
        var joining = new Secp256k1Signer(ValidatorCluster.KeyOf(4));
        var register = RegistryCalls.Register(ChainId, joining, user.Address, "http://validator4.invalid:1");
        Assert.True(await cluster.IncludedAsync(cluster.Send(
            user.PrivateKey.ToArray(), ValidatorRegistry.Address, register, ValidatorCluster.Ether * new UInt256(20))));
        Assert.True(await cluster.IncludedAsync(cluster.Send(
            ValidatorCluster.KeyOf(1), ValidatorRegistry.Address,
            RegistryCalls.Resign(ValidatorCluster.AddressOf(1)))));
        Assert.Equal(0UL, cluster.View(0).Epoch!.Number);

        await cluster.AdvanceToAsync(14);
        await cluster.UntilAsync(
            "all to reach epoch 3",
            () => cluster.Nodes.All(node => node.Node.Consensus!.Epoch!.Number >= 3));
        var set = cluster.View(0).Epoch!.Validators;
        Assert.Equal(20_000_000_000UL, set[set.IndexOf(joining.Address)].Power);
        Assert.Equal(-1, set.IndexOf(ValidatorCluster.AddressOf(1)));
        await cluster.UntilAsync(
            "the new validator's signature",
            () => Enumerable.Range(9, 6).Any(number => cluster.View(0).Archive.Attestation((ulong)number)?.Shares
                .Any(share => share.Validator == set.IndexOf(joining.Address)) == true));
        Assert.Contains(cluster.Log, line => line.StartsWith("[4]", StringComparison.Ordinal)
            && line.Contains("this one among them", StringComparison.Ordinal));
        Assert.Contains(cluster.Log, line => line.StartsWith("[1]", StringComparison.Ordinal)
            && line.Contains("this one not among them", StringComparison.Ordinal));

        // Whoever knows the genesis alone can follow the sets, and check certificates of every epoch.
        var epoch = cluster.View(0).Genesis;
        var verifier = new Secp256k1Verifier();
        foreach (var proof in cluster.View(0).Archive.Epochs())
        {
            for (var number = epoch.First; number <= epoch.Last; number++)
            {
                var batch = cluster.View(0).Archive.Batch(number)!;
                Assert.True(batch.Certificate.Verify(ChainId, epoch, verifier));
            }

            epoch = proof.Apply(epoch, ChainId, Short.EpochLength, verifier)!;
        }

        Assert.Equal(cluster.View(0).Epoch!.Seed, epoch.Seed);
        Assert.Equal(cluster.View(0).Epoch!.Number, epoch.Number);
        foreach (var node in cluster.Nodes)
        {
            await cluster.UntilAsync("all blocks", () => node.Node.Chain.FinalizedNumber >= 14);
            Assert.Equal(cluster.Chain.GetHeader(14)!.Hash, node.Node.Chain.GetHeader(14)!.Hash);
        }
    }

    [Fact]
    public async Task A_cluster_that_starts_again_goes_on_in_its_epoch()
    {
        ulong head;
        SuperVm.Core.Storage.IKeyValueStore[] stores;
        await using (var first = await ValidatorCluster.StartAsync(4, Short))
        {
            await first.AdvanceToAsync(6);
            (head, stores) = (first.Chain.Head.Number, first.Stores);
        }

        await using var second = await ValidatorCluster.StartAsync(
            4, Short, stores: stores);
        Assert.Equal(head, second.Chain.Head.Number);
        Assert.Equal(1UL, second.View(0).Epoch!.Number);
    }

    [Theory]
    [InlineData(ConsensusKind.ProofOfAuthority)]
    [InlineData(ConsensusKind.ProofOfStake)]
    [InlineData(ConsensusKind.DelegatedProofOfStake)]
    [InlineData(ConsensusKind.ProofOfWork)]
    public async Task Every_kind_of_consensus_makes_blocks_over_borders(ConsensusKind kind)
    {
        await using var cluster = await ValidatorCluster.StartAsync(4, Short with { Kind = kind, WorkBits = 4 });
        await cluster.AdvanceToAsync(6);
        var epoch = cluster.View(0).Epoch!;
        Assert.Equal((kind, 1UL), (epoch.Kind, epoch.Number));
        var header = cluster.View(0).Archive.Header(6)!;
        var claim = new ProposalClaim(6, header.Parent, header.Proposer, header.Nonce);
        Assert.True(ProofOfWorkRule.OfBits(kind == ConsensusKind.ProofOfWork ? 4 : 0).MayPropose(claim));
    }
}
