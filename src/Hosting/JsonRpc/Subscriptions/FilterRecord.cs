using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Methods;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>A filter as a document.</summary>
/// <remarks>
/// <code>
///   rlp [ version 1, kind, next block, used at, []  |  [ [from]?, [to]?, [addresses], [[topics of a place] …] ] ]
///   a bound: [] for none, else [kind of reference, number, hash]
/// </code>
/// </remarks>
/// <param name="Kind">What it is about.</param>
/// <param name="Next">The first block that was not told of.</param>
/// <param name="UsedAt">Seconds since 1970; after a while without use it is gone.</param>
/// <param name="Filter">Which logs; null for other kinds.</param>
internal sealed record FilterRecord(EventKind Kind, ulong Next, ulong UsedAt, LogFilter? Filter)
{
    private const ulong Version = 1;

    internal byte[] Encode()
    {
        var writer = new RlpWriter(512);
        var list = writer.BeginList();
        writer.WriteUInt64(Version);
        writer.WriteUInt64((ulong)Kind);
        writer.WriteUInt64(Next);
        writer.WriteUInt64(UsedAt);
        var logs = writer.BeginList();
        if (Filter is { } filter)
        {
            WriteBound(writer, filter.From);
            WriteBound(writer, filter.To);
            WriteList(writer, filter.Addresses, static (to, address) => to.WriteAddress(address));
            WriteList(
                writer, filter.Topics,
                static (to, place) => WriteList(to, place, static (into, topic) => into.WriteHash256(topic)));
        }

        writer.EndList(logs);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <exception cref="RlpException">The bytes are no filter, or one of a newer program.</exception>
    internal static FilterRecord Decode(ReadOnlySpan<byte> bytes)
    {
        var whole = new RlpReader(bytes);
        var list = whole.ReadList();
        whole.RequireEnd();
        var version = list.ReadUInt64();
        if (version != Version)
        {
            throw new RlpException($"A filter of version {version} is not read by this program.");
        }

        var kind = (EventKind)list.ReadUInt64();
        if (!Enum.IsDefined(kind))
        {
            throw new RlpException("A filter is of no known kind.");
        }

        var (next, usedAt) = (list.ReadUInt64(), list.ReadUInt64());
        var logs = list.ReadList();
        list.RequireEnd();
        return new(kind, next, usedAt, logs.AtEnd ? null : ReadFilter(logs));
    }

    private static LogFilter ReadFilter(RlpReader logs)
    {
        var filter = new LogFilter { From = ReadBound(ref logs), To = ReadBound(ref logs) };
        for (var addresses = logs.ReadList(); !addresses.AtEnd;)
        {
            filter.Addresses.Add(addresses.ReadAddress());
        }

        for (var places = logs.ReadList(); !places.AtEnd;)
        {
            var topics = new List<Hash256>();
            for (var place = places.ReadList(); !place.AtEnd;)
            {
                topics.Add(place.ReadHash256());
            }

            filter.Topics.Add(topics);
        }

        logs.RequireEnd();
        return filter;
    }

    private static void WriteBound(RlpWriter writer, BlockReference? bound)
    {
        var list = writer.BeginList();
        if (bound is { } known)
        {
            writer.WriteUInt64((ulong)known.Kind);
            writer.WriteUInt64(known.Number);
            writer.WriteHash256(known.Hash);
        }

        writer.EndList(list);
    }

    private static BlockReference? ReadBound(ref RlpReader reader)
    {
        var list = reader.ReadList();
        if (list.AtEnd)
        {
            return null;
        }

        var bound = new BlockReference((BlockReferenceKind)list.ReadUInt64(), list.ReadUInt64(), list.ReadHash256());
        list.RequireEnd();
        return Enum.IsDefined(bound.Kind)
            ? bound
            : throw new RlpException("A filter's bound is of no known kind.");
    }

    private static void WriteList<T>(RlpWriter writer, List<T> items, Action<RlpWriter, T> write)
    {
        var list = writer.BeginList();
        items.ForEach(item => write(writer, item));
        writer.EndList(list);
    }
}
