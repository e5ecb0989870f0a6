using SuperVm.Core.Primitives;

namespace SuperVm.Core.Mempool;

/// <summary>Reasons of drops by transaction hash, limited in number and age; the oldest go first.</summary>
internal sealed class DropLog(int maximumRecords, TimeSpan lifetime, TimeProvider clock)
{
    private readonly Dictionary<Hash256, (DropRecord Record, long At)> _records = [];
    private readonly Queue<(Hash256 Hash, long At)> _order = new();

    internal int Count => _records.Count;

    internal void Add(in Hash256 hash, DropRecord record)
    {
        var now = clock.GetTimestamp();
        _records[hash] = (record, now);
        _order.Enqueue((hash, now));
        while (_order.Count > maximumRecords || IsOld(_order.Peek().At, now))
        {
            Forget(_order.Dequeue());
        }
    }

    internal DropRecord? Find(in Hash256 hash) =>
        _records.TryGetValue(hash, out var found) && !IsOld(found.At, clock.GetTimestamp()) ? found.Record : null;

    /// <summary>The transaction is in the pool again.</summary>
    internal void Remove(in Hash256 hash) => _records.Remove(hash);

    private bool IsOld(long at, long now) => clock.GetElapsedTime(at, now) > lifetime;

    private void Forget((Hash256 Hash, long At) oldest)
    {
        if (_records.TryGetValue(oldest.Hash, out var found) && found.At == oldest.At)
        {
            _records.Remove(oldest.Hash);
        }
    }
}
