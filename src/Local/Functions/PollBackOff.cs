namespace SuperVm.Local.Functions;

/// <summary>How long a queue trigger waits after it found nothing.</summary>
/// <remarks>
/// After the n-th empty look in a row: 100 ms + 2^(n-1) · 100 ms · (0.8 to 1.2 by lot), at most the longest pause. An
/// idle queue with the default of a minute costs about 1,440 looks a day.
/// </remarks>
public sealed class PollBackOff(TimeSpan longest, Func<double> lot)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private const int MostDoublings = 20;

    private int _empty;

    /// <summary>A message was found.</summary>
    public void Found() => _empty = 0;

    /// <summary>Nothing was found: the pause before the next look. The lot is in [0, 1).</summary>
    public TimeSpan Empty()
    {
        var factor = 0.8 + (0.4 * lot());
        var pause = Shortest + (Shortest * (factor * (1L << Math.Min(_empty++, MostDoublings))));
        return pause < longest ? pause : longest;
    }
}
