using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Consensus;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

public sealed class CertificateTests
{
    private const ulong Chain = 5;
    private static readonly Hash256 Digest = Keccak256.Hash("batch"u8);
    private static readonly Secp256k1Verifier Verifier = new();
    private static readonly Epoch Genesis = Epoch.Genesis(TestCluster.SetOf(4), Hash256.Zero, 10);

    [Fact]
    public void A_quorum_of_signatures_verifies_and_one_less_does_not()
    {
        Assert.True(Certificate(0, 1, 3).Verify(Chain, Genesis, Verifier));
        Assert.False(Certificate(0, 3).Verify(Chain, Genesis, Verifier));
    }

    [Fact]
    public void A_validator_counts_once_and_in_order()
    {
        var good = Certificate(0, 1, 3).Shares;
        Assert.False(With([good[0], good[0], good[1]]).Verify(Chain, Genesis, Verifier));
        Assert.False(With([good[2], good[1], good[0]]).Verify(Chain, Genesis, Verifier));
    }

    [Fact]
    public void A_certificate_holds_for_its_chain_phase_view_place_and_batch_only()
    {
        var good = Certificate(0, 1, 3);
        Assert.False(good.Verify(Chain + 1, Genesis, Verifier));
        Assert.False((good with { Phase = VotePhase.Prepare }).Verify(Chain, Genesis, Verifier));
        Assert.False((good with { View = good.View + 1 }).Verify(Chain, Genesis, Verifier));
        Assert.False((good with { Sequence = 4 }).Verify(Chain, Genesis, Verifier));
        Assert.False((good with { Digest = Hash256.Zero }).Verify(Chain, Genesis, Verifier));
        var next = Genesis.Next(TestCluster.SetOf(4), Digest, 10);
        Assert.False(good.Verify(Chain, next, Verifier));
    }

    [Fact]
    public void An_epoch_proof_leads_to_the_next_set_and_old_certificates_stay_verifiable()
    {
        var set = TestCluster.SetOf(3);
        var border = Attestation(new CheckpointStatement(10, Digest, Digest, set.Hash), 0, 1, 2);
        var next = new EpochProof(border, set).Apply(Genesis, Chain, 10, Verifier);
        Assert.NotNull(next);
        Assert.Equal((1UL, 11UL, 20UL), (next.Number, next.First, next.Last));
        Assert.Null(new EpochProof(border, TestCluster.SetOf(2)).Apply(Genesis, Chain, 10, Verifier));
        Assert.Null(new EpochProof(border, set).Apply(next, Chain, 10, Verifier));
        Assert.True(border.Verify(Chain, Genesis, Verifier));
        Assert.False(border.Verify(Chain, next, Verifier));
    }

    [Fact]
    public void Evidence_needs_two_different_statements_of_one_validator()
    {
        var a = Vote(1, Digest);
        var b = Vote(1, Hash256.Zero);
        Evidence Of(Core.Consensus.Messages.Vote x, Core.Consensus.Messages.Vote y) =>
            new(EvidenceKind.ConflictingVotes, 0, x, y, null);
        Assert.True(Of(a, b).Verify(Chain, Genesis, Verifier));
        Assert.False(Of(a, a).Verify(Chain, Genesis, Verifier));
        Assert.False(Of(a, Vote(2, Hash256.Zero)).Verify(Chain, Genesis, Verifier));
        Assert.False(Of(a, b with { Signature = a.Signature }).Verify(Chain, Genesis, Verifier));
        Assert.False(Of(a, b with { View = 9 }).Verify(Chain, Genesis, Verifier));
    }

    [Fact]
    public void A_high_s_or_another_length_is_no_signature()
    {
        var digest = Statements.Vote(Chain, VotePhase.Commit, 0, 3, Digest);
        var signature = TestCluster.Key(0).Sign(digest);
        var address = TestCluster.Key(0).Address;
        Assert.True(Verifier.Verify(address, digest, signature));
        Assert.False(Verifier.Verify(address, digest, signature.AsSpan(0, 64)));
        var high = signature.ToArray();
        (Secp256k1.Order - UInt256.FromBigEndian(signature.AsSpan(32, 32))).WriteBigEndian(high.AsSpan(32));
        high[64] ^= 1;
        Assert.False(new Secp256k1Verifier().Verify(address, digest, high));
    }

    [Fact]
    public void Two_quorums_share_more_than_a_third_of_the_power() =>
        Prop.ForAll<ulong[]>(AssertQuorumsMeet).QuickCheckThrowOnFailure();

    /// <summary>Every pair of quorums that up to seven validators can form; all of them together are one.</summary>
    private static void AssertQuorumsMeet(ulong[] weights)
    {
        var powers = weights.Take(7).Select(weight => (weight % 1000) + 1).DefaultIfEmpty(1UL).ToArray();
        var set = TestCluster.SetOf(powers.Length, powers);
        ulong PowerOf(int mask) => powers.Where((_, i) => ((mask >> i) & 1) == 1).Aggregate(0UL, (sum, p) => sum + p);
        var quorums = Enumerable.Range(0, 1 << powers.Length).Where(mask => set.IsQuorum(PowerOf(mask))).ToList();
        Assert.Contains((1 << powers.Length) - 1, quorums);
        foreach (var first in quorums)
        {
            Assert.All(quorums, second => Assert.True(set.IsWeakQuorum(PowerOf(first & second))));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 3)]
    [InlineData(5, 4)]
    [InlineData(7, 5)]
    [InlineData(10, 7)]
    public void A_quorum_of_equals_is_more_than_two_thirds(int count, int quorum)
    {
        var set = TestCluster.SetOf(count);
        Assert.True(set.IsQuorum((ulong)quorum));
        Assert.False(set.IsQuorum((ulong)quorum - 1));
    }

    private static QuorumCertificate Certificate(params int[] signers) => With([.. signers.Select(signer =>
        new SignatureShare(signer, TestCluster.Key(signer).Sign(
            Statements.Vote(Chain, VotePhase.Commit, 0, 3, Digest))))]);

    private static QuorumCertificate With(SignatureShare[] shares) => new(VotePhase.Commit, 0, 3, Digest, shares);

    private static CheckpointCertificate Attestation(CheckpointStatement statement, params int[] signers) =>
        new(statement, [.. signers.Select(signer => new SignatureShare(
            signer, TestCluster.Key(signer).Sign(Statements.Checkpoint(Chain, statement))))]);

    private static Core.Consensus.Messages.Vote Vote(int validator, Hash256 digest) =>
        new(VotePhase.Commit, 0, 3, digest, validator, TestCluster.Key(validator).Sign(
            Statements.Vote(Chain, VotePhase.Commit, 0, 3, digest)));
}
