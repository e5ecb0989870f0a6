using System.Globalization;
using System.Text;

namespace SuperVm.Core.Proving.Scheduling;

/// <summary>Shares processors and accelerators among kinds of work; <see cref="HybridPlan"/> decides.</summary>
/// <remarks>
/// A thread for each processor lane and each accelerator. An accelerator that refuses or is lost costs nothing but
/// time: its slice goes to the processors, and <see cref="Explain"/> and the statistics say so. Thread-safe.
/// </remarks>
public sealed class HybridScheduler : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HybridPlan _plan;
    private readonly HybridOptions _options;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly SemaphoreSlim[] _wakes;
    private readonly Thread[] _lanes;
    private readonly Dictionary<PlannedWork, TaskCompletionSource> _ends = [];
    private volatile bool _stopping;

    public HybridScheduler(HybridOptions options, TimeProvider clock)
    {
        (_options, _clock, _plan) = (options, clock, new HybridPlan(options));
        _started = clock.GetTimestamp();
        var lanes = options.CpuLanes + options.Accelerators;
        _wakes = [.. Enumerable.Range(0, lanes).Select(_ => new SemaphoreSlim(0))];
        _lanes = [.. Enumerable.Range(0, lanes).Select(lane => new Thread(() => Serve(lane))
        {
            IsBackground = true,
            Name = lane < options.CpuLanes ? $"work {lane}" : $"accelerator {lane - options.CpuLanes}",
        })];
        foreach (var lane in _lanes)
        {
            lane.Start();
        }
    }

    /// <summary>
    /// Queues a work; the task ends with it, with what it threw, or cancelled. Null where as many of its kind wait as
    /// may.
    /// </summary>
    /// <param name="cancellation">Gives out no more slices; those under way end first.</param>
    /// <exception cref="ArgumentOutOfRangeException">No elements, or a least slice outside of 1 to all.</exception>
    public Task? TryRun(Work work, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(work.Size);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(work.LeastSlice);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(work.LeastSlice, work.Size);
        PlannedWork? item;
        TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            item = _plan.Add(work, Now());
            if (item is null)
            {
                return null;
            }

            _ends.Add(item, end);
        }

        WakeAll();
        if (cancellation.CanBeCanceled)
        {
            var registration = cancellation.Register(() => Stop(item, new OperationCanceledException(cancellation)));
            _ = end.Task.ContinueWith(
                _ => registration.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        return end.Task;
    }

    public WorkStatistics Statistics(WorkKind kind)
    {
        lock (_gate)
        {
            return _plan.Statistics(kind);
        }
    }

    /// <summary>A line for each kind that had work.</summary>
    public string Explain()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"policy {_options.Policy}, {_options.CpuLanes} processor lanes, ")
            .Append(CultureInfo.InvariantCulture, $"{_options.Accelerators} accelerators");
        foreach (var kind in Enum.GetValues<WorkKind>())
        {
            var s = Statistics(kind);
            if (s.Works + s.Waiting > 0)
            {
                text.AppendLine().Append(
                    CultureInfo.InvariantCulture,
                    $"{kind}: {s.Works} done, {s.Waiting} waiting; processors {s.CpuElements} in {s.CpuSeconds:F3} s, "
                    + $"accelerators {s.AcceleratorElements} in {s.AcceleratorSeconds:F3} s, "
                    + $"{s.AcceleratorFailures} slices given back, longest wait {s.LongestWaitSeconds:F3} s");
            }
        }

        return text.ToString();
    }

    internal bool IsStopping => _stopping;

    private void Serve(int lane)
    {
        var accelerator = lane < _options.CpuLanes ? -1 : lane - _options.CpuLanes;
        while (true)
        {
            Slice? taken;
            lock (_gate)
            {
                if (_stopping)
                {
                    return;
                }

                taken = _plan.Take(accelerator, Now());
            }

            if (taken is not { } slice)
            {
                _wakes[lane].Wait();
                continue;
            }

            var begun = _clock.GetTimestamp();
            var (answer, error) = Do(slice, accelerator);
            TaskCompletionSource? end = null;
            lock (_gate)
            {
                var seconds = _clock.GetElapsedTime(begun).TotalSeconds;
                _plan.Complete(slice, accelerator, Now(), seconds, answer, error);
                if (slice.Item.IsOver)
                {
                    _ends.Remove(slice.Item, out end);
                }
            }

            End(end, slice.Item);
            WakeAll();
        }
    }

    private static (AcceleratorAnswer Answer, Exception? Error) Do(in Slice slice, int accelerator)
    {
        try
        {
            if (slice.OnAccelerator)
            {
                return (slice.Item.Work.OnAccelerator!(accelerator, slice.Start, slice.Count), null);
            }

            slice.Item.Work.OnCpu(slice.Start, slice.Count);
            return (AcceleratorAnswer.Done, null);
        }
        catch (Exception exception)
        {
            return (AcceleratorAnswer.Refused, exception);
        }
    }

    private void Stop(PlannedWork item, Exception reason)
    {
        TaskCompletionSource? end = null;
        lock (_gate)
        {
            _plan.Stop(item, reason);
            if (item.IsOver)
            {
                _ends.Remove(item, out end);
            }
        }

        End(end, item);
    }

    private static void End(TaskCompletionSource? end, PlannedWork item)
    {
        switch (item.Stopped)
        {
            case null:
                end?.TrySetResult();
                break;
            case OperationCanceledException cancelled:
                end?.TrySetCanceled(cancelled.CancellationToken);
                break;
            default:
                end?.TrySetException(item.Stopped);
                break;
        }
    }

    private double Now() => _clock.GetElapsedTime(_started).TotalSeconds;

    private void WakeAll()
    {
        foreach (var wake in _wakes)
        {
            if (wake.CurrentCount == 0)
            {
                wake.Release();
            }
        }
    }

    /// <summary>Ends the lanes after their slices; works that wait are cancelled.</summary>
    public void Dispose()
    {
        List<TaskCompletionSource> left;
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
        }

        WakeAll();
        foreach (var lane in _lanes)
        {
            lane.Join();
        }

        lock (_gate)
        {
            left = [.. _ends.Values];
            _ends.Clear();
        }

        left.ForEach(end => end.TrySetCanceled());
        foreach (var wake in _wakes)
        {
            wake.Dispose();
        }
    }
}
