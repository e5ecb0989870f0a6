using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

public sealed class ReplicaTests
{
    private static byte[] Transaction(int number) => BitConverter.GetBytes(number + 1_000_000);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    public void A_submitted_transaction_is_committed_executed_and_finalized_on_all(int count)
    {
        var cluster = new TestCluster(count);
        cluster.Start();
        cluster.Submit(count - 1, Transaction(1));
        foreach (var replica in cluster.Replicas)
        {
            Assert.Equal(1UL, replica.Committed);
            Assert.Equal(1UL, replica.Finalized);
            Assert.Equal(0, replica.Pending);
        }
    }

    [Fact]
    public void An_idle_cluster_orders_nothing_and_sets_no_timer_again()
    {
        var cluster = new TestCluster(4);
        cluster.Start();
        cluster.Submit(0, Transaction(1));
        cluster.Advance(300_000);
        var before = cluster.Effects.Count;
        cluster.Advance(600_000);
        Assert.Equal(before, cluster.Effects.Count);
        Assert.All(cluster.Replicas, replica => Assert.Equal(1UL, replica.Committed));
    }

    [Fact]
    public void Certificates_and_attestations_of_every_batch_verify()
    {
        var cluster = new TestCluster(4);
        cluster.Start();
        for (var i = 0; i < 5; i++)
        {
            cluster.Submit(i % 4, Transaction(i));
        }

        var verifier = new Secp256k1Verifier();
        var committed = cluster.Effects.Select(one => one.Effect).OfType<BatchCommitted>().ToList();
        Assert.Equal(20, committed.Count);
        Assert.All(committed, e => Assert.True(
            e.Certificate.Verify(cluster.Parameters.ChainId, cluster.Contexts[0].Genesis, verifier)));
        Assert.All(cluster.Effects.Select(one => one.Effect).OfType<BlockFinalized>(), e => Assert.True(
            e.Certificate.Verify(cluster.Parameters.ChainId, cluster.Contexts[0].Genesis, verifier)));
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(7, 2)]
    public void With_f_leaders_down_the_next_views_go_on(int count, int faulty)
    {
        var cluster = new TestCluster(count);
        var leaders = Enumerable.Range(0, faulty)
            .Select(position => cluster.Contexts[0].Genesis.Leaders.At((uint)position)).Distinct().ToList();
        leaders.ForEach(leader => cluster.Down[leader] = true);
        cluster.Start();
        var entry = Enumerable.Range(0, count).First(node => !leaders.Contains(node));
        cluster.Submit(entry, Transaction(1));
        Assert.Equal(0UL, cluster.Replicas[entry].Committed);
        cluster.Advance(20_000);
        for (var node = 0; node < count; node++)
        {
            Assert.Equal(leaders.Contains(node) ? 0UL : 1UL, cluster.Replicas[node].Finalized);
        }
    }

    [Fact]
    public void A_batch_that_was_prepared_survives_the_view_change()
    {
        var cluster = new TestCluster(4);
        cluster.Delivers = (_, _, message) => message is not Vote { Phase: VotePhase.Commit };
        cluster.Start();
        cluster.Submit(1, Transaction(1));
        Assert.All(cluster.Replicas, replica => Assert.Equal(0UL, replica.Committed));
        var first = cluster.Replicas[0].Leader;
        cluster.Down[first] = true;
        cluster.Delivers = (_, _, _) => true;
        cluster.Advance(20_000);
        var proposals = cluster.Effects.Select(one => one.Effect).OfType<Broadcast>()
            .Select(e => e.Message).OfType<PrePrepare>().ToList();
        var committed = cluster.Effects.Select(one => one.Effect).OfType<BatchCommitted>().ToList();
        Assert.Equal(3, committed.Count);
        Assert.All(committed, e => Assert.Equal(proposals[0].Header.Digest, e.Batch.Digest));
    }

    [Fact]
    public void A_replica_that_was_away_fetches_what_it_missed()
    {
        var cluster = new TestCluster(4);
        cluster.Down[3] = true;
        cluster.Start();
        var entry = Enumerable.Range(0, 3).First();
        for (var i = 0; i < 3; i++)
        {
            cluster.Submit(entry, Transaction(i));
            cluster.Advance(3_000);
        }

        cluster.Down[3] = false;
        cluster.Step(3, new Started(cluster.Now));
        cluster.Advance(1_000);
        var served = cluster.Effects.Select(one => one.Effect).OfType<ServeBlocks>().ToList();
        Assert.Contains(served, e => e.From == 1 && e.To == TestCluster.Key(3).Address);
    }

    [Fact]
    public void Weighted_quorums_decide_by_power_and_not_by_heads()
    {
        var cluster = new TestCluster(4, powers: [10, 1, 1, 1]);
        cluster.Down[1] = cluster.Down[2] = cluster.Down[3] = true;
        cluster.Start();
        cluster.Submit(0, Transaction(1));
        Assert.Equal(1UL, cluster.Replicas[0].Committed);

        var other = new TestCluster(4, powers: [10, 1, 1, 1]);
        other.Down[0] = true;
        other.Start();
        other.Submit(1, Transaction(1));
        other.Advance(30_000);
        Assert.Equal(0UL, other.Replicas[1].Committed);
    }

    [Fact]
    public void A_replica_whose_block_differs_from_a_quorums_halts_and_keeps_the_proof()
    {
        var cluster = new TestCluster(4);
        var wrong = (cluster.Replicas[0].Leader + 1) % 4;
        cluster.Execute = (node, batch) => Keccak256.Hash([(byte)(node == wrong ? 1 : 0), .. batch.Digest.Bytes]);
        cluster.Start();
        cluster.Submit(0, Transaction(1));
        Assert.NotNull(cluster.Replicas[wrong].HaltReason);
        var evidence = cluster.Effects.Single(
            one => one.Effect is EvidenceFound { Evidence.Kind: EvidenceKind.DivergentBlock });
        Assert.Equal(wrong, evidence.Node);
        Assert.True(((EvidenceFound)evidence.Effect).Evidence.Verify(
            cluster.Parameters.ChainId, cluster.Contexts[0].Genesis, new Secp256k1Verifier()));
        Assert.Empty(cluster.Replicas[wrong].Step(new Started(cluster.Now)));
        var restored = Replica.Load(cluster.Contexts[wrong], cluster.Replicas[wrong].Save());
        Assert.Equal(cluster.Replicas[wrong].HaltReason, restored.HaltReason);
    }

    [Fact]
    public void A_leader_that_signs_two_batches_for_one_place_is_proven_guilty()
    {
        var cluster = new TestCluster(4);
        var leader = cluster.Replicas[0].Leader;
        var victim = (leader + 1) % 4;
        cluster.Delivers = (_, _, message) => message is PrePrepare or Request;
        cluster.Start();
        cluster.Submit(leader, Transaction(1));
        var first = (PrePrepare)cluster.Effects.Select(one => one.Effect).OfType<Broadcast>()
            .Single(e => e.Message is PrePrepare).Message;
        var header = first.Header with { Timestamp = first.Header.Timestamp + 1 };
        var second = first with
        {
            Header = header,
            Signature = TestCluster.Key(leader).Sign(Statements.Vote(
                cluster.Parameters.ChainId, VotePhase.Prepare, first.View, 1, header.Digest)),
        };
        cluster.Step(victim, new MessageArrived(cluster.Now, TestCluster.Key(leader).Address, second));
        var found = cluster.Effects.Select(one => one.Effect).OfType<EvidenceFound>().Single().Evidence;
        Assert.Equal(leader, found.Validator);
        Assert.True(found.IsSlashable);
        Assert.True(Evidence.Decode(found.Encode()).Verify(
            cluster.Parameters.ChainId, cluster.Contexts[0].Genesis, new Secp256k1Verifier()));
    }

    [Fact]
    public void A_replica_saved_and_loaded_around_every_step_behaves_the_same()
    {
        var plain = new TestCluster(4, new ConsensusParameters { EpochLength = 3, TurnLength = 2, BatchAgeMs = 5 });
        var reloaded = new TestCluster(4, plain.Parameters) { Reloads = true };
        foreach (var cluster in (TestCluster[])[plain, reloaded])
        {
            cluster.Down[1] = true;
            cluster.Start();
            for (var i = 0; i < 8; i++)
            {
                cluster.Submit(i % 3 == 1 ? 0 : i % 3, Transaction(i));
                cluster.Advance(i % 4 == 3 ? 4_000 : 20);
            }
        }

        Assert.Equal(plain.Effects.Count, reloaded.Effects.Count);
        Assert.True(plain.Replicas[0].Epoch.Number >= 1);
        for (var node = 0; node < 4; node++)
        {
            Assert.Equal(plain.Replicas[node].Save(), reloaded.Replicas[node].Save());
        }
    }

    [Theory]
    [InlineData(3, 1_000_000, 30_000_000, 3)]
    [InlineData(1000, 16, 30_000_000, 4)]
    [InlineData(1000, 1_000_000, 42_000, 2)]
    public void Batches_close_by_count_bytes_or_gas(int count, int bytes, int gas, int expected)
    {
        var cluster = new TestCluster(1, new ConsensusParameters
        {
            BatchTransactions = count, BatchBytes = bytes, GasLimit = (ulong)gas, BatchAgeMs = 50,
        });
        cluster.Start();
        cluster.Submit(0, [.. Enumerable.Range(0, 9).Select(Transaction)]);
        Assert.All(cluster.Blocks[0], batch => Assert.Equal(expected, batch.Header.TransactionCount));
        Assert.Equal(9 / expected, cluster.Blocks[0].Count);
        cluster.Advance(60);
        Assert.Equal(9, cluster.Blocks[0].Sum(batch => batch.Header.TransactionCount));
    }

    [Fact]
    public void A_batch_that_is_not_full_waits_for_its_age()
    {
        var cluster = new TestCluster(4, new ConsensusParameters { BatchAgeMs = 50 });
        cluster.Start();
        cluster.Submit(0, Transaction(1));
        cluster.Advance(49);
        Assert.Equal(0UL, cluster.Replicas[0].Committed);
        cluster.Advance(2);
        Assert.Equal(1UL, cluster.Replicas[0].Committed);
    }

    [Fact]
    public void The_window_bounds_how_far_ordering_runs_ahead_of_attestation()
    {
        var cluster = new TestCluster(4, new ConsensusParameters { BatchAgeMs = 0, Window = 3 });
        cluster.Delivers = (_, _, message) => message is not Checkpoint;
        cluster.Start();
        for (var i = 0; i < 9; i++)
        {
            cluster.Submit(0, Transaction(i));
        }

        Assert.All(cluster.Replicas, replica => Assert.Equal(3UL, replica.Committed));
        Assert.All(cluster.Replicas, replica => Assert.Equal(0UL, replica.Finalized));
    }

    [Fact]
    public void A_proposal_dated_before_its_parent_or_far_ahead_is_refused()
    {
        var cluster = new TestCluster(4);
        cluster.Start();
        var leader = cluster.Replicas[0].Leader;
        var victim = (leader + 1) % 4;
        foreach (var (timestamp, reason) in ((long, DropReason)[])
            [(TestCluster.StartMs / 1000 - 1, DropReason.InvalidHeader),
             (TestCluster.StartMs / 1000 + 3, DropReason.ClockAhead)])
        {
            var message = Proposal(cluster, leader, (ulong)timestamp);
            var dropped = cluster.Replicas[victim].Step(
                new MessageArrived(cluster.Now, TestCluster.Key(leader).Address, message));
            Assert.Equal(reason, dropped.OfType<MessageDropped>().Single().Reason);
        }

        var good = Proposal(cluster, leader, (ulong)(TestCluster.StartMs / 1000) + 2);
        Assert.Empty(cluster.Replicas[victim].Step(
            new MessageArrived(cluster.Now, TestCluster.Key(leader).Address, good)).OfType<MessageDropped>());
    }

    [Fact]
    public void Wrongly_signed_messages_are_dropped_scored_and_mute_their_sender()
    {
        var cluster = new TestCluster(4);
        cluster.Start();
        var from = TestCluster.Key(2).Address;
        var vote = new Vote(VotePhase.Prepare, 0, 1, Hash256.Zero, 2, new byte[65]);
        for (var i = 0; i < 20; i++)
        {
            cluster.Replicas[0].Step(new MessageArrived(cluster.Now, from, vote));
        }

        var last = cluster.Replicas[0].Step(new MessageArrived(cluster.Now, from, vote));
        Assert.Equal(DropReason.Muted, last.OfType<MessageDropped>().Single().Reason);
        Assert.True(cluster.Replicas[0].PeerScores[from].Score > 0);
        var later = cluster.Replicas[0].Step(new MessageArrived(cluster.Now + 60_000, from, vote));
        Assert.Equal(DropReason.WrongSignature, later.OfType<MessageDropped>().Single().Reason);
    }

    [Fact]
    public void A_pool_refuses_what_one_peer_sends_beyond_its_share()
    {
        var cluster = new TestCluster(4, new ConsensusParameters { PoolPerPeer = 4, BatchAgeMs = 1000 });
        cluster.Start();
        var replica = cluster.Replicas[(cluster.Replicas[0].Leader + 1) % 4];
        foreach (var peer in (int[])[2, 3])
        {
            var many = Enumerable.Range(0, 10).Select(i => Transaction((peer * 100) + i)).ToList();
            replica.Step(new MessageArrived(cluster.Now, TestCluster.Key(peer).Address, new Request(many)));
        }

        Assert.Equal(8, replica.Pending);
    }

    private static PrePrepare Proposal(TestCluster cluster, int leader, ulong timestamp)
    {
        var genesis = cluster.Contexts[0].GenesisHeader;
        Hash256[] hashes = [Keccak256.Hash(Transaction(1))];
        var header = new BatchHeader(
            1, 0, 0, genesis.Digest, TestCluster.Key(leader).Address, timestamp,
            BatchHeader.RandaoAfter(genesis.Digest, 1), cluster.Parameters.GasLimit, BatchHeader.HashOf(hashes), 1);
        return new PrePrepare(0, header, hashes, TestCluster.Key(leader).Sign(
            Statements.Vote(cluster.Parameters.ChainId, VotePhase.Prepare, 0, 1, header.Digest)));
    }

    [Fact]
    public void Of_a_snapshots_steps_only_those_that_were_checked_are_kept()
    {
        var cluster = new TestCluster(4, new ConsensusParameters
        {
            BatchAgeMs = 0, ProgressTimeoutMs = 500, EpochLength = 2,
        });
        cluster.Start();
        for (var i = 0; i < 7; i++)
        {
            cluster.Down[3] = i >= 3; // it knows the first border, and not the two after it
            cluster.Submit(0, Transaction(i));
            cluster.Advance(2_000);
        }

        Assert.Equal((3UL, 1UL), (cluster.Replicas[3].Committed, cluster.Replicas[3].Epoch.Number));
        var finalized = cluster.Effects.Where(one => one.Node == 0)
            .Select(one => one.Effect).OfType<BlockFinalized>().ToList();
        var steps = finalized.Select(one => one.Border).OfType<EpochProof>().ToList();
        Assert.Equal([2UL, 4UL, 6UL], steps.Select(step => step.Border.Statement.Sequence));
        var attestation = finalized.Single(one => one.Certificate.Statement.Sequence == 7).Certificate;
        var headers = cluster.Blocks[0].Select(batch => batch.Header).ToList();
        var offer = new Snapshot(
            attestation, headers, [Unsigned(steps[0], 2), steps[1], steps[2], Unsigned(steps[2], 8)]);

        cluster.Down[3] = false;
        cluster.Step(3, new MessageArrived(cluster.Now, TestCluster.Key(1).Address, offer));
        cluster.Step(3, new SnapshotInstalled(cluster.Now, 7, Success: true));
        var adopted = Assert.Single(cluster.Effects.Select(one => one.Effect).OfType<SnapshotAdopted>()).Snapshot;
        Assert.Equal([4UL, 6UL], adopted.Epochs.Select(step => step.Border.Statement.Sequence));
        Assert.Equal((7UL, 3UL), (cluster.Replicas[3].Committed, cluster.Replicas[3].Epoch.Number));

        // And it goes on with the others from there, in their epoch.
        cluster.Submit(0, Transaction(7));
        cluster.Advance(2_000);
        Assert.All(cluster.Replicas, replica => Assert.Equal(8UL, replica.Finalized));

        static EpochProof Unsigned(EpochProof step, ulong border) => step with
        {
            Border = step.Border with
            {
                Statement = step.Border.Statement with { Sequence = border }, Shares = [],
            },
        };
    }
}
