using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>
/// Watches what honest replicas do, with code of its own: agreement, validity, order without gaps, single execution,
/// sound certificates, bounded memory. Says the first violation.
/// </summary>
internal sealed class SimChecker(
    SimPlan plan, ISignatureVerifier verifier, IReadOnlyList<Address> addresses, Epoch genesis, SimRegistry founders)
{
    private readonly Dictionary<ulong, Hash256> _batches = [];
    private readonly Dictionary<ulong, BatchHeader> _headers = [];
    private readonly Dictionary<ulong, Hash256> _blocks = [];
    private readonly Dictionary<Hash256, ulong> _transactions = [];
    private readonly HashSet<Hash256> _submitted = [];
    private readonly SortedSet<int> _accused = [];
    private readonly ulong[] _finalized = new ulong[plan.Nodes];
    private readonly SimStakeChecker _stakes = new(plan, addresses, genesis, founders);

    /// <summary>The first violation, in words.</summary>
    internal string? Violation { get; private set; }

    internal int Batches => _batches.Count;

    internal int EvidenceSeen { get; private set; }

    internal int HaltsSeen { get; private set; }

    /// <summary>What became of the validator registry.</summary>
    internal SimStakes Stakes => _stakes.Counts;

    internal void Submitted(in Hash256 transaction) => _submitted.Add(transaction);

    internal void Fail(string violation) => Violation ??= violation;

    internal void Happened(int node, long now, Effect effect)
    {
        if (plan.Lies[node].Count > 0)
        {
            return;
        }

        switch (effect)
        {
            case BatchCommitted e:
                Committed(node, now, e);
                break;
            case BlockFinalized e:
                Finalized(node, e);
                break;
            case EvidenceFound e:
                CheckEvidence(node, e.Evidence);
                break;
            case ReplicaHalted e:
                HaltsSeen++;
                if (node != plan.Diverging)
                {
                    Fail($"replica {node} is honest and halted: {e.Reason}");
                }

                break;
            default:
                break;
        }
    }

    /// <summary>An honest replica executed a block; <paramref name="isNew"/> where it had not before.</summary>
    internal void Executed(int node, SimBlock block, bool isNew)
    {
        if (!plan.IsHonest(node) || !isNew)
        {
            return;
        }

        if (!_blocks.TryAdd(block.Number, block.Hash) && _blocks[block.Number] != block.Hash)
        {
            Fail($"agreement: replica {node} executed another block {block.Number}");
        }

        if (_stakes.Executed(block) is { } wrong)
        {
            Fail(wrong);
        }

        foreach (var transaction in block.Transactions)
        {
            if (!_submitted.Contains(transaction))
            {
                Fail($"validity: replica {node} executed a transaction that nobody submitted, in block {block.Number}");
            }

            if (!_transactions.TryAdd(transaction, block.Number) && _transactions[transaction] != block.Number)
            {
                Fail($"single execution: a transaction is in blocks {_transactions[transaction]} and {block.Number}");
            }
        }
    }

    internal void CheckFootprint(int node, ReplicaFootprint footprint)
    {
        var p = plan.Parameters;
        var members = plan.Nodes;
        Bound("slots", footprint.Slots, (2 * p.Window) + 1);
        Bound("checkpoints", footprint.Checkpoints, 2 * p.Window + 1);
        Bound("bodies", footprint.Bodies, 3 * ((2 * p.Window) + 1));
        Bound("deferred messages", footprint.Deferred, p.DeferredPerPeer * 2 * members);
        Bound("pending transactions", footprint.Pending, p.PoolTransactions);
        Bound("recent hashes", footprint.Recent, p.RecentTransactions);
        Bound("effects of a step", footprint.Effects, 4096);

        void Bound(string what, int count, int limit)
        {
            if (count > limit)
            {
                Fail($"bounded memory: replica {node} holds {count} {what}, more than {limit}");
            }
        }
    }

    private void Committed(int node, long now, BatchCommitted e)
    {
        var header = e.Batch.Header;
        var sequence = header.Sequence;
        if (!_batches.TryAdd(sequence, header.Digest) && _batches[sequence] != header.Digest)
        {
            Fail($"agreement: replica {node} committed another batch at {sequence}");
            return;
        }

        _headers[sequence] = header;
        if (e.Certificate.Phase != VotePhase.Commit || e.Certificate.Digest != header.Digest
            || e.Certificate.Sequence != sequence
            || !IsSound(sequence, e.Certificate.Shares, Statements.Vote(
                plan.Parameters.ChainId, VotePhase.Commit, e.Certificate.View, sequence, header.Digest)))
        {
            Fail($"certificates: replica {node} committed {sequence} on a certificate that does not hold");
        }

        if (_stakes.EpochOf(sequence) is { } epoch && (ViewLabel.EpochOf(header.View) != epoch.Number
            || epoch.Validators[epoch.Leaders.At(header.Position)].Address != header.Proposer))
        {
            Fail($"leaders: batch {sequence} is proposed by who does not lead there in epoch {epoch.Number}");
        }

        if (_headers.TryGetValue(sequence - 1, out var parent)
            && (header.Parent != parent.Digest || header.Timestamp < parent.Timestamp))
        {
            Fail($"validity: batch {sequence} does not follow its parent");
        }

        if (header.Timestamp * 1000 > (ulong)(SimGenesis.EpochMs + now + 2000 + 1000)
            || header.TransactionCount == 0 || header.GasLimit != plan.Parameters.GasLimit
            || BatchHeader.HashOf(e.Batch.Hashes) != header.TransactionsHash)
        {
            Fail($"validity: the header of batch {sequence} is wrong");
        }
    }

    private void Finalized(int node, BlockFinalized finalized)
    {
        var certificate = finalized.Certificate;
        var statement = certificate.Statement;
        if (_stakes.CheckBorder(finalized, verifier) is { } wrong)
        {
            Fail($"replica {node}: {wrong}");
        }

        if (statement.Sequence <= _finalized[node])
        {
            Fail($"finality: replica {node} went back to {statement.Sequence}");
        }

        _finalized[node] = statement.Sequence;
        if (!IsSound(
            statement.Sequence, certificate.Shares, Statements.Checkpoint(plan.Parameters.ChainId, statement)))
        {
            Fail($"certificates: replica {node} finalized {statement.Sequence} on an attestation that does not hold");
        }

        if (_blocks.TryGetValue(statement.Sequence, out var hash) && hash != statement.BlockHash)
        {
            Fail($"divergence: block {statement.Sequence} is attested with a hash that the honest do not have");
        }

        if (plan.Diverging == node && Divergent is { } chain && chain.At(statement.Sequence) is { } own
            && own.Hash != statement.BlockHash)
        {
            Fail($"divergence: replica {node} went on although its block {statement.Sequence} differs from a quorum's");
        }
    }

    /// <summary>The chain of the replica whose execution is broken.</summary>
    internal SimChain? Divergent { get; set; }

    private bool IsSound(ulong sequence, IReadOnlyList<SignatureShare> shares, Hash256 digest)
    {
        if (_stakes.EpochOf(sequence)?.Validators is not { } set)
        {
            return false;
        }

        var signers = new HashSet<int>();
        ulong power = 0;
        foreach (var (validator, signature) in shares)
        {
            if (validator >= set.Count || !signers.Add(validator)
                || !verifier.Verify(set[validator].Address, digest, signature))
            {
                return false;
            }

            power += set[validator].Power;
        }

        return power * 3 > set.TotalPower * 2;
    }

    /// <summary>A replica that the honest can prove to equivocate, and that still has its stake; or null.</summary>
    internal int? Unpunished(SimRegistry registry)
    {
        foreach (var accused in _accused)
        {
            if (registry.IsSlashable(accused))
            {
                return accused;
            }
        }

        return null;
    }

    private void CheckEvidence(int node, Evidence evidence)
    {
        EvidenceSeen++;
        var decoded = Evidence.Decode(evidence.Encode());
        if (_stakes.EpochNumber(evidence.Epoch) is not { } epoch
            || !decoded.Verify(plan.Parameters.ChainId, epoch, verifier))
        {
            Fail($"evidence: replica {node} keeps a proof that does not hold");
            return;
        }

        var accused = epoch.Validators[evidence.Validator].Address;
        for (var i = 0; i < plan.Nodes; i++)
        {
            if (addresses[i] == accused && plan.IsHonest(i))
            {
                Fail($"evidence: replica {node} accuses honest replica {i} ({evidence.Kind})");
            }

            if (addresses[i] == accused && evidence.IsSlashable && plan.Parameters.EpochLength != 0)
            {
                _accused.Add(i);
            }
        }
    }
}
