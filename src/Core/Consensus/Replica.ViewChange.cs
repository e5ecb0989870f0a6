using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>Leaving a view: who asks for which next view, and the proofs that go with it.</summary>
public sealed partial class Replica
{
    // The newest view change of each validator of the epoch, and the message that began the current view.
    private ViewChange?[] _changes;
    private NewView? _newView;
    private int _attempts;

    // Leaders that were left here and committed nothing of their own since; they get less time on their next turn.
    private readonly SortedSet<int> _suspects = [];
    private long _viewSinceMs;

    /// <summary>
    /// The view to ask for: the next position whose leader is not known from certified history to have failed lately.
    /// </summary>
    private ulong NextView()
    {
        var certified = _epoch.Contains(_committed)
            ? _skips.Position(_epoch, _committedHeader, _committedHeader.View, _committed + 1)
            : 0;
        var position = Math.Max(certified, ViewLabel.NumberOf(_view));
        var sequence = _committed + (ulong)_parameters.Window + 2;
        return ViewLabel.Of(_epoch.Number, _skips.NextLive(_epoch, position, sequence));
    }

    private void StartViewChange(ulong view)
    {
        if (!IsValidator || _rules.NoTimeout)
        {
            return;
        }

        if (_active)
        {
            _suspects.Add(Leader);
        }

        (_view, _active, _dirtyCore, _dirtyChange) = (view, false, true, true);
        _attempts = Math.Min(_attempts + 1, 30);
        _viewSinceMs = _now;
        RestartProgress();
        var attested = CatchUpTarget ?? _stableCertificate;
        var unsigned = new ViewChange(
            view, attested?.Statement.Sequence ?? _stable, attested,
            _rules.NoPreparedProofs ? [] : PreparedProofs(), _self, []);
        var change = unsigned with { Signature = _context.Signer.Sign(unsigned.Digest(_parameters.ChainId)) };
        _changes[_self] = change;
        Emit(new Broadcast(change));
        TryNewView();
    }

    /// <summary>
    /// Whether the next leader failed on its last turn. Only while those who did hold no more than a third of the
    /// power:
    /// where more failed, it was the network.
    /// </summary>
    private bool LeaderIsSuspect()
    {
        ulong power = 0;
        foreach (var validator in _suspects)
        {
            power += _epoch.Validators[validator].Power;
        }

        return !_epoch.Validators.IsWeakQuorum(power) && _suspects.Contains(Leader);
    }

    /// <summary>Everything prepared or committed above the attested checkpoint, without gaps.</summary>
    private List<PreparedProof> PreparedProofs()
    {
        var proofs = new List<PreparedProof>();
        var (first, parent) = CatchUpTarget is { } target
            ? (target.Statement.Sequence, target.Statement.BatchDigest)
            : (_stable, _stableHeader.Digest);
        for (var sequence = first + 1; _slots.TryGetValue(sequence, out var slot); sequence++)
        {
            var proof = slot.Decided ?? slot.Prepared;
            if (proof is null || proof.Header.Parent != parent)
            {
                break;
            }

            proofs.Add(proof);
            parent = proof.Header.Digest;
        }

        return proofs;
    }

    private void OnViewChange(in Address from, ViewChange m)
    {
        if (ViewLabel.EpochOf(m.View) != _epoch.Number)
        {
            Defer(from, m, m.View, 0);
            return;
        }

        if (m.Validator >= _epoch.Validators.Count)
        {
            Drop(from, m.Kind, DropReason.UnknownSender);
            return;
        }

        if (m.View < _view || (m.View == _view && _active))
        {
            SendNewView(from);
            Drop(from, m.Kind, DropReason.Stale);
            return;
        }

        if (_changes[m.Validator] is { } known && known.View >= m.View)
        {
            Drop(from, m.Kind, DropReason.Repeated);
            return;
        }

        if (CheckViewChange(m) is { } reason)
        {
            Drop(from, m.Kind, reason);
            return;
        }

        _changes[m.Validator] = m;
        JoinViewChange();
        TryNewView();
    }

    /// <summary>
    /// Follows others out of the view once more than a third of the power, so at least one honest validator, left it:
    /// to the lowest of their views.
    /// </summary>
    private void JoinViewChange()
    {
        ulong power = 0;
        var lowest = ulong.MaxValue;
        for (var i = 0; i < _changes.Length; i++)
        {
            if (_changes[i] is { } change && change.View > _view)
            {
                power += _epoch.Validators[i].Power;
                lowest = Math.Min(lowest, change.View);
            }
        }

        if (_epoch.Validators.IsWeakQuorum(power))
        {
            StartViewChange(lowest);
        }
    }

    /// <summary>The power of the validators that left every view below this one.</summary>
    private ulong PowerBehindView()
    {
        ulong power = 0;
        for (var i = 0; i < _changes.Length; i++)
        {
            power += _changes[i] is { } change && change.View >= _view ? _epoch.Validators[i].Power : 0;
        }

        return power;
    }

    private DropReason? CheckViewChange(ViewChange m)
    {
        if (!VerifyShare(m.Validator, m.Digest(_parameters.ChainId), m.Signature))
        {
            return DropReason.WrongSignature;
        }

        var parent = _epochBase;
        if (m.Stable is null)
        {
            if (m.StableSequence != _epoch.First - 1)
            {
                return DropReason.InvalidProof;
            }
        }
        else if (m.Stable.Statement.Sequence != m.StableSequence || !Verify(m.Stable))
        {
            return DropReason.InvalidProof;
        }
        else
        {
            parent = m.Stable.Statement.BatchDigest;
        }

        if (m.Prepared.Count > _parameters.Window)
        {
            return DropReason.Oversized;
        }

        var sequence = m.StableSequence;
        foreach (var (header, certificate) in m.Prepared)
        {
            sequence++;
            if (header.Sequence != sequence || certificate.Sequence != sequence || certificate.View >= m.View
                || certificate.Digest != header.Digest || header.Parent != parent || !Verify(certificate))
            {
                return DropReason.InvalidProof;
            }

            parent = header.Digest;
        }

        return null;
    }

    /// <summary>The leader of the view that is waited for begins it as soon as a quorum asks for it.</summary>
    private void TryNewView()
    {
        if (_active || !IsValidator || _epoch.Leaders.At(ViewLabel.NumberOf(_view)) != _self)
        {
            return;
        }

        var chosen = new List<ViewChange>();
        ulong power = 0;
        for (var i = 0; i < _changes.Length; i++)
        {
            if (_changes[i] is { } change && change.View == _view)
            {
                chosen.Add(change);
                power += _epoch.Validators[i].Power;
            }
        }

        if (!IsQuorum(power))
        {
            return;
        }

        var unsigned = new NewView(_view, chosen, _self, []);
        var view = unsigned with { Signature = _context.Signer.Sign(unsigned.Digest(_parameters.ChainId)) };
        Emit(new Broadcast(view));
        EnterView(view);
    }

    private void OnNewView(in Address from, NewView m)
    {
        if (ViewLabel.EpochOf(m.View) != _epoch.Number)
        {
            Defer(from, m, m.View, 0);
            return;
        }

        if (m.View < _view || (m.View == _view && _active))
        {
            Drop(from, m.Kind, DropReason.Stale);
            return;
        }

        if (_epoch.Leaders.At(ViewLabel.NumberOf(m.View)) != m.Validator)
        {
            Drop(from, m.Kind, DropReason.WrongLeader);
            return;
        }

        if (CheckNewView(m) is { } reason)
        {
            Drop(from, m.Kind, reason);
            return;
        }

        EnterView(m);
    }

    private DropReason? CheckNewView(NewView m)
    {
        if (!VerifyShare(m.Validator, m.Digest(_parameters.ChainId), m.Signature))
        {
            return DropReason.WrongSignature;
        }

        ulong power = 0;
        var last = -1;
        foreach (var change in m.Changes)
        {
            if (change.Validator <= last || change.Validator >= _epoch.Validators.Count || change.View != m.View)
            {
                return DropReason.InvalidProof;
            }

            last = change.Validator;
            power += _epoch.Validators[last].Power;
            var isKnown = ReferenceEquals(_changes[last], change)
                || (_changes[last] is { } known && known.View == m.View
                    && known.Digest(_parameters.ChainId) == change.Digest(_parameters.ChainId));
            if (!isKnown && CheckViewChange(change) is { } reason)
            {
                return reason;
            }
        }

        return IsQuorum(power) ? null : DropReason.InvalidProof;
    }
}
