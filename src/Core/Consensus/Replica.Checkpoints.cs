using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>Executed blocks: attestations, finality, divergence, and the border to the next epoch.</summary>
public sealed partial class Replica
{
    // Attestations by sequence number and validator; and quorums for blocks that are not executed here yet.
    private readonly SortedDictionary<ulong, Checkpoint?[]> _checkpoints = [];
    private readonly SortedDictionary<ulong, CheckpointCertificate> _attested = [];
    private readonly HashSet<(ulong Epoch, int Validator)> _accused = [];
    private Hash256 _epochBase;
    private CheckpointCertificate? _beyond;

    private ulong CheckpointHigh => Math.Min(_stable + (2 * (ulong)_parameters.Window), _epoch.Last);

    private void OnExecuted(BatchExecuted e)
    {
        if (e.Sequence != _executed + 1 || e.Sequence > _committed)
        {
            return;
        }

        var isBorder = e.Sequence == _epoch.Last;
        if (isBorder && e.NextValidators is null)
        {
            Halt($"Block {e.Sequence} ends an epoch but names no validators for the next.", null);
            return;
        }

        _executed = e.Sequence;
        _nextValidators = isBorder ? e.NextValidators : null;
        _dirtyCore = true;
        var statement = new CheckpointStatement(
            e.Sequence, e.BlockHash, _slots[e.Sequence].Decided!.Header.Digest,
            isBorder && !_rules.UnattestedSet ? e.NextValidators!.Hash : Hash256.Zero);
        var unsigned = new Checkpoint(statement, Math.Max(_self, 0), []);
        var own = IsValidator
            ? unsigned with { Signature = _context.Signer.Sign(unsigned.Digest(_parameters.ChainId)) }
            : unsigned;
        _own[e.Sequence] = own;
        if (IsValidator)
        {
            Votes(e.Sequence)[_self] = own;
            Emit(new Broadcast(own));
        }

        if (_beyond?.Statement.Sequence == e.Sequence)
        {
            Attest(_beyond);
        }
        else if (_attested.Remove(e.Sequence, out var certificate))
        {
            Attest(certificate);
        }
        else
        {
            CheckAttested(e.Sequence);
        }

        if (!_halted && _executed > _stable && CatchUpTarget is not null)
        {
            ForgetSlot(_executed);
            FetchOn();
        }
    }

    private Checkpoint?[] Votes(ulong sequence)
    {
        if (!_checkpoints.TryGetValue(sequence, out var votes))
        {
            _checkpoints.Add(sequence, votes = new Checkpoint?[_epoch.Validators.Count]);
        }

        return votes;
    }

    private void OnCheckpoint(in Address from, Checkpoint m)
    {
        var sequence = m.Statement.Sequence;
        if (sequence <= _stable || (sequence <= _executed && !_own.ContainsKey(sequence)))
        {
            Drop(from, m.Kind, DropReason.Stale);
            return;
        }

        if (sequence > CheckpointHigh)
        {
            NoteReported(from, sequence);
            Drop(from, m.Kind, DropReason.BeyondWindow);
            return;
        }

        if (m.Validator >= _epoch.Validators.Count)
        {
            Drop(from, m.Kind, DropReason.UnknownSender);
            return;
        }

        var votes = Votes(sequence);
        if (votes[m.Validator] is { } known && known.Statement == m.Statement)
        {
            Drop(from, m.Kind, DropReason.Repeated);
            return;
        }

        if (!VerifyShare(m.Validator, m.Digest(_parameters.ChainId), m.Signature)
            && !(_rules.AccusesUnchecked && votes[m.Validator] is not null))
        {
            Drop(from, m.Kind, DropReason.WrongSignature);
            return;
        }

        if (votes[m.Validator] is { } first)
        {
            if (_accused.Add((_epoch.Number, m.Validator)))
            {
                Emit(new EvidenceFound(
                    new Evidence(EvidenceKind.ConflictingCheckpoints, _epoch.Number, first, m, null)));
            }

            Drop(from, m.Kind, DropReason.Conflicting);
            return;
        }

        votes[m.Validator] = m;
        NoteReported(_epoch.Validators[m.Validator].Address, sequence);
        CheckAttested(sequence);
    }

    /// <summary>Looks for a quorum of equal statements.</summary>
    private void CheckAttested(ulong sequence)
    {
        if (!_checkpoints.TryGetValue(sequence, out var votes) || _attested.ContainsKey(sequence))
        {
            return;
        }

        for (var i = 0; i < votes.Length; i++)
        {
            if (votes[i] is not { } vote)
            {
                continue;
            }

            ulong power = 0;
            var shares = new List<SignatureShare>();
            for (var j = 0; j < votes.Length; j++)
            {
                if (votes[j] is { } other && other.Statement == vote.Statement)
                {
                    power += _epoch.Validators[j].Power;
                    shares.Add(new SignatureShare(j, other.Signature));
                }
            }

            if (IsQuorum(power))
            {
                Attest(new CheckpointCertificate(vote.Statement, shares));
                return;
            }
        }
    }

    /// <summary>A certificate from elsewhere: a peer's status, an archive, a view change.</summary>
    private void OnAttestation(CheckpointCertificate certificate)
    {
        var sequence = certificate.Statement.Sequence;
        if (sequence <= _stable || !_epoch.Contains(sequence) || _attested.ContainsKey(sequence)
            || (sequence > CheckpointHigh && sequence <= (CatchUpTarget?.Statement.Sequence ?? 0))
            || !Verify(certificate))
        {
            return;
        }

        if (sequence > CheckpointHigh)
        {
            (_beyond, _dirtyCore) = (certificate, true);
        }
        else
        {
            Attest(certificate);
        }
    }

    /// <summary>
    /// The highest attestation known above the window, or null. A replica that fell so far behind takes batches on
    /// their
    /// commit certificates up to it, forgets each as soon as it is executed, and compares its block there.
    /// </summary>
    private CheckpointCertificate? CatchUpTarget
    {
        get
        {
            if (_beyond is not null)
            {
                return _beyond;
            }

            foreach (var (sequence, certificate) in _attested.Reverse())
            {
                return sequence > High ? certificate : null;
            }

            return null;
        }
    }

    /// <summary>Up to where batches are taken on their commit certificates alone.</summary>
    private ulong TransferHigh => CatchUpTarget is { } target
        ? Math.Min(target.Statement.Sequence, Math.Max(High, _executed + (ulong)_parameters.Window))
        : High;

    private void Attest(CheckpointCertificate certificate)
    {
        var sequence = certificate.Statement.Sequence;
        if (sequence > _executed)
        {
            _attested[sequence] = certificate;
            return;
        }

        if (!_own.TryGetValue(sequence, out var own))
        {
            // Forgotten on the way to a later attestation.
            return;
        }

        if (own.Statement != certificate.Statement && !_rules.IgnoreDivergence)
        {
            var evidence = new Evidence(EvidenceKind.DivergentBlock, _epoch.Number, own, null, certificate);
            Halt($"Block {sequence} is {own.Statement.BlockHash} here but a quorum attests "
                + $"{certificate.Statement.BlockHash}.", evidence);
            return;
        }

        AdvanceStable(certificate);
    }

    private void AdvanceStable(CheckpointCertificate certificate)
    {
        var sequence = certificate.Statement.Sequence;
        if (sequence <= _stable)
        {
            return;
        }

        (_stableHeader, _stableCertificate) = (HeaderAt(sequence)!, certificate);
        for (var below = _stable + 1; below <= sequence; below++)
        {
            ForgetSlot(below);
            _attested.Remove(below);
        }

        _beyond = _beyond?.Statement.Sequence <= sequence ? null : _beyond;
        (_stable, _dirtyCore, _owedStatuses) = (sequence, true, LastStatuses);
        _replay |= _deferred.Count > 0;
        var isBorder = sequence == _epoch.Last;
        Emit(new BlockFinalized(certificate, isBorder ? new EpochProof(certificate, _nextValidators!) : null));
        if (isBorder)
        {
            EnterEpoch(_epoch.Next(
                _rules.KeepsOldSet ? _epoch.Validators : _nextValidators!, certificate.Statement.BlockHash,
                _parameters.EpochLength));
        }
        else
        {
            FetchOn();
        }
    }

    private void ForgetSlot(ulong sequence)
    {
        if (_slots.Remove(sequence, out var slot))
        {
            _dirtySlots.Remove(sequence);
            ForgetBodiesOf(slot);
        }

        _removedSlots.Add(sequence);
        _asked.Remove(sequence);
        _checkpoints.Remove(sequence);
        _own.Remove(sequence);
    }

    /// <summary>A new instance of the protocol on top of the border block.</summary>
    private void EnterEpoch(Epoch epoch)
    {
        (_previousEpoch, _epoch) = (_epoch, epoch);
        var count = epoch.Validators.Count;
        foreach (var (sequence, slot) in _slots)
        {
            _removedSlots.Add(sequence);
            ForgetBodiesOf(slot);
        }

        _slots.Clear();
        _asked.Clear();
        _dirtySlots.Clear();
        _checkpoints.Clear();
        _attested.Clear();
        _own.Clear();
        _skips.Clear();
        _suspects.Clear();
        _pool.ClearProposed();
        (_changes, _reported, _newView) = (new ViewChange?[count], new ulong[count], null);
        (_view, _active, _attempts) = (ViewLabel.Of(epoch.Number, 0), true, 0);
        (_stableCertificate, _beyond, _nextValidators, _epochBase) = (null, null, null, _stableHeader.Digest);
        (_self, _viewSinceMs) = (epoch.Validators.IndexOf(Address), _now);
        (_dirtyCore, _dirtyChange) = (true, true);
        _replay |= _deferred.Count > 0;
        RestartProgress();
    }
}
