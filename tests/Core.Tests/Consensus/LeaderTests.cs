using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

public sealed class LeaderTests
{
    private static readonly Hash256 Seed = Keccak256.Hash("seed"u8);

    [Fact]
    public void Leaders_stand_in_the_table_in_proportion_to_power()
    {
        var table = new LeaderTable(TestCluster.SetOf(4, [40, 20, 10, 10]), Seed);
        Assert.Equal(8, table.Period);
        var counts = Enumerable.Range(0, 8).GroupBy(i => table.At((uint)i)).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal([4, 2, 1, 1], Enumerable.Range(0, 4).Select(i => counts[i]));
    }

    [Fact]
    public void Equal_powers_lead_once_a_round_in_an_order_of_the_seed()
    {
        var set = TestCluster.SetOf(10);
        var orders = Enumerable.Range(0, 8).Select(i =>
        {
            var table = new LeaderTable(set, Keccak256.Hash([(byte)i]));
            var order = Enumerable.Range(0, 10).Select(at => table.At((uint)at)).ToArray();
            Assert.Equal(10, order.Distinct().Count());
            return string.Join(',', order);
        }).ToList();
        Assert.True(orders.Distinct().Count() > 4);
    }

    [Fact]
    public void Very_different_powers_still_give_everyone_a_turn()
    {
        var table = new LeaderTable(TestCluster.SetOf(3, [1_000_000_007, 3, 999_999_937]), Seed);
        Assert.Contains(1, Enumerable.Range(0, table.Period).Select(at => table.At((uint)at)));
        Assert.True(table.Period <= 3 * LeaderTable.MaximumWeight);
    }

    [Fact]
    public void A_leader_that_certified_history_blames_is_skipped_for_a_while_and_then_tried_again()
    {
        var parameters = new ConsensusParameters { Window = 4, TurnLength = 2, SkipSpan = 20 };
        var epoch = Epoch.Genesis(TestCluster.SetOf(4), Seed, 0);
        var skips = new LeaderSkips(parameters);
        var failed = epoch.Leaders.At(0);
        var parent = Header(1, view: 0, position: 0);
        skips.Observe(epoch, parent, Header(2, view: 1, position: 1));
        Assert.False(skips.SkippedAt(epoch, 6)[failed]);
        Assert.True(skips.SkippedAt(epoch, 7)[failed]);
        Assert.True(skips.SkippedAt(epoch, 26)[failed]);
        Assert.False(skips.SkippedAt(epoch, 27)[failed]);
        Assert.Equal(5U, skips.NextLive(epoch, 3, 10));
    }

    [Fact]
    public void No_more_than_a_third_of_the_power_is_skipped()
    {
        var parameters = new ConsensusParameters { Window = 1, SkipSpan = 100 };
        var epoch = Epoch.Genesis(TestCluster.SetOf(4), Seed, 0);
        var skips = new LeaderSkips(parameters);
        for (ulong sequence = 2; sequence < 8; sequence++)
        {
            var parent = Header(sequence - 1, sequence - 2, (uint)sequence - 2);
            skips.Observe(epoch, parent, Header(sequence, sequence, (uint)sequence));
        }

        Assert.Equal(1, skips.SkippedAt(epoch, 20).Count(skipped => skipped));
    }

    [Fact]
    public void Proof_of_authority_takes_turns_and_one_operator_takes_all()
    {
        Address[] authorities = [Address.FromNumber(1), Address.FromNumber(2), Address.FromNumber(3)];
        var rule = new ProofOfAuthorityRule(authorities);
        for (ulong height = 0; height < 9; height++)
        {
            Assert.Equal(
                authorities[height % 3],
                authorities.Single(one => rule.MayPropose(new ProposalClaim(height, Seed, one, 0))));
        }

        var single = new SingleOperatorRule(authorities[1]);
        Assert.True(single.MayPropose(new ProposalClaim(5, Seed, authorities[1], 0)));
        Assert.False(single.MayPropose(new ProposalClaim(5, Seed, authorities[0], 0)));
        Assert.Throws<ArgumentException>(() => new ProofOfAuthorityRule([]));
    }

    [Fact]
    public void Proof_of_work_needs_a_small_hash_and_its_target_follows_the_time()
    {
        var rule = new ProofOfWorkRule(UInt256.MaxValue / new UInt256(256));
        var claim = new ProposalClaim(7, Seed, Address.FromNumber(4), 0);
        while (!rule.MayPropose(claim))
        {
            claim = claim with { Nonce = claim.Nonce + 1 };
        }

        Assert.True(ProofOfWorkRule.Work(claim) <= rule.Target);
        Assert.InRange(claim.Nonce, 1UL, 20_000UL);
        Assert.True(rule.Adjusted(50, 100).Target < rule.Target);
        Assert.True(rule.Adjusted(200, 100).Target > rule.Target);
        Assert.Equal(rule.Adjusted(400, 100).Target, rule.Adjusted(4_000_000, 100).Target);
        Assert.Equal(UInt256.MaxValue, new ProofOfWorkRule(UInt256.MaxValue).Adjusted(400, 100).Target);
    }

    [Fact]
    public void Proof_of_stake_wins_in_proportion_to_stake()
    {
        var set = TestCluster.SetOf(3, [70, 20, 10]);
        var rule = new ProofOfStakeRule(set);
        var wins = new int[3];
        for (ulong height = 0; height < 10_000; height++)
        {
            var winner = rule.Winner(height, Seed);
            wins[winner]++;
            Assert.True(rule.MayPropose(new ProposalClaim(height, Seed, set[winner].Address, 0)));
        }

        Assert.InRange(wins[0], 6_700, 7_300);
        Assert.InRange(wins[1], 1_800, 2_200);
        Assert.InRange(wins[2], 850, 1_150);
    }

    [Fact]
    public void Delegates_with_most_votes_take_the_seats()
    {
        Candidate[] candidates =
        [
            new(Address.FromNumber(1), 5), new(Address.FromNumber(2), 50), new(Address.FromNumber(3), 7),
            new(Address.FromNumber(4), 7),
        ];
        var rule = new DelegatedProofOfStakeRule(candidates, 3, Seed);
        Assert.Equal(
            [Address.FromNumber(2), Address.FromNumber(3), Address.FromNumber(4)], rule.Seats.Order());
        var proposers = Enumerable.Range(0, 3).Select(height => candidates.Single(
            one => rule.MayPropose(new ProposalClaim((ulong)height, Seed, one.Address, 0))).Address);
        Assert.Equal(3, proposers.Distinct().Count());
    }

    [Theory]
    [InlineData(ConsensusKind.Pbft, 3, 62UL)]
    [InlineData(ConsensusKind.SingleOperator, 1, 1UL)]
    [InlineData(ConsensusKind.ProofOfAuthority, 3, 3UL)]
    [InlineData(ConsensusKind.DelegatedProofOfStake, 3, 3UL)]
    public void A_kind_of_consensus_selects_its_validators(ConsensusKind kind, int count, ulong power)
    {
        Candidate[] candidates =
        [
            new(Address.FromNumber(9), 5), new(Address.FromNumber(2), 50), new(Address.FromNumber(3), 7),
            new(Address.FromNumber(4), 1),
        ];
        var set = ValidatorSelection.Select(kind, candidates, 2, 3);
        Assert.Equal((count, power), (set.Count, set.TotalPower));
    }

    private static BatchHeader Header(ulong sequence, ulong view, uint position) =>
        new(sequence, view, position, Hash256.Zero, Address.FromNumber(99), 0, Hash256.Zero, 0, Hash256.Zero, 1);
}
