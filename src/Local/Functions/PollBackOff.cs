namespace SuperVm.Local.Functions;

/// <summary>How long a queue trigger waits after it found nothing.</summary>
/// <remarks>
/// The first empty look after a message: 100 ms. After the n-th in a row that follows: 100 ms + 2^(n-1) · 100 ms ·
/// (0.8 to 1.2 by lot), at most the longest pause (RandomizedExponentialBackoffStrategy of the WebJobs SDK). An idle
/// queue with the default of a minute costs about 1,440 looks a day.
/// </remarks>
public sealed class PollBackOff(TimeSpan longest, Func<double> lot)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private const int MostDoublings = 20;

    private int _empty;
    private bool _hasFound;

    /// <summary>A message was found.</summary>
    public void Found() => _hasFound = true;

    /// <summary>Nothing was found: the pause before the next look. The lot is in [0, 1).</summary>
    public TimeSpan Empty()
    {
        if (_hasFound)
        {
            (_hasFound, _empty) = (false, 0);
            return Shortest < longest ? Shortest : longest;
        }

        var factor = 0.8 + (0.4 * lot());
        var pause = Shortest + (Shortest * (factor * (1L << Math.Min(_empty++, MostDoublings))));
        return pause < longest ? pause : longest;
    }
}
