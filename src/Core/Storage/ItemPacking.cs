using System.Buffers.Binary;

namespace SuperVm.Core.Storage;

/// <summary>Many small items (transactions) in one message.</summary>
/// <remarks>
/// <code>
/// item   length in bytes (4, big-endian)   bytes
/// </code>
/// one after another, until the body ends. An item that is alone larger than a message has a body of its own, which
/// <see cref="ClaimCheck"/> sends.
/// </remarks>
public static class ItemPacking
{
    /// <summary>Bytes of an item's length.</summary>
    public const int FrameBytes = 4;

    /// <summary>Items in one body.</summary>
    public const int MostItems = 4096;

    /// <summary>Packs items in order into as few bodies of at most the bus's size as that order allows.</summary>
    public static List<byte[]> Pack(IReadOnlyList<ReadOnlyMemory<byte>> items)
    {
        var bodies = new List<byte[]>();
        for (var from = 0; from < items.Count;)
        {
            var to = from;
            var size = 0L;
            while (to < items.Count && to - from < MostItems
                && (to == from || size + FrameBytes + items[to].Length <= BusLimits.MostBodyBytes))
            {
                size += FrameBytes + items[to++].Length;
            }

            bodies.Add(Body(items, from, to, checked((int)size)));
            from = to;
        }

        return bodies;
    }

    /// <summary>The items of a body as slices of it; null where it is none that <see cref="Pack"/> makes.</summary>
    public static List<ReadOnlyMemory<byte>>? Unpack(ReadOnlyMemory<byte> body)
    {
        var items = new List<ReadOnlyMemory<byte>>();
        while (body.Length > 0)
        {
            if (body.Length < FrameBytes || items.Count == MostItems)
            {
                return null;
            }

            var length = BinaryPrimitives.ReadUInt32BigEndian(body.Span);
            if (length > (uint)(body.Length - FrameBytes))
            {
                return null;
            }

            items.Add(body.Slice(FrameBytes, (int)length));
            body = body[(FrameBytes + (int)length)..];
        }

        return items;
    }

    private static byte[] Body(IReadOnlyList<ReadOnlyMemory<byte>> items, int from, int to, int size)
    {
        var body = new byte[size];
        var rest = body.AsSpan();
        for (var i = from; i < to; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(rest, (uint)items[i].Length);
            items[i].Span.CopyTo(rest[FrameBytes..]);
            rest = rest[(FrameBytes + items[i].Length)..];
        }

        return body;
    }
}
