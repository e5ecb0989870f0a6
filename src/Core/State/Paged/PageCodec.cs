using System.Buffers.Binary;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State.Paged;

/// <summary>Pages and segments as bytes.</summary>
/// <remarks>
/// <code>
///   page      version ‖ height ‖ tag ‖ previous (all ones: none) ‖ oldest ‖ count of segments ‖ segments ‖
///             count of undos ‖ undos ‖ values
///   segment   first ‖ last ‖ length of the name ‖ name
///   undo      height ‖ bytes ‖ values before
///   blob      version ‖ undos to its end
/// </code>
/// Blocks are eight bytes, counts and lengths four, most significant first.
/// </remarks>
internal static class PageCodec
{
    private const byte Version = 1;
    private const ulong None = ulong.MaxValue;
    private const int NumberBytes = 8;
    private const int CountBytes = 4;

    internal static byte[] Encode(Page page)
    {
        var names = page.Segments.Select(segment => System.Text.Encoding.ASCII.GetBytes(segment.Name)).ToArray();
        var length = 1 + (3 * NumberBytes) + Hash256.Size + (2 * CountBytes) + page.Entries.Encoded.Length
            + names.Sum(name => (2 * NumberBytes) + CountBytes + name.Length)
            + page.Log.Sum(undo => NumberBytes + CountBytes + undo.Before.Encoded.Length);
        var body = new byte[length];
        var writer = new Writer(body);
        writer.Byte(Version);
        writer.Number(page.Height);
        writer.Bytes(page.Tag.ToArray());
        writer.Number(page.Previous ?? None);
        writer.Number(page.Oldest);
        writer.Count(names.Length);
        for (var i = 0; i < names.Length; i++)
        {
            writer.Number(page.Segments[i].First);
            writer.Number(page.Segments[i].Last);
            writer.Count(names[i].Length);
            writer.Bytes(names[i]);
        }

        writer.Count(page.Log.Count);
        foreach (var undo in page.Log)
        {
            writer.Undo(undo);
        }

        writer.Bytes(page.Entries.Encoded);
        return body;
    }

    /// <exception cref="StoreException">The bytes are no page.</exception>
    internal static Page Decode(PageId id, ReadOnlySpan<byte> body)
    {
        var reader = new Reader(body, id.Name);
        reader.Version();
        var height = reader.Number();
        var tag = new Hash256(reader.Bytes(Hash256.Size));
        var previous = reader.Number();
        var oldest = reader.Number();
        var segments = new PageSegment[reader.Count((2 * NumberBytes) + CountBytes)];
        for (var i = 0; i < segments.Length; i++)
        {
            var (first, last) = (reader.Number(), reader.Number());
            var segment = System.Text.Encoding.ASCII.GetString(reader.Bytes(reader.Count(1)));
            segments[i] = new PageSegment(segment, first, last);
        }

        var log = new PageUndo[reader.Count(NumberBytes + CountBytes)];
        for (var i = 0; i < log.Length; i++)
        {
            log[i] = reader.Undo();
        }

        return new Page
        {
            Id = id,
            Height = height,
            Tag = tag,
            Previous = previous == None ? null : previous,
            Oldest = oldest,
            Segments = segments,
            Log = log,
            Entries = PageEntries.Decode(reader.Rest),
        };
    }

    internal static byte[] EncodeSegment(IReadOnlyList<PageUndo> log)
    {
        var body = new byte[1 + log.Sum(undo => NumberBytes + CountBytes + undo.Before.Encoded.Length)];
        var writer = new Writer(body);
        writer.Byte(Version);
        foreach (var undo in log)
        {
            writer.Undo(undo);
        }

        return body;
    }

    /// <exception cref="StoreException">The bytes are no segment.</exception>
    internal static IReadOnlyList<PageUndo> DecodeSegment(string name, ReadOnlySpan<byte> body)
    {
        var reader = new Reader(body, name);
        reader.Version();
        var log = new List<PageUndo>();
        while (!reader.Rest.IsEmpty)
        {
            log.Add(reader.Undo());
        }

        return log;
    }

    private ref struct Writer(Span<byte> body)
    {
        private Span<byte> _rest = body;

        internal void Byte(byte value)
        {
            _rest[0] = value;
            _rest = _rest[1..];
        }

        internal void Number(ulong value)
        {
            BinaryPrimitives.WriteUInt64BigEndian(_rest, value);
            _rest = _rest[NumberBytes..];
        }

        internal void Count(int value)
        {
            BinaryPrimitives.WriteInt32BigEndian(_rest, value);
            _rest = _rest[CountBytes..];
        }

        internal void Bytes(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_rest);
            _rest = _rest[bytes.Length..];
        }

        internal void Undo(PageUndo undo)
        {
            Number(undo.Height);
            Count(undo.Before.Encoded.Length);
            Bytes(undo.Before.Encoded);
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> body, string name)
    {
        private readonly string _name = name;

        internal ReadOnlySpan<byte> Rest { get; private set; } = body;

        internal void Version()
        {
            if (Bytes(1)[0] != PageCodec.Version)
            {
                throw new StoreException($"{_name} is of another version; this program reads {PageCodec.Version}.");
            }
        }

        internal ulong Number() => BinaryPrimitives.ReadUInt64BigEndian(Bytes(NumberBytes));

        /// <summary>A count of things that have so many bytes each at least.</summary>
        internal int Count(int atLeast)
        {
            var count = BinaryPrimitives.ReadInt32BigEndian(Bytes(CountBytes));
            return count >= 0 && count <= Rest.Length / atLeast ? count : throw Damaged();
        }

        internal ReadOnlySpan<byte> Bytes(int count)
        {
            if (Rest.Length < count)
            {
                throw Damaged();
            }

            var bytes = Rest[..count];
            Rest = Rest[count..];
            return bytes;
        }

        internal PageUndo Undo()
        {
            var height = Number();
            return new PageUndo(height, PageEntries.Decode(Bytes(Count(1))));
        }

        private readonly StoreException Damaged() => new($"The store is damaged: {_name} cannot be read.");
    }
}
