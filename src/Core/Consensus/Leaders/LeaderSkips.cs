using SuperVm.Core.Encoding;

namespace SuperVm.Core.Consensus.Leaders;

/// <summary>
/// Which validators are passed over when the leadership rotates, decided from certified batch headers only, so that
/// every replica that may accept a sequence number answers the same.
/// </summary>
/// <remarks>
/// A batch that was first proposed in a later view than its parent proves (through the quorum behind that view) that
/// the leaders between failed. They are blamed at that sequence b and skipped for turns that begin in
/// [b + delay, b + delay + span): a replica accepts sequence s only after everything up to s - window is attested,
/// so with delay = window + 1 all replicas know the same blames when the turn begins. The skipped power
/// stays at or below one third, newest blames first, so that the honest cannot all be skipped.
/// </remarks>
internal sealed class LeaderSkips(ConsensusParameters parameters)
{
    /// <summary>
    /// Blames kept; the oldest falls out. Skipping is an optimisation: losing one costs a time-out only.
    /// </summary>
    internal const int MaximumBlames = 256;

    private readonly List<(ulong Sequence, int Validator)> _blames = [];

    private ulong Delay => (ulong)parameters.Window + 1;

    internal int Count => _blames.Count;

    internal void Clear() => _blames.Clear();

    /// <summary>Learns from a certified header and its parent, both of the epoch.</summary>
    internal void Observe(Epoch epoch, BatchHeader parent, BatchHeader header)
    {
        Forget(header.Sequence);
        if (header.View <= parent.View || !epoch.Contains(parent.Sequence))
        {
            return;
        }

        var position = IsTurnStart(epoch, header.Sequence) ? parent.Position + 1 : parent.Position;
        var end = Math.Min(ViewLabel.NumberOf(header.View), position + (uint)epoch.Validators.Count);
        for (; position < end; position++)
        {
            var failed = epoch.Leaders.At(position);
            if (epoch.Validators[failed].Address != header.Proposer)
            {
                _blames.Add((header.Sequence, failed));
            }
        }

        if (_blames.Count > MaximumBlames)
        {
            _blames.RemoveRange(0, _blames.Count - MaximumBlames);
        }
    }

    /// <summary>The table position that leads <paramref name="sequence"/> in <paramref name="view"/>.</summary>
    internal uint Position(Epoch epoch, BatchHeader parent, ulong view, ulong sequence)
    {
        if (sequence == epoch.First || parent.View < view)
        {
            return ViewLabel.NumberOf(view);
        }

        return IsTurnStart(epoch, sequence) ? NextLive(epoch, parent.Position, sequence) : parent.Position;
    }

    /// <summary>
    /// The first position above <paramref name="position"/> whose leader is not skipped at the sequence.
    /// </summary>
    internal uint NextLive(Epoch epoch, uint position, ulong sequence)
    {
        var skipped = SkippedAt(epoch, sequence);
        for (var candidate = position + 1; candidate <= position + (uint)epoch.Leaders.Period; candidate++)
        {
            if (!skipped[epoch.Leaders.At(candidate)])
            {
                return candidate;
            }
        }

        return position + 1;
    }

    internal bool[] SkippedAt(Epoch epoch, ulong sequence)
    {
        var skipped = new bool[epoch.Validators.Count];
        ulong power = 0;
        for (var i = _blames.Count - 1; i >= 0; i--)
        {
            var (blamedAt, validator) = _blames[i];
            var own = epoch.Validators[validator].Power;
            var from = blamedAt + Delay;
            if (!skipped[validator] && sequence >= from && sequence - from < parameters.SkipSpan
                && !epoch.Validators.IsWeakQuorum(power + own))
            {
                skipped[validator] = true;
                power += own;
            }
        }

        return skipped;
    }

    internal void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        foreach (var (sequence, validator) in _blames)
        {
            writer.WriteUInt64(sequence);
            writer.WriteUInt64((ulong)validator);
        }

        writer.EndList(list);
    }

    internal void Read(ref RlpReader reader)
    {
        _blames.Clear();
        var list = reader.ReadList();
        while (!list.AtEnd)
        {
            _blames.Add((list.ReadUInt64(), (int)list.ReadUInt64()));
        }
    }

    private bool IsTurnStart(Epoch epoch, ulong sequence) =>
        parameters.TurnLength != 0 && (sequence - epoch.First) % parameters.TurnLength == 0;

    private void Forget(ulong sequence)
    {
        var horizon = parameters.SkipSpan + (2 * Delay);
        var expired = 0;
        while (expired < _blames.Count && _blames[expired].Sequence + horizon < sequence)
        {
            expired++;
        }

        _blames.RemoveRange(0, expired);
    }
}
