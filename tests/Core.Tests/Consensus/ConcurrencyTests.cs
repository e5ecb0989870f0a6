using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

/// <summary>Messages and signature checks that several threads use at once: receiving ones and the replica's.</summary>
public sealed class ConcurrencyTests
{
    private const ulong ChainId = 7;
    private const int Threads = 4;

    [Fact]
    public void Copies_of_a_message_and_their_digests_hold_on_all_threads()
    {
        // A copy (with) shares its original's memory of digests; both are asked for theirs on every thread, in short
        // runs, so that one thread reads what another is putting in place.
        var vote = new Vote(VotePhase.Commit, 1, 2, Hash256.Zero, 0, []);
        Vote[] votes = [vote, vote with { Sequence = 10 }];
        var checkpoint = new Checkpoint(new CheckpointStatement(1, default, default, default), 0, []);
        Checkpoint[] checkpoints =
            [checkpoint, checkpoint with { Statement = new CheckpointStatement(10, default, default, default) }];
        var expectedVotes = votes.Select(one => Statements.Vote(
            ChainId, one.Phase, one.View, one.Sequence, one.Digest)).ToArray();
        var expectedCheckpoints = checkpoints.Select(one => Statements.Checkpoint(ChainId, one.Statement)).ToArray();
        OnThreads(thread =>
        {
            for (var i = 0; i < 50_000; i++)
            {
                var at = ((i >> 3) + thread) % 2;
                Assert.True(expectedVotes[at] == votes[at].Statement(ChainId));
                Assert.True(expectedCheckpoints[at] == checkpoints[at].Digest(ChainId));
            }
        });
    }

    [Fact]
    public void A_header_has_one_digest_on_all_threads()
    {
        var genesis = BatchHeader.Genesis(Hash256.Zero, 5, 30_000_000);
        for (var round = 0; round < 100; round++)
        {
            var header = genesis with { Sequence = (ulong)round };
            var digests = new Hash256[Threads];
            OnThreads(thread => digests[thread] = header.Digest);
            Assert.All(digests, digest => Assert.Equal((header with { }).Digest, digest));
        }
    }

    [Fact]
    public void Signatures_checked_while_they_are_received_are_judged_as_the_replica_judges_them()
    {
        // Receiving threads check ahead, with memory too small for all; the replica's thread asks at the same time.
        var verifier = new Secp256k1Verifier(remembered: 16);
        var signers = Enumerable.Range(1, 4).Select(TestCluster.KeyOf).ToArray();
        var votes = new List<(Vote Vote, Address From, bool Holds)>();
        for (var i = 0; i < 96; i++)
        {
            var signer = signers[i % signers.Length];
            var vote = new Vote(VotePhase.Prepare, 0, (ulong)(i / 4) + 1, Hash256.Zero, i % signers.Length, []);
            var signature = signer.Sign(vote.Statement(ChainId));
            votes.Add((vote with { Signature = signature }, signer.Address, true));
            // The same statement again, once with another's signature and once with a bit that is not its own.
            votes.Add((vote with { Signature = signers[(i + 1) % 4].Sign(vote.Statement(ChainId)) },
                signer.Address, false));
            byte[] broken = [.. signature];
            broken[i % 64] ^= 1;
            votes.Add((vote with { Signature = broken }, signer.Address, false));
        }

        OnThreads(thread =>
        {
            for (var i = 0; i < votes.Count; i++)
            {
                var (vote, from, holds) = votes[(i + (thread * 7)) % votes.Count];
                if (thread != 0)
                {
                    verifier.Prepare(from, vote, ChainId);
                }

                Assert.Equal(holds, verifier.Verify(from, vote.Statement(ChainId), vote.Signature));
            }
        });
    }

    /// <summary>Runs the work on threads of its own, which begin together; their first failure is the test's.</summary>
    private static void OnThreads(Action<int> work)
    {
        using var start = new Barrier(Threads);
        var failures = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        var threads = Enumerable.Range(0, Threads).Select(index => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                work(index);
            }
            catch (Exception failure)
            {
                failures.Enqueue(failure);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(failures);
    }
}
