using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State.Paged;

/// <summary>Makes the pages of one tree out of its entries and nodes as a walk from the root brings them.</summary>
/// <remarks>
/// <code>
///   entries in the order of their places ─▶ the page that is open ──too large──▶ split: go on in the half that is open
///                                                 └─ the next entry lies behind it: the page is finished
/// </code>
/// At hand are the open page, the nodes on the way to it, and the pages of nodes and directory above it: a tree of any
/// size in as much memory. All of that can be kept, and gone on with later. The pages are those that a
/// <see cref="PagePlanner"/> might have made: every page that a directory names is there.
/// </remarks>
internal sealed class PageTreeBuilder
{
    private readonly int _pageBytes;
    private readonly List<(Hash256 Place, byte[] Key, byte[] Value)> _entries = [];
    private readonly Stack<PageId> _behind = [];
    private readonly Stack<Inner> _above = [];

    /// <summary>The newest node of each depth: those on the way to the newest entry are among them.</summary>
    private readonly (Hash256 Path, byte[]? Node)[] _nodes = new (Hash256, byte[]?)[(PageId.MostBits / 4) + 1];

    private PageId _open;
    private int _bytes;

    internal PageTreeBuilder(in TrieOwner owner, int pageBytes) =>
        (_pageBytes, _open) = (pageBytes, PageId.RootOf(owner));

    internal TrieOwner Owner => _open.Owner;

    internal void Node(in Hash256 path, int depth, byte[] node)
    {
        if (depth < _nodes.Length)
        {
            _nodes[depth] = (Nibbles.Prefix(path, depth), node);
        }
    }

    /// <summary>The next entry; its place lies behind those before it.</summary>
    /// <param name="place">Keccak-256 of the address or slot.</param>
    /// <param name="key">The entry's key (<see cref="PageKey"/>).</param>
    /// <param name="value">Its value.</param>
    /// <param name="finished">Takes pages that are finished.</param>
    internal void Add(in Hash256 place, byte[] key, byte[] value, Action<PageId, PageEntries> finished)
    {
        while (!_open.Covers(place))
        {
            Next(finished);
        }

        _entries.Add((place, key, value));
        _bytes += SizeOf(key, value);
        while (_bytes > _pageBytes && _entries.Count > 1 && _open.Bits < PageId.MostBits)
        {
            Split(finished);
        }
    }

    /// <summary>There are no more entries: finishes what is open, and the pages behind it, which are empty.</summary>
    internal void End(Action<PageId, PageEntries> finished)
    {
        while (_behind.Count > 0)
        {
            Next(finished);
        }

        Finish(_entries.Count, finished);
        while (_above.TryPop(out var inner))
        {
            finished(inner.Id, inner.Build());
        }
    }

    internal void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        WriteId(writer, _open);
        var behind = writer.BeginList();
        foreach (var id in _behind.Reverse())
        {
            WriteId(writer, id);
        }

        writer.EndList(behind);
        var entries = writer.BeginList();
        foreach (var (_, key, value) in _entries)
        {
            writer.WriteBytes(key);
            writer.WriteBytes(value);
        }

        writer.EndList(entries);
        var above = writer.BeginList();
        foreach (var inner in _above.Reverse())
        {
            inner.Write(writer);
        }

        writer.EndList(above);
        var nodes = writer.BeginList();
        for (var depth = 0; depth < _nodes.Length; depth++)
        {
            if (_nodes[depth].Node is { } node)
            {
                writer.WriteUInt64((ulong)depth);
                writer.WriteHash256(_nodes[depth].Path);
                writer.WriteBytes(node);
            }
        }

        writer.EndList(nodes);
        writer.EndList(list);
    }

    /// <exception cref="RlpException">It is damaged.</exception>
    internal static PageTreeBuilder Read(ref RlpReader reader, int pageBytes)
    {
        var list = reader.ReadList();
        var open = ReadId(ref list);
        var builder = new PageTreeBuilder(open.Owner, pageBytes) { _open = open };
        for (var behind = list.ReadList(); !behind.AtEnd;)
        {
            builder._behind.Push(ReadId(ref behind));
        }

        for (var entries = list.ReadList(); !entries.AtEnd;)
        {
            var (key, value) = (entries.ReadBytes().ToArray(), entries.ReadBytes().ToArray());
            builder._entries.Add((Keccak256.Hash(key.AsSpan(1)), key, value));
            builder._bytes += SizeOf(key, value);
        }

        for (var above = list.ReadList(); !above.AtEnd;)
        {
            builder._above.Push(Inner.Read(ref above));
        }

        for (var nodes = list.ReadList(); !nodes.AtEnd;)
        {
            var depth = nodes.ReadUInt64();
            if (depth >= (ulong)builder._nodes.Length)
            {
                throw new RlpException("A node of a page lies too deep.");
            }

            builder._nodes[depth] = (nodes.ReadHash256(), nodes.ReadBytes().ToArray());
        }

        list.RequireEnd();
        return builder;
    }

    /// <summary>Bytes of an entry in a page (<see cref="PageEntries"/>).</summary>
    private static int SizeOf(byte[] key, byte[] value) => key.Length + 2 + value.Length;

    private void Split(Action<PageId, PageEntries> finished)
    {
        if (_open.Bits % PageDirectory.Levels == 0)
        {
            _above.Push(new Inner(_open));
        }

        var inner = _above.Peek();
        inner.Splits = inner.Splits.WithSplit(_open.Prefix, inner.Id.Bits, _open.Bits);
        var depth = _open.Bits / 4;
        if (_open.Bits % 4 == 0 && _nodes[depth].Node is { } node && _nodes[depth].Path == _open.Prefix)
        {
            inner.Nodes.Add((_open.Prefix, depth, node));
        }

        var (left, right) = (_open.Child(0), _open.Child(1));
        var count = _entries.FindIndex(entry => !left.Covers(entry.Place));
        _open = left;
        if (count < 0)
        {
            _behind.Push(right);
            return;
        }

        Finish(count, finished);
        _open = right;
    }

    /// <summary>The open page is finished; the one behind it is open.</summary>
    private void Next(Action<PageId, PageEntries> finished)
    {
        Finish(_entries.Count, finished);
        _open = _behind.Pop();
        while (!_above.Peek().Id.Covers(_open.Prefix))
        {
            var inner = _above.Pop();
            finished(inner.Id, inner.Build());
        }
    }

    /// <summary>The open page has the first entries, and no more.</summary>
    private void Finish(int count, Action<PageId, PageEntries> finished)
    {
        var builder = new PageEntries.Builder(count, _bytes);
        for (var i = 0; i < count; i++)
        {
            var (place, key, value) = _entries[i];
            builder.Add(place, key, value);
            _bytes -= SizeOf(key, value);
        }

        _entries.RemoveRange(0, count);
        finished(_open, builder.Build());
    }

    private static void WriteId(RlpWriter writer, in PageId id)
    {
        Span<byte> packed = stackalloc byte[PageId.MostPackedBytes];
        writer.WriteBytes(packed[..id.Write(packed)]);
    }

    private static PageId ReadId(ref RlpReader reader)
    {
        var packed = reader.ReadBytes();
        return PageId.TryRead(ref packed, out var id) && packed.IsEmpty
            ? id
            : throw new RlpException("A page's name is damaged.");
    }

    /// <summary>A page of nodes and directory above the open page.</summary>
    private sealed class Inner(PageId id)
    {
        internal PageId Id => id;

        internal PageDirectory Splits { get; set; }

        internal List<(Hash256 Path, int Depth, byte[] Node)> Nodes { get; } = [];

        internal PageEntries Build()
        {
            var placed = Nodes.ConvertAll(node => (Place: PageKey.PlaceOfNode(node.Path, node.Depth), node));
            placed.Sort(static (left, right) => left.Place.CompareTo(right.Place));
            var builder = new PageEntries.Builder(placed.Count + 1, 0);
            foreach (var (place, (path, depth, node)) in placed)
            {
                builder.Add(place, PageKey.OfNode(path, depth), node);
            }

            builder.Add(PageKey.DirectoryPlace, PageKey.DirectoryKey, Splits.Encoded.Span);
            return builder.Build();
        }

        internal void Write(RlpWriter writer)
        {
            var list = writer.BeginList();
            WriteId(writer, id);
            writer.WriteBytes(Splits.Encoded.Span);
            foreach (var (path, depth, node) in Nodes)
            {
                writer.WriteHash256(path);
                writer.WriteUInt64((ulong)depth);
                writer.WriteBytes(node);
            }

            writer.EndList(list);
        }

        internal static Inner Read(ref RlpReader reader)
        {
            var list = reader.ReadList();
            var inner = new Inner(ReadId(ref list)) { Splits = new PageDirectory(list.ReadBytes().ToArray()) };
            while (!list.AtEnd)
            {
                inner.Nodes.Add((list.ReadHash256(), (int)list.ReadUInt64(), list.ReadBytes().ToArray()));
            }

            return inner;
        }
    }
}
