using System.Globalization;
using SuperVm.Core.Encoding;
using SuperVm.Core.Storage;
using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>
/// Filters for nodes of which there are several and which come and go: each is a document, so that any instance answers
/// what another one installed.
/// </summary>
/// <remarks>
/// <code>
///   eth_newFilter ─▶ document {kind, next block, used at, logs}      eth_getFilterChanges ─▶ read, answer next … head,
///                                                                                             replace: next = head + 1
/// </code>
/// A poll writes only where blocks came, or now and then so that the filter is not taken for a forgotten one. It writes
/// after it has read: a process that dies in between answers the same events again, and none is lost. The chain under
/// it never takes a block back.
/// </remarks>
internal sealed class SharedFilterTable(Node node, SharedFilters shared, RpcLimits limits) : IFilterTable
{
    private readonly Lock _gate = new();
    private int _made;
    private long _since = node.WallClock.GetTimestamp();

    /// <summary>Those that this instance installed of late.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _made;
            }
        }
    }

    public UInt128? Add(EventKind kind, LogFilter? filter)
    {
        if (!MayMake())
        {
            return null;
        }

        var id = FilterTable.NewId();
        var record = new FilterRecord(kind, node.Chain.Head.Number + 1, Now, filter);
        return Wait(shared.Documents.CreateAsync(KeyOf(id), record.Encode())).IsDone
            ? id
            : throw new StoreException("A filter's id is taken.");
    }

    public bool TryUse(UInt128 id, Action<IEventReader> use)
    {
        if (Find(id) is not { } found)
        {
            return false;
        }

        var reader = new ChainEventReader(node, found.Record);
        use(reader);
        var (next, usedAt) = (reader.Next, Now);
        if (next != found.Record.Next || usedAt - found.Record.UsedAt >= Lifetime / 4)
        {
            // Where another poll was faster, its place holds: both were answered the same.
            Wait(shared.Documents.ReplaceAsync(
                KeyOf(id), (found.Record with { Next = next, UsedAt = usedAt }).Encode(), found.ETag));
        }

        return true;
    }

    public bool Remove(UInt128 id) =>
        Find(id) is not null && Wait(shared.Documents.DeleteAsync(KeyOf(id))).IsDone;

    private ulong Now => (ulong)node.WallClock.GetUtcNow().ToUnixTimeSeconds();

    private ulong Lifetime => (ulong)limits.FilterLifetime.TotalSeconds;

    private (FilterRecord Record, string ETag)? Find(UInt128 id)
    {
        var key = KeyOf(id);
        if (Wait(shared.Documents.GetAsync(key)) is not { } document)
        {
            return null;
        }

        try
        {
            var record = FilterRecord.Decode(document.Body.Span);
            return record.UsedAt + Lifetime < Now ? null : (record, document.ETag);
        }
        catch (RlpException damage)
        {
            throw new StoreException($"The store is damaged: {key}: {damage.Message}", damage);
        }
    }

    /// <summary>An instance installs no more in a filter's lifetime than one node may hold.</summary>
    private bool MayMake()
    {
        lock (_gate)
        {
            if (node.WallClock.GetElapsedTime(_since) > limits.FilterLifetime)
            {
                (_made, _since) = (0, node.WallClock.GetTimestamp());
            }

            return _made < limits.MaximumFilters && ++_made > 0;
        }
    }

    private DocumentKey KeyOf(UInt128 id)
    {
        var name = id.ToString("x32", CultureInfo.InvariantCulture);
        return new(shared.Container, name, name);
    }

    /// <summary>Handlers of JSON-RPC wait for what they read, as those of state do.</summary>
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
