using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>
/// Entering a view. Where it begins follows from the quorum of view changes alone, so every replica computes it and
/// the new leader has no choice to make.
/// </summary>
public sealed partial class Replica
{
    /// <summary>
    /// The highest attested checkpoint, then for each place above it the batch with the newest certificate, as long as
    /// there is one and it continues the batch before.
    /// </summary>
    /// <remarks>
    /// A batch that was committed anywhere was prepared, with all below it, at a quorum that shares an honest validator
    /// with the quorum here; so the chain cannot end below it (the argument of PBFT, section 4.4, with chained
    /// batches in
    /// the place of null requests).
    /// </remarks>
    private (CheckpointCertificate? Stable, ulong Sequence, List<BatchHeader> Headers) Plan(NewView view)
    {
        ViewChange? highest = null;
        foreach (var change in view.Changes)
        {
            highest = highest is null || change.StableSequence > highest.StableSequence ? change : highest;
        }

        var stable = highest!.Stable;
        var parent = stable?.Statement.BatchDigest ?? _epochBase;
        var headers = new List<BatchHeader>();
        while (Newest(view, highest.StableSequence + 1 + (ulong)headers.Count) is { } next && next.Parent == parent)
        {
            headers.Add(next);
            parent = next.Digest;
        }

        return (stable, highest.StableSequence, headers);
    }

    private BatchHeader? Newest(NewView view, ulong sequence)
    {
        PreparedProof? best = null;
        foreach (var change in view.Changes)
        {
            if (sequence <= change.StableSequence || sequence - change.StableSequence > (ulong)change.Prepared.Count)
            {
                continue;
            }

            var proof = change.Prepared[(int)(sequence - change.StableSequence - 1)];
            var isNewer = best is null || (_rules.OldestCertificateWins
                ? proof.Certificate.View < best.Certificate.View
                : proof.Certificate.View > best.Certificate.View);
            best = isNewer ? proof : best;
        }

        return best?.Header;
    }

    private void EnterView(NewView view)
    {
        var (stable, stableSequence, headers) = Plan(view);
        (_view, _active, _newView, _dirtyCore, _dirtyChange) = (view.View, true, view, true, true);
        _viewSinceMs = _now;
        _replay |= _deferred.Count > 0;
        RestartProgress();
        _pool.ClearProposed();
        foreach (var slot in _slots.Values)
        {
            slot.Reset(_view, _epoch.Validators.Count);
            Touch(slot);
        }

        for (var i = 0; i < headers.Count && !_halted; i++)
        {
            Adopt(headers[i], stableSequence);
        }

        PruneBodies();
        if (stable is not null && stableSequence > _stable)
        {
            OnAttestation(stable);
        }

        if (!_halted)
        {
            TryAccept(_stable + 1);
            AdvanceCommitted();
        }
    }

    /// <summary>A batch that the view begins with: as if its leader had proposed it again.</summary>
    private void Adopt(BatchHeader header, ulong stableSequence)
    {
        if (header.Sequence <= _stable || header.Sequence > High)
        {
            return;
        }

        var slot = GetSlot(header.Sequence);
        if (slot.Decided is { } decided && decided.Header.Digest != header.Digest)
        {
            Halt($"View {_view} drops committed batch {header.Sequence}: more than a third of the power lies.", null);
            return;
        }

        Propose(slot, header, null, null);
        if (!_bodies.ContainsKey(header.Digest))
        {
            foreach (var change in _newView!.Changes)
            {
                if (change.Validator != _self && change.StableSequence <= stableSequence
                    && change.StableSequence + (ulong)change.Prepared.Count >= header.Sequence)
                {
                    Emit(new Send(
                        _epoch.Validators[change.Validator].Address, new FetchBatch(header.Sequence, header.Digest)));
                    break;
                }
            }
        }
    }

    /// <summary>Helps a validator that still waits for the view, at most once in a while.</summary>
    private void SendNewView(in Address to)
    {
        if (_active && _newView is not null && MayHelp(to))
        {
            Emit(new Send(to, _newView));
            Emit(new Send(to, new Status(_view, _active, _committed, _stable, null, true)));
        }
    }

    /// <summary>Forgets bodies that no slot names.</summary>
    private void PruneBodies()
    {
        var named = new HashSet<Hash256>();
        foreach (var slot in _slots.Values)
        {
            foreach (var header in (ReadOnlySpan<BatchHeader?>)
                [slot.Proposal, slot.Prepared?.Header, slot.Decided?.Header])
            {
                if (header is not null)
                {
                    named.Add(header.Digest);
                }
            }
        }

        foreach (var digest in _bodies.Keys.Where(digest => !named.Contains(digest)).ToList())
        {
            ForgetBody(digest);
        }
    }
}
