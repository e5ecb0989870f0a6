using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>Timers, retransmission, and messages that arrive before their time.</summary>
public sealed partial class Replica
{
    /// <summary>Places above the last committed one whose votes are sent again with a status.</summary>
    private const int ResentPlaces = 4;

    /// <summary>Statuses after the last progress, each after twice the time of the one before; then silence.</summary>
    private const int LastStatuses = 7;

    private static readonly int TimerKinds = Enum.GetValues<TimerKind>().Length;

    private readonly bool[] _armed = new bool[TimerKinds];
    private readonly ulong[] _generations = new ulong[TimerKinds];
    private readonly List<(Address From, ConsensusMessage Message)> _deferred = [];
    private readonly Dictionary<Address, int> _deferredBy = [];
    private bool _replay;
    private bool _batchDue;
    private bool _progressWanted;

    // Set by progress: when all work is done, a few last statuses tell those who missed the end of it.
    private int _owedStatuses;
    private int _statusDelayMs;
    private long _progressSinceMs;
    private int _progressDelayMs;
    private int _fetchTries;
    private long _fetchDueMs;
    private int _resendTurn;

    private int ProgressTimeout => _attempts == 0 && _active && _suspects.Count > 0 && LeaderIsSuspect()
        ? _parameters.ProgressTimeoutMs / _parameters.SuspectHaste
        : (int)Math.Min((long)_parameters.ProgressTimeoutMs << Math.Min(_attempts, 20), _parameters.MaximumTimeoutMs);

    private bool HasWork => _pool.Count > 0 || NextPlace() > _committed + 1;

    private void OnTimer(TimerKind timer, ulong generation)
    {
        var index = (int)timer;
        if (!_armed[index] || _generations[index] != generation)
        {
            return;
        }

        _armed[index] = false;
        switch (timer)
        {
            case TimerKind.Batch:
                _batchDue = _pool.Waiting > 0;
                break;
            case TimerKind.Progress when _progressWanted && _now - _progressSinceMs >= ProgressTimeout:
                StartViewChange(NextView());
                break;
            case TimerKind.Status when WantsStatus() || _owedStatuses > 0:
                _owedStatuses = Math.Max(0, _owedStatuses - 1);
                BroadcastStatus();
                SendOwnPromises();
                ResendRequests();
                break;
            case TimerKind.Fetch:
                FetchBodies();
                break;
            default:
                break;
        }
    }

    private bool WantsStatus() => HasWork || !_active || _executed > _stable || _attested.Count > 0
        || _deferred.Count > 0 || _snapshot is not null || ReportedQuorum() > _committed;

    private void UpdateTimers()
    {
        if (_pool.Waiting > 0 && !_batchDue && !_armed[(int)TimerKind.Batch] && LeadsNext(out _, out _))
        {
            Arm(TimerKind.Batch, _parameters.BatchAgeMs, 0);
        }

        UpdateProgress();
        UpdateStatus();

        var bodies = BodiesDueMs();
        if (bodies == long.MaxValue)
        {
            _fetchTries = 0;
        }
        else if (!_armed[(int)TimerKind.Fetch] || bodies < _fetchDueMs)
        {
            _fetchDueMs = bodies;
            Arm(TimerKind.Fetch, (int)Math.Max(0, bodies - _now), 0);
        }
    }

    /// <summary>The status timer runs while anything is missing; then for a few times more, ever slower.</summary>
    private void UpdateStatus()
    {
        var wanted = WantsStatus();
        var delay = wanted
            ? _parameters.StatusPeriodMs
            : _parameters.StatusPeriodMs << (LastStatuses - _owedStatuses);
        if ((wanted || _owedStatuses > 0) && (!_armed[(int)TimerKind.Status] || _statusDelayMs > delay))
        {
            _statusDelayMs = delay;
            Arm(TimerKind.Status, delay, delay / 4);
        }
    }

    /// <summary>
    /// The progress timer runs while work is pending, or while a quorum waits for a new view. It is not set again with
    /// every batch: when it expires early, it is set for the rest.
    /// </summary>
    private void UpdateProgress()
    {
        var wanted = IsValidator && (_active ? HasWork : IsQuorum(PowerBehindView()));
        if (wanted && !_progressWanted)
        {
            _progressSinceMs = _now;
        }

        _progressWanted = wanted;
        var timeout = ProgressTimeout;
        if (wanted && (!_armed[(int)TimerKind.Progress] || _progressDelayMs > timeout))
        {
            _progressDelayMs = Math.Max(1, (int)Math.Min(timeout, timeout - (_now - _progressSinceMs)));
            Arm(TimerKind.Progress, _progressDelayMs, timeout / 8);
        }
    }

    private void RestartProgress() => _progressSinceMs = _now;

    private void Arm(TimerKind timer, int delay, int jitter)
    {
        _armed[(int)timer] = true;
        Emit(new SetTimer(timer, ++_generations[(int)timer], delay, jitter));
    }

    /// <summary>After a restart no timer runs: all are set anew where they are needed.</summary>
    private void RestartTimers()
    {
        Array.Clear(_armed);
        _asked.Clear();
        (_progressSinceMs, _viewSinceMs, _progressWanted) = (_now, _now, false);
    }

    private void BroadcastStatus() =>
        Emit(new Broadcast(new Status(_view, _active, _committed, _stable, null, false)));

    /// <summary>
    /// Says again what others may have missed: this replica's votes, its view change, its attestation.
    /// </summary>
    private void SendOwnPromises()
    {
        if (!IsValidator)
        {
            return;
        }

        if (!_active)
        {
            if (_changes[_self] is { } change)
            {
                Emit(new Broadcast(change));
            }
        }
        else
        {
            for (var sequence = _committed + 1; sequence <= _committed + ResentPlaces; sequence++)
            {
                if (_slots.TryGetValue(sequence, out var slot) && slot.View == _view && slot.Accepted)
                {
                    ResendVotes(slot);
                }
            }
        }

        if (_executed > _stable && _own.TryGetValue(_executed, out var own) && own.Signature.Length > 0)
        {
            Emit(new Broadcast(own));
        }
    }

    private void ResendVotes(Slot slot)
    {
        var header = slot.Proposal!;
        if (slot.ProposalSignature is { } leader && header.Proposer == Address && header.View == _view)
        {
            Emit(new Broadcast(new PrePrepare(_view, header, slot.Hashes!, leader)));
        }
        else if (slot.Prepares[_self].Signature is { } prepare)
        {
            Emit(new Broadcast(new Vote(
                VotePhase.Prepare, _view, slot.Sequence, slot.Prepares[_self].Digest, _self, prepare)));
        }

        if (slot.Commits[_self].Signature is { } commit)
        {
            Emit(new Broadcast(new Vote(
                VotePhase.Commit, _view, slot.Sequence, slot.Commits[_self].Digest, _self, commit)));
        }
    }

    /// <summary>
    /// Reminds the leader of the transactions that wait longest; between views everybody, so that all of them suspect a
    /// leader who leaves these out. Who is in no set does not know who leads, and always reminds everybody.
    /// </summary>
    private void ResendRequests()
    {
        if ((!_active || !IsValidator) && _pool.Count > 0)
        {
            Emit(new Broadcast(new Request(_pool.Oldest(ResentRequests, ResentRequestBytes, onlyWaiting: false))));
            return;
        }

        var leader = _epoch.Validators[Leader].Address;
        if (_pool.Waiting > 0 && leader != Address
            && _now - _pool.OldestWaitingMs > _parameters.StatusPeriodMs)
        {
            Emit(new Send(
                leader, new Request(_pool.Oldest(ResentRequests, ResentRequestBytes, onlyWaiting: true))));
        }
    }

    /// <summary>Keeps a message of a view or place that is not reached yet, within the peer's quota.</summary>
    private void Defer(in Address from, ConsensusMessage message, ulong view, ulong sequence)
    {
        var epoch = ViewLabel.EpochOf(view);
        if (epoch < _epoch.Number)
        {
            Drop(from, message.Kind, DropReason.Stale);
            return;
        }

        var held = _deferredBy.GetValueOrDefault(from);
        if (epoch > _epoch.Number + 1 || sequence > _stable + (2 * (ulong)_parameters.Window)
            || held >= _parameters.DeferredPerPeer)
        {
            NoteReported(from, sequence == 0 ? 0 : sequence - 1);
            Drop(from, message.Kind, DropReason.BeyondWindow);
            return;
        }

        _deferredBy[from] = held + 1;
        _deferred.Add((from, message));
    }

    private void ReplayDeferred()
    {
        if (_deferred.Count == 0)
        {
            return;
        }

        var waiting = _deferred.ToArray();
        _deferred.Clear();
        _deferredBy.Clear();
        foreach (var (from, message) in waiting)
        {
            if (!_halted)
            {
                Dispatch(from, message);
            }
        }
    }
}
