using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>
/// A lying replica: the production code runs inside, and what it says is changed, held back or added to on the way out.
/// It has its own key only: whatever it claims of others is forged.
/// </summary>
internal sealed class SimLiar(SimCluster cluster, SimNode node)
{
    /// <summary>Messages remembered for replays.</summary>
    private const int Remembered = 64;

    private readonly HashSet<FaultKind> _lies = cluster.Plan.Lies[node.Index];
    private readonly SimRandom _random = new(cluster.Plan.Input.Seed + ((ulong)node.Index << 40), "liar");
    private readonly List<ConsensusMessage> _heard = [];

    private Replica? Replica => node.Runner?.Replica;

    private ulong ChainId => cluster.Plan.Parameters.ChainId;

    private int Self => Replica?.Epoch.Validators.IndexOf(cluster.Addresses[node.Index]) ?? -1;

    internal void Begin() => cluster.After(1000 + _random.Below(200_000), node.Index, 0, Tick);

    /// <summary>Whether the liar behaves as if it never got the message.</summary>
    internal bool Ignores(ConsensusMessage message)
    {
        if (message is Request { Transactions: [var first, ..] } && _lies.Contains(FaultKind.Censor)
            && first.Length > 0 && first[0] % 2 == 0)
        {
            cluster.Occurred(FaultKind.Censor);
            return true;
        }

        return false;
    }

    internal void Hear(MessageArrived arrived)
    {
        if (_lies.Contains(FaultKind.Replay))
        {
            if (_heard.Count < Remembered)
            {
                _heard.Add(arrived.Message);
            }
            else
            {
                _heard[_random.Below(Remembered)] = arrived.Message;
            }
        }

        if (!Lies(FaultKind.DoubleVote, 0.4))
        {
            return;
        }

        switch (arrived.Message)
        {
            case PrePrepare m:
                VoteFor(m.View, m.Header.Sequence, m.Header.Digest, All());
                break;
            case Vote m:
                VoteFor(m.View, m.Sequence, m.Digest, [arrived.From]);
                break;
            default:
                break;
        }
    }

    internal void Send(IReadOnlyList<Address> to, ConsensusMessage message)
    {
        var late = Lies(FaultKind.Late, 0.4) ? 50_000L + _random.Below(1_500_000) : 0;
        switch (message)
        {
            case PrePrepare m when m.Header.Proposer == node.Context.Signer.Address:
                SendProposal(to, m, late);
                break;
            case NewView when Lies(FaultKind.SilentLeader, 0.7):
                break;
            case Vote m when Lies(FaultKind.WrongDigest, 0.3):
                node.SendAll(to, Signed(m with { Digest = AnyHash() }), late);
                break;
            case Checkpoint m when Lies(FaultKind.WrongDigest, 0.3):
                var wrong = m with { Statement = m.Statement with { BlockHash = AnyHash() } };
                node.SendAll(to, wrong with { Signature = Sign(wrong.Digest(ChainId)) }, late);
                break;
            case ViewChange m when Lies(FaultKind.HiddenProofs, 0.7):
                node.SendAll(to, Signed(m with { Prepared = [] }), late);
                break;
            default:
                node.SendAll(to, message, late);
                break;
        }
    }

    private void SendProposal(IReadOnlyList<Address> to, PrePrepare m, long late)
    {
        if (Lies(FaultKind.SilentLeader, 0.6))
        {
            return;
        }

        if (Lies(FaultKind.BadHeader, 0.3))
        {
            var bad = _random.Below(4) switch
            {
                0 => m.Header with { Timestamp = m.Header.Timestamp - 30 },
                1 => m.Header with { Timestamp = m.Header.Timestamp + 30 },
                2 => m.Header with { PrevRandao = AnyHash() },
                _ => m.Header with { GasLimit = m.Header.GasLimit * 2 },
            };
            node.SendAll(to, Proposal(m, bad), late);
            VoteFor(m.View, bad.Sequence, bad.Digest, to);
            return;
        }

        if (Lies(FaultKind.EquivocatingLeader, 0.6))
        {
            Equivocate(to, m, late);
            return;
        }

        node.SendAll(to, m, late);
    }

    /// <summary>
    /// Two batches for one place: each to a part of the others (or the second to all a little later).
    /// </summary>
    private void Equivocate(IReadOnlyList<Address> to, PrePrepare m, long late)
    {
        var other = m.Header with { Timestamp = m.Header.Timestamp + 1 };
        var shuffled = to.ToList();
        _random.Shuffle(shuffled);
        var split = _random.Below(3) == 0 ? shuffled.Count : _random.Between(1, shuffled.Count);
        node.SendAll([.. shuffled.Take(split)], m, late);
        List<Address> rest = split == shuffled.Count ? shuffled : [.. shuffled.Skip(split)];
        node.SendAll(rest, Proposal(m, other), late + (split == shuffled.Count ? 1000 + _random.Below(20_000) : 0));
        VoteFor(m.View, other.Sequence, other.Digest, rest);
        VoteFor(m.View, m.Header.Sequence, m.Header.Digest, [.. shuffled.Take(split)]);
    }

    private void Tick()
    {
        cluster.After(60_000 + _random.Below(240_000), node.Index, 0, Tick);
        if (Replica is null || Self < 0)
        {
            return;
        }

        if (Lies(FaultKind.ForgedCertificate, 0.5))
        {
            Forge();
        }

        if (Lies(FaultKind.ViewChangeSpam, 0.5))
        {
            var view = Replica.View + 1 + (ulong)_random.Below(3);
            Everyone(Signed(new ViewChange(view, Replica.Epoch.First - 1, null, [], Self, [])));
        }

        if (_heard.Count > 0 && Lies(FaultKind.Replay, 0.7))
        {
            for (var i = 0; i < 4; i++)
            {
                node.SendAll([Anyone()], _heard[_random.Below(_heard.Count)], _random.Below(100_000));
            }
        }

        if (Lies(FaultKind.Flood, 0.5))
        {
            Flood();
        }
    }

    /// <summary>Batches, prepared batches and attestations with the signatures of others made up.</summary>
    private void Forge()
    {
        var victim = cluster.Nodes[_random.Below(cluster.Plan.Nodes)];
        if (victim.Runner is not { } runner || runner.Replica.Epoch.Number != Replica!.Epoch.Number)
        {
            return;
        }

        var sequence = runner.Replica.Committed + 1;
        var parent = runner.Archive.Header(sequence - 1) ?? node.Context.GenesisHeader;
        var body = SimTransactions.Create(_random);
        var hash = SimTransactions.HashOf(body);
        var header = parent with
        {
            Sequence = sequence,
            Parent = parent.Digest,
            View = Replica.View,
            PrevRandao = BatchHeader.RandaoAfter(parent.Digest, sequence),
            Proposer = node.Context.Signer.Address,
            TransactionsHash = BatchHeader.HashOf([hash]),
            TransactionCount = 1,
        };
        var to = cluster.Addresses[victim.Index];
        var certificate = new QuorumCertificate(
            VotePhase.Commit, Replica.View, sequence, header.Digest, ForgedShares());
        node.SendAll([to], new Blocks([new CertifiedBatch(new Batch(header, [hash], [body]), certificate, null)]), 0);
        var view = runner.Replica.View + 1;
        var prepared = certificate with { Phase = VotePhase.Prepare, View = runner.Replica.View };
        Everyone(Signed(new ViewChange(
            view, Replica.Epoch.First - 1, null, [new PreparedProof(header, prepared)], Self, [])));
        var statement = new CheckpointStatement(sequence, AnyHash(), header.Digest, Hash256.Zero);
        node.SendAll([to], new Status(
            view, true, sequence, sequence, new CheckpointCertificate(statement, ForgedShares()), true), 0);
    }

    private SignatureShare[] ForgedShares() => [.. Enumerable.Range(0, Replica!.Epoch.Validators.Count).Select(i =>
        new SignatureShare(i, AnyHash().ToArray()[..16]))];

    /// <summary>Votes for places far away and transactions without end, all at one victim.</summary>
    private void Flood()
    {
        Address[] victim = [Anyone()];
        for (var i = 0; i < 24; i++)
        {
            var sequence = Replica!.Committed + 1 + (ulong)_random.Below(200);
            node.SendAll(victim, Signed(
                new Vote(VotePhase.Commit, Replica.View, sequence, AnyHash(), Self, [])), _random.Below(3000));
        }

        if (!cluster.IsCalm)
        {
            var junk = SimTransactions.Create(_random);
            cluster.Checker.Submitted(SimTransactions.HashOf(junk));
            node.SendAll(victim, new Request([junk]), 0);
        }
    }

    private void VoteFor(ulong view, ulong sequence, in Hash256 digest, IReadOnlyList<Address> to)
    {
        if (Self < 0 || Replica is null || ViewLabel.EpochOf(view) != Replica.Epoch.Number)
        {
            return;
        }

        node.SendAll(to, Signed(new Vote(VotePhase.Prepare, view, sequence, digest, Self, [])), 0);
        node.SendAll(to, Signed(new Vote(VotePhase.Commit, view, sequence, digest, Self, [])), 0);
    }

    private PrePrepare Proposal(PrePrepare m, BatchHeader header) => m with
    {
        Header = header,
        Signature = Sign(Statements.Vote(ChainId, VotePhase.Prepare, m.View, header.Sequence, header.Digest)),
    };

    private bool Lies(FaultKind kind, double probability)
    {
        if (!_lies.Contains(kind) || !_random.Chance(probability))
        {
            return false;
        }

        cluster.Occurred(kind);
        return true;
    }

    private Vote Signed(Vote vote) => vote with { Signature = Sign(vote.Statement(ChainId)) };

    private ViewChange Signed(ViewChange change) => change with { Signature = Sign(change.Digest(ChainId)) };

    private byte[] Sign(in Hash256 digest) => node.Context.Signer.Sign(digest);

    private void Everyone(ConsensusMessage message) => node.SendAll(All(), message, 0);

    private List<Address> All() => [.. cluster.Addresses.Take(cluster.Plan.Nodes)
        .Where((_, index) => index != node.Index)];

    private Address Anyone() =>
        cluster.Addresses[(node.Index + 1 + _random.Below(cluster.Plan.Nodes - 1)) % cluster.Plan.Nodes];

    private Hash256 AnyHash()
    {
        Span<ulong> words = [_random.Next(), _random.Next(), _random.Next(), _random.Next()];
        return new Hash256(System.Runtime.InteropServices.MemoryMarshal.AsBytes(words));
    }
}
