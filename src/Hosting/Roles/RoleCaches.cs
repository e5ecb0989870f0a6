namespace SuperVm.Hosting.Roles;

/// <summary>
/// What the roles of a process keep in memory only to be faster: whoever keeps such a thing enters how it is given up,
/// and when nothing came for a while all of it is.
/// </summary>
public sealed class RoleCaches
{
    /// <summary>Entries of one process; a service has one or two.</summary>
    private const int Most = 64;

    private readonly Lock _gate = new();
    private readonly List<Action> _forget = [];

    /// <summary>Enters a cache.</summary>
    /// <param name="forget">Empties it; called on any thread, at any time.</param>
    public void Add(Action forget)
    {
        lock (_gate)
        {
            // Services of tests come and go over the same ports; what is beyond the limit is not emptied.
            if (_forget.Count < Most)
            {
                _forget.Add(forget);
            }
        }
    }

    /// <summary>Empties all of them.</summary>
    public void Forget()
    {
        Action[] all;
        lock (_gate)
        {
            all = [.. _forget];
        }

        foreach (var forget in all)
        {
            forget();
        }
    }
}
