namespace SuperVm.Core.State.Paged;

/// <summary>Which pages the last blocks changed: whether a copy that was read at an earlier head still holds.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class PageChanges
{
    /// <summary>
    /// Pages that are remembered one by one; when there are more, all copies from before are given up.
    /// </summary>
    private const int MostRemembered = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<PageId, ulong> _last = [];
    private ulong _head;
    private ulong _floor;

    /// <summary>The head that reads now are of.</summary>
    internal ulong Head
    {
        get
        {
            lock (_gate)
            {
                return _head;
            }
        }
    }

    /// <summary>Whether a copy read at the head <paramref name="seen"/> is what a read would find now.</summary>
    internal bool IsCurrent(in PageId id, ulong seen)
    {
        lock (_gate)
        {
            return seen >= _floor && (!_last.TryGetValue(id, out var changed) || seen >= changed);
        }
    }

    /// <summary>The head moved on by one block, which changed these pages; null: nobody knows which.</summary>
    internal void Advance(ulong number, IReadOnlyCollection<PageId>? changed)
    {
        lock (_gate)
        {
            if (changed is null || number != _head + 1 || _last.Count + changed.Count > MostRemembered)
            {
                _floor = number;
                _last.Clear();
            }
            else
            {
                foreach (var id in changed)
                {
                    _last[id] = number;
                }
            }

            _head = number;
        }
    }
}
