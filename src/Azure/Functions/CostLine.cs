using System.Globalization;

namespace SuperVm.Azure.Functions;

/// <summary>
/// Says now and then what an app asked of the cloud: no route leads to the counters of apps without an HTTP
/// trigger, and their logs are what there is.
/// </summary>
/// <remarks>
/// No timer: a line comes with the end of a request, at most one a minute, and when the app begins to rest. An app that
/// nobody calls says nothing.
/// </remarks>
internal sealed class CostLine(CloudCounters counters, Action<string> log, TimeProvider clock)
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _toldAt = clock.GetTimestamp();
    private Sums _told;

    /// <summary>Says it where a minute has passed.</summary>
    internal void TellIfDue()
    {
        if (clock.GetElapsedTime(Volatile.Read(ref _toldAt)) >= Interval)
        {
            Tell();
        }
    }

    /// <summary>Says what was asked since the last line; nothing where nothing was.</summary>
    internal void Tell()
    {
        lock (_gate)
        {
            var (now, seconds) = (Sums.Of(counters), clock.GetElapsedTime(_toldAt).TotalSeconds);
            Volatile.Write(ref _toldAt, clock.GetTimestamp());
            if (now == _told)
            {
                return;
            }

            log(string.Create(
                CultureInfo.InvariantCulture,
                $"supervm.costs {now.Units - _told.Units:F1} request units, {now.Documents - _told.Documents} document "
                + $"requests, {now.Throttled - _told.Throttled} put off, {now.Queues - _told.Queues} queue operations, "
                + $"{now.Blobs - _told.Blobs} blob operations, {now.Tables - _told.Tables} table requests in "
                + $"{seconds:F0} s"));
            _told = now;
        }
    }

    private readonly record struct Sums(
        double Units, long Documents, long Throttled, long Queues, long Blobs, long Tables)
    {
        internal static Sums Of(CloudCounters counters) => new(
            counters.RequestUnits, counters.DocumentRequests, counters.Throttled, counters.QueueOperations,
            counters.BlobOperations, counters.TableRequests);
    }
}
