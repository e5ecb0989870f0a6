namespace SuperVm.Cluster.Tests;

/// <summary>
/// Processes under load that are killed, stopped and cut off. What every test ends with: one chain on all, every
/// acknowledged transaction in exactly one block, and no read of "finalized" that went back.
/// </summary>
public sealed class FaultTests
{
    [Fact]
    public async Task Four_validators_bear_one_that_is_killed_and_one_that_stands_still()
    {
        using var cluster = await ValidatorCluster.StartAsync(4);
        await cluster.AcknowledgeAsync(100);
        cluster.Validators[1].Kill();
        await cluster.FinalizeAsync(0, blocks: 20);
        Assert.Equal(2, await cluster.ReachedAsync(0));
        cluster.Validators[1].Start();
        await cluster.FinalizeAsync(1, blocks: 20);
        Assert.Equal(3, await cluster.ReachedAsync(1));

        cluster.Validators[2].Suspend();
        await cluster.FinalizeAsync(0, blocks: 20);
        cluster.Validators[2].Resume();
        await cluster.FinalizeAsync(2, blocks: 20);
        await cluster.ExpectOneHistoryAsync();
    }

    [Theory]
    [InlineData("gossip")]
    [InlineData("directed")]
    public async Task However_transactions_travel_none_is_lost_with_a_dead_leader(string gossip)
    {
        using var cluster = await ValidatorCluster.StartAsync(4, gossip: gossip);
        await cluster.AcknowledgeAsync(50);
        cluster.Validators[0].Kill();
        await cluster.FinalizeAsync(1, blocks: 10);
        cluster.Validators[0].Start();
        await cluster.FinalizeAsync(0, blocks: 10);
        await cluster.ExpectOneHistoryAsync();
    }

    [Fact]
    public async Task Four_validators_that_are_all_killed_at_once_go_on_where_they_were()
    {
        using var cluster = await ValidatorCluster.StartAsync(4);
        await cluster.AcknowledgeAsync(100);
        cluster.Validators.ForEach(validator => validator.Kill());
        cluster.Validators.ForEach(validator => validator.Start());
        await cluster.FinalizeAsync(3, blocks: 20);
        await cluster.ExpectOneHistoryAsync();
    }

    [Fact]
    public async Task Seven_validators_bear_two_at_a_time()
    {
        using var cluster = await ValidatorCluster.StartAsync(7);
        await cluster.AcknowledgeAsync(150);
        cluster.Validators[0].Kill();
        cluster.Validators[3].Suspend();
        await cluster.FinalizeAsync(1, blocks: 20);
        cluster.Validators[0].Start();
        await cluster.FinalizeAsync(0, blocks: 10);
        cluster.Validators[5].Kill();
        await cluster.FinalizeAsync(1, blocks: 20);
        cluster.Validators[3].Resume();
        cluster.Validators[5].Start();
        await cluster.FinalizeAsync(5, blocks: 10);
        await cluster.ExpectOneHistoryAsync();
    }

    [NetworkFact]
    public async Task Four_validators_bear_one_that_is_cut_off_and_wait_where_two_are()
    {
        using var cluster = await ValidatorCluster.StartAsync(4, hasNetwork: true);
        await cluster.AcknowledgeAsync(100);
        cluster.Network.Partition(0);
        await cluster.FinalizeAsync(1, blocks: 20);
        cluster.Network.Heal();
        await cluster.FinalizeAsync(0, blocks: 20);

        // No side of two is a quorum: nobody decides anything, and nothing contradicts when they meet again.
        cluster.Network.Partition(2, 3);
        var before = cluster.Acknowledged;
        await cluster.AcknowledgeAsync(100);
        await cluster.ExpectUndecidedAsync(before);
        cluster.Network.Heal();
        await cluster.FinalizeAsync(3, blocks: 20);
        await cluster.ExpectOneHistoryAsync();
    }

    [LongFact]
    public async Task Seven_validators_in_a_network_bear_a_long_row_of_faults()
    {
        using var cluster = await ValidatorCluster.StartAsync(7, hasNetwork: NetworkNamespaces.Reason is null);
        var lots = new Random(11);
        for (var round = 0; round < 12; round++)
        {
            var (first, second) = (lots.Next(7), lots.Next(6));
            second += second >= first ? 1 : 0;
            var spared = Enumerable.Range(0, 7).First(i => i != first && i != second);
            cluster.Validators[first].Kill();
            var isCut = NetworkNamespaces.Reason is null && lots.Next(2) == 0;
            if (isCut)
            {
                cluster.Network.Partition(second);
            }
            else
            {
                cluster.Validators[second].Suspend();
            }

            await cluster.FinalizeAsync(spared, blocks: 20);
            await ValidatorCluster.ForAsync(TimeSpan.FromSeconds(lots.Next(1, 5)));
            cluster.Validators[first].Start();
            if (isCut)
            {
                cluster.Network.Heal();
            }
            else
            {
                cluster.Validators[second].Resume();
            }

            await cluster.FinalizeAsync(first, blocks: 5);
            await cluster.FinalizeAsync(second, blocks: 5);
        }

        await cluster.ExpectOneHistoryAsync();
    }
}
