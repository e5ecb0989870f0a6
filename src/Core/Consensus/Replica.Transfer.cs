using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>State transfer: missing bodies, missing batches, snapshots.</summary>
public sealed partial class Replica
{
    private readonly Dictionary<Address, long> _helpedMs = [];
    private readonly SortedDictionary<ulong, Checkpoint> _own = [];
    private ulong[] _reported;
    // Places whose bodies were asked for, and when. Not saved: who starts again asks again.
    private readonly Dictionary<ulong, (Hash256 Digest, long AtMs)> _asked = [];
    private Address? _fetchFrom;
    private long _fetchSentMs = long.MinValue / 2;
    private Snapshot? _snapshot;
    private Epoch? _snapshotEpoch;

    /// <summary>Headers that a snapshot must bring so that the skipped leaders are known: at most.</summary>
    private ulong HistoryLength => _parameters.SkipSpan + (2 * (ulong)_parameters.Window) + 4;

    private void OnStatus(in Address from, Status m)
    {
        NoteReported(from, m.Committed);
        if (m.Attestation is { } attestation)
        {
            OnAttestation(attestation);
        }

        if (_halted)
        {
            return;
        }

        if (m.Committed > _committed || (m.Stable > _stable && _executed == _epoch.Last))
        {
            Fetch(from);
        }

        var isBehind = m.Committed < _committed || m.Stable < _stable || m.View < _view
            || (m.View == _view && _active && !m.Active);
        if (!isBehind || m.IsAnswer || !MayHelp(from))
        {
            return;
        }

        var certificate = m.Stable < _stable ? _stableCertificate : null;
        Emit(new Send(from, new Status(_view, _active, _committed, _stable, certificate, true)));
        if (ViewLabel.EpochOf(m.View) == _epoch.Number)
        {
            if (_active && _newView is not null && (m.View < _view || !m.Active))
            {
                Emit(new Send(from, _newView));
            }
            else if (!_active && m.View < _view && IsValidator && _changes[_self] is { } change)
            {
                Emit(new Send(from, change));
            }
        }
    }

    /// <summary>At most one helping answer to a peer in half a status period.</summary>
    private bool MayHelp(in Address peer)
    {
        if (_helpedMs.TryGetValue(peer, out var last) && _now - last < _parameters.StatusPeriodMs / 2)
        {
            return false;
        }

        if (_helpedMs.Count >= PeerBook.MaximumPeers)
        {
            _helpedMs.Clear();
        }

        _helpedMs[peer] = _now;
        return true;
    }

    private void NoteReported(in Address from, ulong committed)
    {
        var index = _epoch.Validators.IndexOf(from);
        if (index >= 0)
        {
            _reported[index] = Math.Max(_reported[index], committed);
        }
    }

    /// <summary>The highest place that more than a third of the power says it reached.</summary>
    private ulong ReportedQuorum()
    {
        var highest = 0UL;
        foreach (var candidate in _reported)
        {
            if (candidate <= highest || candidate <= _committed)
            {
                continue;
            }

            ulong power = 0;
            for (var i = 0; i < _reported.Length; i++)
            {
                power += _reported[i] >= candidate ? _epoch.Validators[i].Power : 0;
            }

            highest = _epoch.Validators.IsWeakQuorum(power) ? candidate : highest;
        }

        return highest;
    }

    private void Fetch(in Address from)
    {
        if (_now - _fetchSentMs < _parameters.StatusPeriodMs / 2)
        {
            return;
        }

        (_fetchFrom, _fetchSentMs) = (from, _now);
        SendFetch(from);
    }

    private void SendFetch(in Address to)
    {
        // At the border the next batches are of no use before the border's attestation.
        var next = _committed == _epoch.Last ? _committed : _committed + 1;
        Emit(new Send(to, new FetchBlocks(next, _parameters.FetchCount)));
    }

    /// <summary>The window moved: goes on with a transfer under way.</summary>
    private void FetchOn()
    {
        if (_fetchFrom is { } peer && (ReportedQuorum() > _committed || CatchUpTarget is not null)
            && _now - _fetchSentMs >= _parameters.StatusPeriodMs / 2)
        {
            Fetch(peer);
        }
    }

    /// <summary>
    /// When bodies are to be asked for: of a new place soon, of one that was asked for once the answer is overdue; the
    /// farthest time where none is needed.
    /// </summary>
    private long BodiesDueMs()
    {
        var due = long.MaxValue;
        foreach (var slot in _slots.Values)
        {
            if (NeedsBody(slot))
            {
                due = Math.Min(due, _asked.TryGetValue(slot.Sequence, out var asked) && asked.Digest == WantedBody(slot)
                    ? asked.AtMs + RepeatFetchMs
                    : _now + _parameters.FetchDelayMs);
            }
        }

        return due;
    }

    /// <summary>How long an answer may take: what is under way is not asked for twice.</summary>
    private long RepeatFetchMs => Math.Min(
        Math.Max(_parameters.FetchDelayMs, _parameters.StatusPeriodMs / 4) << Math.Min(_fetchTries, 2),
        Math.Max(_parameters.FetchDelayMs, _parameters.StatusPeriodMs));

    private static Hash256 WantedBody(Slot slot) => slot.Decided?.Header.Digest ?? slot.Proposal!.Digest;

    private bool NeedsBody(Slot slot) =>
        (slot.Proposal is { } proposal && _active && slot.View == _view && !_bodies.ContainsKey(proposal.Digest))
        || (slot.Decided is { } decided && !_bodies.ContainsKey(decided.Header.Digest));

    /// <summary>Asks for what is due: the batch's proposer first, then one validator after another.</summary>
    private void FetchBodies()
    {
        var (peers, repeats, repeatMs) = (_epoch.Validators.Count, false, RepeatFetchMs);
        foreach (var slot in _slots.Values)
        {
            if (!NeedsBody(slot))
            {
                continue;
            }

            var digest = WantedBody(slot);
            var isRepeated = _asked.TryGetValue(slot.Sequence, out var asked) && asked.Digest == digest;
            if (isRepeated && _now - asked.AtMs < repeatMs)
            {
                continue;
            }

            repeats |= isRepeated;
            _asked[slot.Sequence] = (digest, _now);
            var proposer = _epoch.Validators.IndexOf((slot.Decided?.Header ?? slot.Proposal!).Proposer);
            var turn = Math.Max(isRepeated ? (proposer + 1 + _resendTurn++) % peers : proposer, 0);
            turn = turn == _self ? (turn + 1) % peers : turn;
            if (turn != _self)
            {
                Emit(new Send(_epoch.Validators[turn].Address, QuestionOf(slot)));
            }
        }

        _fetchTries += repeats ? 1 : 0;
    }

    private static ConsensusMessage QuestionOf(Slot slot) =>
        slot.Missing is { } missing && slot.Hashes is { } hashes && slot.Decided is null
            ? new FetchTransactions(slot.Proposal!.Digest, [.. hashes.Where(missing.Contains)])
            : new FetchBatch(slot.Sequence, WantedBody(slot));

    private void OnFetchTransactions(in Address from, FetchTransactions m)
    {
        if (m.Hashes.Length > _parameters.BatchTransactions)
        {
            Drop(from, m.Kind, DropReason.Oversized);
            return;
        }

        Dictionary<Hash256, byte[]>? batch = null;
        if (_bodies.TryGetValue(m.Digest, out var known))
        {
            batch = [];
            for (var i = 0; i < known.Hashes.Count; i++)
            {
                batch[known.Hashes[i]] = known.Transactions[i];
            }
        }

        var found = new List<byte[]>();
        foreach (var hash in m.Hashes)
        {
            if ((batch?.GetValueOrDefault(hash) ?? _pool.Find(hash)?.Transaction) is { } body)
            {
                found.Add(body);
            }
        }

        if (found.Count > 0)
        {
            Emit(new Send(from, new Transactions(found)));
        }
    }

    private void OnTransactions(in Address from, Transactions m)
    {
        if (m.Bodies.Count > _parameters.BatchTransactions)
        {
            Drop(from, m.Kind, DropReason.Oversized);
            return;
        }

        foreach (var body in m.Bodies)
        {
            if (_context.Inspector.TryInspect(body, out var hash, out _))
            {
                FillMissing(hash, body);
            }
        }
    }

    private void OnFetchBatch(in Address from, FetchBatch m)
    {
        if (_bodies.TryGetValue(m.Digest, out var batch))
        {
            Emit(new Send(from, new BatchBody(batch)));
        }
        else if (m.Sequence <= _committed)
        {
            Emit(new ServeBlocks(from, m.Sequence, 1));
        }
    }

    private void OnBatchBody(in Address from, BatchBody m)
    {
        var isWanted = _slots.TryGetValue(m.Batch.Sequence, out var slot) && NeedsBody(slot)
            && (slot.Proposal?.Digest == m.Batch.Digest || slot.Decided?.Header.Digest == m.Batch.Digest);
        if (!isWanted || !m.Batch.IsComplete(_context.Inspector))
        {
            Drop(from, m.Kind, isWanted ? DropReason.InvalidProof : DropReason.Unsolicited);
            return;
        }

        KeepBody(m.Batch);
        if (slot!.Proposal?.Digest == m.Batch.Digest)
        {
            (slot.Hashes, slot.Missing, slot.Fetched) = ([.. m.Batch.Hashes], null, null);
            foreach (var hash in m.Batch.Hashes)
            {
                _pool.MarkProposed(hash);
            }
        }

        TryAccept(slot.Sequence);
        AdvanceCommitted();
    }

    private void OnBlocks(in Address from, Blocks m)
    {
        var before = _committed;
        foreach (var (batch, certificate, attestation) in m.Batches)
        {
            if (_halted)
            {
                return;
            }

            var next = _committed + 1;
            if (batch.Sequence == next && next <= TransferHigh && _epoch.Contains(next))
            {
                if (certificate.Phase != VotePhase.Commit || certificate.Sequence != next
                    || certificate.Digest != batch.Digest || !Verify(certificate)
                    || !batch.IsComplete(_context.Inspector))
                {
                    Drop(from, m.Kind, DropReason.InvalidProof);
                    return;
                }

                KeepBody(batch);
                Decide(GetSlot(next), batch.Header, certificate);
            }

            if (attestation is not null && !_halted)
            {
                OnAttestation(attestation);
            }
        }

        if (_committed > before && !_halted && m.Batches.Count >= _parameters.FetchCount)
        {
            _fetchSentMs = _now;
            SendFetch(from);
        }
    }

    /// <summary>The peer no longer has the batches: takes the state of an attested block instead.</summary>
    private void OnSnapshot(in Address from, Snapshot m)
    {
        var target = m.Attestation.Statement.Sequence;
        if (_snapshot is not null || target <= _committed || m.Headers.Count == 0)
        {
            Drop(from, m.Kind, DropReason.Unsolicited);
            return;
        }

        var epoch = _epoch;
        var steps = new List<EpochProof>();
        foreach (var proof in m.Epochs)
        {
            // Not looked at, and so not kept: steps that are done here, and steps beyond the snapshot, which a server
            // far ahead may know.
            if (proof.Border.Statement.Sequence < epoch.Last || proof.Border.Statement.Sequence >= target)
            {
                continue;
            }

            if (proof.Apply(epoch, _parameters.ChainId, _parameters.EpochLength, _context.Verifier) is not { } next)
            {
                Drop(from, m.Kind, DropReason.InvalidProof);
                return;
            }

            steps.Add(proof);
            epoch = next;
        }

        var needed = Math.Min(HistoryLength, target - epoch.First + 1);
        if (target == epoch.Last || (ulong)m.Headers.Count < needed || !IsChain(m)
            || !m.Attestation.Verify(_parameters.ChainId, epoch, _context.Verifier))
        {
            Drop(from, m.Kind, DropReason.InvalidProof);
            return;
        }

        (_snapshot, _snapshotEpoch) = (m with { Epochs = steps }, epoch);
        Emit(new InstallSnapshot(target, m.Attestation.Statement.BlockHash, from, _snapshot));
    }

    private static bool IsChain(Snapshot m)
    {
        for (var i = 1; i < m.Headers.Count; i++)
        {
            if (m.Headers[i].Parent != m.Headers[i - 1].Digest
                || m.Headers[i].Sequence != m.Headers[i - 1].Sequence + 1)
            {
                return false;
            }
        }

        return m.Headers[^1].Digest == m.Attestation.Statement.BatchDigest
            && m.Headers[^1].Sequence == m.Attestation.Statement.Sequence;
    }

    private void OnSnapshotInstalled(ulong sequence, bool success)
    {
        if (_snapshot is not { } snapshot || snapshot.Attestation.Statement.Sequence != sequence)
        {
            return;
        }

        var epoch = _snapshotEpoch!;
        (_snapshot, _snapshotEpoch) = (null, null);
        if (!success || sequence <= _committed)
        {
            return;
        }

        var statement = snapshot.Attestation.Statement;
        _stableHeader = _committedHeader = snapshot.Headers[^1];
        if (epoch.Number != _epoch.Number)
        {
            EnterEpoch(epoch);
            _epochBase = snapshot.Epochs[^1].Border.Statement.BatchDigest;
        }

        ClearBelow(sequence);
        _skips.Clear();
        for (var i = 1; i < snapshot.Headers.Count; i++)
        {
            _skips.Observe(_epoch, snapshot.Headers[i - 1], snapshot.Headers[i]);
        }

        (_committed, _executed, _stable, _stableCertificate) = (sequence, sequence, sequence, snapshot.Attestation);
        (_dirtyCore, _replay) = (true, true);
        _beyond = _beyond?.Statement.Sequence <= sequence ? null : _beyond;
        RestartProgress();
        Emit(new SnapshotAdopted(snapshot));
        Emit(new BlockFinalized(snapshot.Attestation, null));
        AdvanceCommitted();
    }

    private void ClearBelow(ulong sequence)
    {
        foreach (var below in _slots.Keys.Where(key => key <= sequence).ToList())
        {
            ForgetBodiesOf(_slots[below]);
            _slots.Remove(below);
            _asked.Remove(below);
            _dirtySlots.Remove(below);
            _removedSlots.Add(below);
        }

        foreach (var below in _checkpoints.Keys.Where(key => key <= sequence).ToList())
        {
            _checkpoints.Remove(below);
        }

        foreach (var below in _attested.Keys.Where(key => key <= sequence).ToList())
        {
            _attested.Remove(below);
        }

        _own.Clear();
    }
}
