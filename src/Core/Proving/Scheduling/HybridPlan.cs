namespace SuperVm.Core.Proving.Scheduling;

/// <summary>A slice that a lane has taken.</summary>
internal readonly record struct Slice(PlannedWork Item, int Start, int Count, bool OnAccelerator);

/// <summary>A work on its way, and its end.</summary>
internal sealed class PlannedWork(Work work, double came)
{
    internal Work Work { get; } = work;

    /// <summary>Seconds on the plan's clock.</summary>
    internal double Came { get; } = came;

    /// <summary>Parts that came back from an accelerator; taken before <see cref="Next"/>.</summary>
    internal List<(int Start, int Count)> Returned { get; } = [];

    /// <summary>The first element that nobody has taken.</summary>
    internal int Next { get; set; }

    internal int Done { get; set; }

    internal int UnderWay { get; set; }

    internal bool Begun { get; set; }

    /// <summary>An accelerator refused a part of it: the rest is for processors.</summary>
    internal bool ForCpuAlone { get; set; }

    /// <summary>Why no more of it is done: cancelled, or it threw.</summary>
    internal Exception? Stopped { get; set; }

    internal int Waiting => Work.Size - Next + Returned.Sum(part => part.Count);

    internal bool IsOver => UnderWay == 0 && (Stopped is not null || Done == Work.Size);
}

/// <summary>Decides which lane does what next. It has no threads and no clock; seconds come in.</summary>
/// <remarks>
/// <code>
///   Add ─▶ queue of its kind ─▶ Take(lane): of the kinds that the lane may serve, the one that has had the least
///                               of such lanes' time; a slice of its first work that the lane should do
///                     Complete ─▶ costs, times; the work ends with its last slice
/// </code>
/// <para>Fairness: every kind has a virtual time on processors and one on accelerators; a kind that comes back starts
/// at the least of those that wait, so that it neither owes nor is owed for the time it was away.</para>
/// <para>Auto: an accelerator takes a slice if that ends before the processors would have done all that is left of the
/// work, a processor if its slice ends before the accelerator would have. One of them always does.</para>
/// </remarks>
internal sealed class HybridPlan
{
    internal const int Kinds = 5;

    private readonly HybridOptions _options;
    private readonly KindState[] _kinds = new KindState[Kinds];
    private readonly double[] _busyUntil;
    private readonly bool[] _isLost;

    internal HybridPlan(HybridOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.CpuLanes);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Accelerators);
        _options = options;
        _busyUntil = new double[options.Accelerators];
        _isLost = new bool[options.Accelerators];
        for (var i = 0; i < Kinds; i++)
        {
            _kinds[i] = new KindState();
        }
    }

    /// <summary>Queues a work; null where too many of its kind wait.</summary>
    internal PlannedWork? Add(Work work, double now)
    {
        var kind = _kinds[(int)work.Kind];
        if (kind.Queue.Count >= _options.MostWaiting)
        {
            return null;
        }

        if (kind.Queue.Count == 0)
        {
            kind.CpuTime = Math.Max(kind.CpuTime, LeastTime(onAccelerator: false));
            kind.AcceleratorTime = Math.Max(kind.AcceleratorTime, LeastTime(onAccelerator: true));
        }

        var item = new PlannedWork(work, now);
        kind.Queue.Add(item);
        return item;
    }

    /// <summary>
    /// The next slice for a processor (accelerator -1) or an accelerator; null where nothing is for it now.
    /// </summary>
    internal Slice? Take(int accelerator, double now)
    {
        var onAccelerator = accelerator >= 0;
        if (onAccelerator && (_isLost[accelerator] || _options.Policy == SchedulingPolicy.CpuOnly))
        {
            return null;
        }

        Span<int> order = stackalloc int[Kinds];
        OrderByTime(order, onAccelerator);
        foreach (var index in order)
        {
            var kind = _kinds[index];
            foreach (var item in kind.Queue)
            {
                if (item.Waiting > 0 && item.Stopped is null && SliceFor(kind, item, accelerator, now) is { } slice)
                {
                    Begin(kind, slice, accelerator, now);
                    return slice;
                }
            }
        }

        return null;
    }

    /// <summary>A lane has ended a slice, in whatever way.</summary>
    internal void Complete(
        in Slice slice, int accelerator, double now, double seconds, AcceleratorAnswer answer, Exception? error)
    {
        var item = slice.Item;
        var kind = _kinds[(int)item.Work.Kind];
        item.UnderWay -= slice.Count;
        if (accelerator >= 0)
        {
            _busyUntil[accelerator] = now;
            kind.AcceleratorTime += seconds;
            kind.AcceleratorSeconds += seconds;
        }
        else
        {
            kind.CpuTime += seconds;
            kind.CpuSeconds += seconds;
        }

        if (error is not null)
        {
            item.Stopped ??= error;
        }
        else if (accelerator < 0)
        {
            item.Done += slice.Count;
            kind.CpuElements += slice.Count;
            kind.CpuCost.Observe(slice.Count, seconds);
        }
        else if (answer == AcceleratorAnswer.Done)
        {
            item.Done += slice.Count;
            kind.AcceleratorElements += slice.Count;
            kind.AcceleratorCost.Observe(slice.Count, seconds);
        }
        else
        {
            item.Returned.Add((slice.Start, slice.Count));
            item.ForCpuAlone |= answer == AcceleratorAnswer.Refused;
            kind.AcceleratorFailures++;
            _isLost[accelerator] |= answer == AcceleratorAnswer.Lost;
        }

        EndIfOver(kind, item);
    }

    /// <summary>No more slices of a work are given out.</summary>
    internal void Stop(PlannedWork item, Exception reason)
    {
        item.Stopped ??= reason;
        EndIfOver(_kinds[(int)item.Work.Kind], item);
    }

    internal WorkStatistics Statistics(WorkKind kind)
    {
        var state = _kinds[(int)kind];
        return new WorkStatistics(
            state.Works, state.Queue.Count, state.CpuElements, state.AcceleratorElements, state.CpuSeconds,
            state.AcceleratorSeconds, state.AcceleratorFailures, state.LongestWait);
    }

    private static void EndIfOver(KindState kind, PlannedWork item)
    {
        if (item.IsOver && kind.Queue.Remove(item))
        {
            kind.Works++;
        }
    }

    private void Begin(KindState kind, in Slice slice, int accelerator, double now)
    {
        var item = slice.Item;
        item.UnderWay += slice.Count;
        if (item.Returned.Count > 0)
        {
            var (start, count) = item.Returned[^1];
            item.Returned.RemoveAt(item.Returned.Count - 1);
            if (count > slice.Count)
            {
                item.Returned.Add((start + slice.Count, count - slice.Count));
            }
        }
        else
        {
            item.Next += slice.Count;
        }

        if (!item.Begun)
        {
            item.Begun = true;
            kind.LongestWait = Math.Max(kind.LongestWait, now - item.Came);
        }

        if (accelerator >= 0)
        {
            _busyUntil[accelerator] = now + kind.AcceleratorCost.Seconds(slice.Count);
        }
    }

    /// <summary>What the lane would take of the work; null where the policy leaves it to others.</summary>
    private Slice? SliceFor(KindState kind, PlannedWork item, int accelerator, double now)
    {
        var onAccelerator = accelerator >= 0;
        var work = item.Work;
        var canAccelerate = work.OnAccelerator is not null && !item.ForCpuAlone
            && _options.Policy != SchedulingPolicy.CpuOnly && _isLost.Contains(false);
        if (onAccelerator && !canAccelerate)
        {
            return null;
        }

        var (start, room) = item.Returned.Count > 0 ? item.Returned[^1] : (item.Next, work.Size - item.Next);
        var cpuCount = Count(kind.CpuCost, _options.CpuSlice, work, room);
        if (!canAccelerate)
        {
            return new Slice(item, start, cpuCount, false);
        }

        var acceleratorCount = Count(kind.AcceleratorCost, _options.AcceleratorSlice, work, room);
        var own = new Slice(item, start, onAccelerator ? acceleratorCount : cpuCount, onAccelerator);
        switch (_options.Policy)
        {
            case SchedulingPolicy.GpuOnly:
                return onAccelerator ? own : null;
            case SchedulingPolicy.LoadBalance:
                return own;
            default:
                return IsForAccelerator(kind, item, acceleratorCount, onAccelerator ? now : EarliestFree(now), now)
                    ? onAccelerator || IsWorthForCpu(kind, item, cpuCount, now) ? own : null
                    : onAccelerator ? null : own;
        }
    }

    /// <summary>Whether an accelerator's slice ends before the processors would have done all that is left.</summary>
    private bool IsForAccelerator(KindState kind, PlannedWork item, int count, double free, double now)
    {
        if (!kind.AcceleratorCost.IsKnown || !kind.CpuCost.IsKnown)
        {
            return true;
        }

        var lanes = Math.Min(_options.CpuLanes, Math.Max(item.Waiting / item.Work.LeastSlice, 1));
        return free - now + kind.AcceleratorCost.Seconds(count) < kind.CpuCost.Seconds(item.Waiting) / lanes;
    }

    /// <summary>Whether a processor's slice ends before the accelerator would have done all that is left.</summary>
    private bool IsWorthForCpu(KindState kind, PlannedWork item, int count, double now) =>
        !kind.AcceleratorCost.IsKnown || !kind.CpuCost.IsKnown
        || kind.CpuCost.Seconds(count)
            < EarliestFree(now) - now + kind.AcceleratorCost.Seconds(item.Waiting);

    private double EarliestFree(double now)
    {
        var earliest = double.MaxValue;
        for (var i = 0; i < _busyUntil.Length; i++)
        {
            if (!_isLost[i])
            {
                earliest = Math.Min(earliest, Math.Max(_busyUntil[i], now));
            }
        }

        return earliest;
    }

    private static int Count(CostModel cost, TimeSpan slice, Work work, int room)
    {
        var count = Math.Max(cost.SizeFor(slice.TotalSeconds, room), work.LeastSlice);
        // What would be left over is no slice of its own.
        return room - count < work.LeastSlice ? room : count;
    }

    private double LeastTime(bool onAccelerator)
    {
        var least = double.MaxValue;
        foreach (var kind in _kinds)
        {
            if (kind.Queue.Count > 0)
            {
                least = Math.Min(least, onAccelerator ? kind.AcceleratorTime : kind.CpuTime);
            }
        }

        return least == double.MaxValue ? 0 : least;
    }

    private void OrderByTime(Span<int> order, bool onAccelerator)
    {
        Span<double> times = stackalloc double[Kinds];
        for (var i = 0; i < Kinds; i++)
        {
            order[i] = i;
            times[i] = onAccelerator ? _kinds[i].AcceleratorTime : _kinds[i].CpuTime;
        }

        times.Sort(order);
    }

    private sealed class KindState
    {
        internal List<PlannedWork> Queue { get; } = [];

        internal CostModel CpuCost { get; } = new(hasFixedCost: false);

        internal CostModel AcceleratorCost { get; } = new(hasFixedCost: true);

        internal double CpuTime, AcceleratorTime, CpuSeconds, AcceleratorSeconds, LongestWait;

        internal long Works, CpuElements, AcceleratorElements, AcceleratorFailures;
    }
}
