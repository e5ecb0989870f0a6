using System.Diagnostics;
using System.Numerics;

namespace SuperVm.Local.Storage;

/// <summary>
/// Counts durations in buckets that grow by an eighth, without locks: percentiles are right to about 12 %.
/// </summary>
/// <remarks>
/// Bucket of a duration d in clock ticks: the position of its highest bit and the three bits below it, so eight buckets
/// to each doubling.
/// </remarks>
internal sealed class LatencyHistogram
{
    private const int StepBits = 3;
    private const int Steps = 1 << StepBits;
    private const int BucketCount = 64 * Steps;

    private readonly long[] _counts = new long[BucketCount];

    internal static long Now => Stopwatch.GetTimestamp();

    internal long Total => _counts.Sum();

    internal void RecordSince(long started) => Interlocked.Increment(ref _counts[BucketOf(Now - started)]);

    /// <summary>
    /// The duration in microseconds that the given share (0 to 1) of all stays at or below; 0 where none was.
    /// </summary>
    internal double Percentile(double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(Total * share));
        long seen = 0;
        for (var bucket = 0; bucket < BucketCount; bucket++)
        {
            seen += Volatile.Read(ref _counts[bucket]);
            if (seen >= rank)
            {
                return UpperEnd(bucket) * 1e6 / Stopwatch.Frequency;
            }
        }

        return 0;
    }

    internal void AddTo(IDictionary<string, double> statistics, string name)
    {
        statistics[$"{name}_count"] = Total;
        statistics[$"{name}_p50_us"] = Percentile(0.5);
        statistics[$"{name}_p99_us"] = Percentile(0.99);
    }

    private static int BucketOf(long ticks)
    {
        var value = (ulong)Math.Max(ticks, 0);
        if (value < Steps)
        {
            return (int)value;
        }

        var shift = BitOperations.Log2(value) - StepBits;
        return ((shift + 1) << StepBits) + (int)((value >> shift) & (Steps - 1));
    }

    private static double UpperEnd(int bucket) => bucket < Steps
        ? bucket
        : Math.ScaleB(Steps + (bucket & (Steps - 1)) + 1, (bucket >> StepBits) - 1);
}
