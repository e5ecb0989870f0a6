using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Consensus;

/// <summary>
/// Transactions that this validator took from its clients and that are in no block yet, kept in the store so that an
/// answered submission outlives the process.
/// </summary>
/// <remarks>As many as the pool holds; leftovers of replaced ones go at the next start.</remarks>
internal sealed class SubmissionJournal(IKeyValueStore store, bool sync)
{
    private const byte Prefix = (byte)'J';

    internal void Add(IReadOnlyList<(Hash256 Hash, byte[] Bytes)> transactions)
    {
        using var write = store.CreateBatch();
        foreach (var (hash, bytes) in transactions)
        {
            write.Put(Column.Consensus, Key(hash), bytes);
        }

        store.Write(write, sync);
    }

    internal void Remove(IEnumerable<Hash256> hashes)
    {
        using var write = store.CreateBatch();
        foreach (var hash in hashes)
        {
            write.Delete(Column.Consensus, Key(hash));
        }

        if (write.Count > 0)
        {
            store.Write(write);
        }
    }

    internal List<(Hash256 Hash, byte[] Bytes)> All() =>
        [.. store.Scan(Column.Consensus, new[] { Prefix })
            .Select(entry => (new Hash256(entry.Key.AsSpan(1)), entry.Value))];

    private static byte[] Key(in Hash256 hash) => [Prefix, .. hash.Bytes];
}
