using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>The three phases: proposals are accepted in order, prepared, and committed in order.</summary>
public sealed partial class Replica
{
    private void OnPrePrepare(in Address from, PrePrepare m)
    {
        var sequence = m.Header.Sequence;
        if (m.View > _view || (m.View == _view && !_active) || sequence > High)
        {
            Defer(from, m, m.View, sequence);
            return;
        }

        if (m.View < _view || sequence <= _committed)
        {
            Drop(from, m.Kind, DropReason.Stale);
            return;
        }

        var proposer = _epoch.Validators.IndexOf(m.Header.Proposer);
        if (proposer < 0 || m.Header.View != m.View || m.Hashes.Length != m.Header.TransactionCount
            || m.Hashes.Length is 0 || m.Hashes.Length > _parameters.BatchTransactions)
        {
            Drop(from, m.Kind, DropReason.InvalidHeader);
            return;
        }

        var slot = GetSlot(sequence);
        if (slot.Proposal is not null && slot.Proposal.Digest == m.Header.Digest)
        {
            Drop(from, m.Kind, DropReason.Repeated);
            return;
        }

        var vote = new Vote(VotePhase.Prepare, m.View, sequence, m.Header.Digest, proposer, m.Signature);
        if (!VerifyShare(proposer, vote.Statement(_parameters.ChainId), m.Signature))
        {
            Drop(from, m.Kind, DropReason.WrongSignature);
            return;
        }

        if (slot.Proposal is not null && !_rules.AcceptSecondProposal)
        {
            NoteConflict(slot, vote);
            Drop(from, m.Kind, DropReason.Conflicting);
            return;
        }

        var parent = HeaderAt(sequence - 1);
        if (parent is null)
        {
            Defer(from, m, m.View, sequence);
            return;
        }

        if (CheckHeader(m, proposer, parent) is { } reason)
        {
            Drop(from, m.Kind, reason);
            return;
        }

        Propose(slot, m.Header, m.Hashes, m.Signature);
        AddVote(slot, vote);
        TryAccept(sequence);
    }

    /// <summary>What is wrong with a new proposal on top of its parent, or null.</summary>
    private DropReason? CheckHeader(PrePrepare m, int proposer, BatchHeader parent)
    {
        var header = m.Header;
        var position = _skips.Position(_epoch, parent, _view, header.Sequence);
        if (header.Position != position || _epoch.Leaders.At(position) != proposer)
        {
            return DropReason.WrongLeader;
        }

        if (header.Parent != parent.Digest)
        {
            return DropReason.Conflicting;
        }

        if (_work is null ? header.Nonce != 0 : !_work.MayPropose(ClaimOf(header)))
        {
            return DropReason.WrongLeader;
        }

        if (header.PrevRandao != BatchHeader.RandaoAfter(header.Parent, header.Sequence)
            || header.GasLimit != _parameters.GasLimit || header.TransactionsHash != BatchHeader.HashOf(m.Hashes)
            || (header.Timestamp < parent.Timestamp && !_rules.NoTimestampCheck))
        {
            return DropReason.InvalidHeader;
        }

        var limit = (ulong)Math.Max(0, _now + _parameters.TimestampAheadMs);
        return header.Timestamp > limit / 1000 ? DropReason.ClockAhead : null;
    }

    private static ProposalClaim ClaimOf(BatchHeader header) =>
        new(header.Sequence, header.Parent, header.Proposer, header.Nonce);

    /// <summary>The accepted or decided header at a place, or null.</summary>
    private BatchHeader? HeaderAt(ulong sequence)
    {
        if (sequence == _committed)
        {
            return _committedHeader;
        }

        if (sequence == _stable)
        {
            return _stableHeader;
        }

        if (!_slots.TryGetValue(sequence, out var slot))
        {
            return null;
        }

        return slot.Decided?.Header ?? (slot.View == _view && slot.Accepted ? slot.Proposal : null);
    }

    private void Propose(Slot slot, BatchHeader header, Hash256[]? hashes, byte[]? signature)
    {
        (slot.Proposal, slot.ProposalSignature, slot.Hashes) = (header, signature, hashes);
        (slot.Accepted, slot.Missing, slot.Fetched) = (false, null, null);
        Touch(slot);
        if (_bodies.TryGetValue(header.Digest, out var known))
        {
            slot.Hashes = [.. known.Hashes];
        }
        else if (hashes is not null)
        {
            Assemble(slot);
        }

        foreach (var hash in slot.Hashes ?? [])
        {
            _pool.MarkProposed(hash);
        }
    }

    /// <summary>
    /// Puts a proposal's bodies together from the pool and from what was fetched, and notes what is missing.
    /// </summary>
    private void Assemble(Slot slot)
    {
        var hashes = slot.Hashes!;
        var bodies = new byte[hashes.Length][];
        HashSet<Hash256>? missing = null;
        long bytes = 0;
        for (var i = 0; i < hashes.Length; i++)
        {
            var body = _pool.Find(hashes[i])?.Transaction ?? slot.Fetched?.GetValueOrDefault(hashes[i]);
            if (body is null)
            {
                (missing ??= []).Add(hashes[i]);
                continue;
            }

            bodies[i] = body;
            bytes += body.Length;
        }

        slot.Missing = missing;
        if (missing is null && bytes <= _parameters.BatchBytes)
        {
            KeepBody(new Batch(slot.Proposal!, hashes, bodies));
        }
    }

    /// <summary>Accepts the proposal at a place and those above it, as far as parents and bodies are there.</summary>
    private void TryAccept(ulong sequence)
    {
        while (_active && _slots.TryGetValue(sequence, out var slot) && slot.View == _view && slot.Proposal is not null)
        {
            if (!slot.Accepted)
            {
                var parent = HeaderAt(sequence - 1);
                if (parent is null || parent.Digest != slot.Proposal.Parent
                    || !_bodies.ContainsKey(slot.Proposal.Digest))
                {
                    return;
                }

                Accept(slot);
            }

            sequence++;
        }
    }

    private void Accept(Slot slot)
    {
        slot.Accepted = true;
        _replay |= _deferred.Count > 0;
        Touch(slot);
        if (IsValidator && (!slot.Prepares.Has(_self) || _rules.AcceptSecondProposal))
        {
            CastVote(slot, VotePhase.Prepare);
        }

        if (_rules.CommitBeforePrepared && IsValidator && !slot.CommitSent)
        {
            slot.CommitSent = true;
            CastVote(slot, VotePhase.Commit);
        }

        CheckPrepared(slot);
        CheckDecided(slot);
    }

    private void CastVote(Slot slot, VotePhase phase)
    {
        var digest = slot.Proposal!.Digest;
        var statement = Statements.Vote(_parameters.ChainId, phase, _view, slot.Sequence, digest);
        var vote = new Vote(phase, _view, slot.Sequence, digest, _self, _context.Signer.Sign(statement));
        (phase == VotePhase.Prepare ? slot.Prepares : slot.Commits).Put(_self, digest, vote.Signature);
        Touch(slot);
        Emit(new Broadcast(vote));
    }

    private void OnVote(in Address from, Vote m)
    {
        if (m.Sequence <= _stable || m.View < (_active ? _view : 0))
        {
            Drop(from, m.Kind, DropReason.Stale);
            return;
        }

        var waits = m.View > _view || (m.View == _view && !_active && m.Phase == VotePhase.Prepare);
        if (waits || (m.Sequence > High && !_rules.NoWindow))
        {
            Defer(from, m, m.View, m.Sequence);
            return;
        }

        if (m.Validator >= _epoch.Validators.Count)
        {
            Drop(from, m.Kind, DropReason.UnknownSender);
            return;
        }

        var slot = GetSlot(m.Sequence);
        if (slot.View != m.View || (m.Phase == VotePhase.Prepare && !_active))
        {
            Drop(from, m.Kind, DropReason.Stale);
            return;
        }

        var box = m.Phase == VotePhase.Prepare ? slot.Prepares : slot.Commits;
        if (box.Has(m.Validator) && box[m.Validator].Digest == m.Digest)
        {
            Drop(from, m.Kind, DropReason.Repeated);
            return;
        }

        if (!VerifyShare(m.Validator, m.Statement(_parameters.ChainId), m.Signature))
        {
            Drop(from, m.Kind, DropReason.WrongSignature);
            return;
        }

        if (box.Has(m.Validator))
        {
            NoteConflict(slot, m);
            Drop(from, m.Kind, DropReason.Conflicting);
            return;
        }

        AddVote(slot, m);
        if (m.Phase == VotePhase.Prepare)
        {
            CheckPrepared(slot);
        }
        else
        {
            CheckDecided(slot);
        }
    }

    private static void AddVote(Slot slot, Vote vote)
    {
        var box = vote.Phase == VotePhase.Prepare ? slot.Prepares : slot.Commits;
        if (!box.Has(vote.Validator))
        {
            box.Put(vote.Validator, vote.Digest, vote.Signature);
        }
    }

    /// <summary>Two votes of one validator that contradict each other: a proof that is kept.</summary>
    private void NoteConflict(Slot slot, Vote vote)
    {
        var (digest, signature) = (vote.Phase == VotePhase.Prepare ? slot.Prepares : slot.Commits)[vote.Validator];
        if (signature is null || digest == vote.Digest || !_accused.Add((_epoch.Number, vote.Validator)))
        {
            return;
        }

        var first = vote with { Digest = digest, Signature = signature };
        Emit(new EvidenceFound(new Evidence(EvidenceKind.ConflictingVotes, _epoch.Number, first, vote, null)));
    }

    private void CheckPrepared(Slot slot)
    {
        if (!_active || !slot.Accepted || slot.IsPreparedIn(_view))
        {
            return;
        }

        var digest = slot.Proposal!.Digest;
        if (IsQuorum(slot.Prepares.Power(_epoch.Validators, digest, _rules.NoDigestCheck)))
        {
            var shares = slot.Prepares.Shares(digest, _rules.NoDigestCheck);
            slot.Prepared = new PreparedProof(
                slot.Proposal, new QuorumCertificate(VotePhase.Prepare, _view, slot.Sequence, digest, shares));
            Touch(slot);
            SendCommits();
        }
    }

    /// <summary>
    /// Votes to commit in order: a batch only after every one below it is prepared in this view or committed.
    /// </summary>
    private void SendCommits()
    {
        for (var sequence = _stable + 1; _slots.TryGetValue(sequence, out var slot); sequence++)
        {
            if (!slot.IsPreparedIn(_view))
            {
                if (sequence > _committed)
                {
                    return;
                }

                continue;
            }

            if (IsValidator && !slot.CommitSent)
            {
                slot.CommitSent = true;
                CastVote(slot, VotePhase.Commit);
            }

            if (_rules.ExecutePrepared && slot.Decided is null)
            {
                Decide(slot, slot.Proposal!, slot.Prepared!.Certificate);
            }

            CheckDecided(slot);
        }
    }

    private void CheckDecided(Slot slot)
    {
        if (slot.Decided is not null || slot.Proposal is null)
        {
            return;
        }

        var digest = slot.Proposal.Digest;
        if (IsQuorum(slot.Commits.Power(_epoch.Validators, digest, _rules.NoDigestCheck)))
        {
            var shares = slot.Commits.Shares(digest, _rules.NoDigestCheck);
            Decide(slot, slot.Proposal, new QuorumCertificate(
                VotePhase.Commit, slot.View, slot.Sequence, digest, shares));
        }
    }

    private void Decide(Slot slot, BatchHeader header, QuorumCertificate certificate)
    {
        if (slot.Decided is { } decided && decided.Header.Digest != header.Digest)
        {
            Halt($"Two batches are certified at {slot.Sequence}: more than a third of the power lies.", null);
            return;
        }

        slot.Decided = new PreparedProof(header, certificate);
        Touch(slot);
        AdvanceCommitted();
    }

    /// <summary>Hands decided batches to execution, in order and as soon as their bodies are there.</summary>
    private void AdvanceCommitted()
    {
        while (!_halted && _slots.TryGetValue(_committed + 1, out var slot) && slot.Decided is { } decided
            && _bodies.TryGetValue(decided.Header.Digest, out var batch))
        {
            if (decided.Header.Parent != _committedHeader.Digest)
            {
                Halt(
                    $"Batch {slot.Sequence} is certified on another parent: more than a third of the power lies.",
                    null);
                return;
            }

            _skips.Observe(_epoch, _committedHeader, decided.Header);
            (_committed, _committedHeader, _dirtyCore) = (slot.Sequence, decided.Header, true);
            foreach (var hash in batch.Hashes)
            {
                _pool.Ordered(hash);
            }

            (_attempts, _owedStatuses) = (0, LastStatuses);
            if (_suspects.Count > 0 && decided.Header.View == _view)
            {
                _suspects.Remove(_epoch.Validators.IndexOf(decided.Header.Proposer));
            }

            RestartProgress();
            _replay |= _deferred.Count > 0;
            Emit(new BatchCommitted(batch, decided.Certificate));
            Emit(new ExecuteBatch(batch));
            SuspectCensor(batch);
        }
    }
}
