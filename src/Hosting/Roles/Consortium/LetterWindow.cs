namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Which letters of a sender were read: the newest by number, and all that are older than those.</summary>
/// <remarks>
/// A validator's instances write at the same time and their letters overtake each other, so that a number below the
/// highest one may well be new.
/// </remarks>
internal sealed class LetterWindow
{
    /// <summary>Numbers that are remembered.</summary>
    internal const int Most = 1_024;

    private readonly HashSet<ulong> _read = [];
    private readonly Queue<ulong> _order = [];
    private ulong _forgotten;

    /// <summary>False for a number that was taken, or is below one that is forgotten.</summary>
    internal bool Take(ulong number)
    {
        if (number <= _forgotten || !_read.Add(number))
        {
            return false;
        }

        _order.Enqueue(number);
        if (_order.Count > Most)
        {
            var oldest = _order.Dequeue();
            _read.Remove(oldest);
            _forgotten = Math.Max(_forgotten, oldest);
        }

        return true;
    }
}
