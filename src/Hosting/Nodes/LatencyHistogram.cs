using System.Diagnostics;

namespace SuperVm.Hosting.Nodes;

/// <summary>Counts durations by size: 50 µs to 10 s in 1-2.5-5 steps, and longer. Safe for concurrent use.</summary>
internal sealed class LatencyHistogram
{
    /// <summary>Upper bounds in seconds; one more bucket takes what is longer.</summary>
    internal static readonly double[] Bounds =
    [
        0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ];

    private readonly long[] _counts = new long[Bounds.Length + 1];
    private long _microseconds;

    /// <summary>All durations together, in seconds.</summary>
    internal double Sum => Volatile.Read(ref _microseconds) / 1e6;

    /// <summary>How many durations each bucket took, not cumulated.</summary>
    internal long[] Counts => Array.ConvertAll(_counts, static count => count);

    /// <summary>Notes the time since a time stamp of <see cref="Stopwatch"/>, times over.</summary>
    internal void ObserveSince(long started, int times = 1) => Observe(Stopwatch.GetElapsedTime(started), times);

    internal void Observe(TimeSpan duration, int times = 1)
    {
        var seconds = duration.TotalSeconds;
        var bucket = 0;
        while (bucket < Bounds.Length && seconds > Bounds[bucket])
        {
            bucket++;
        }

        Interlocked.Add(ref _counts[bucket], times);
        Interlocked.Add(ref _microseconds, (long)duration.TotalMicroseconds * times);
    }
}
