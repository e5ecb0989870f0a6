using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>The buffer of new nodes: encoding, hashing, and what comes out.</summary>
internal sealed partial class TrieUpdater
{
    private const int InitialNodes = 16;
    private const int InitialBytes = 2_048;

    /// <summary>A node of fewer bytes stands in its parent instead of its hash.</summary>
    private const int EmbeddedBelow = 32;

    private Entry[] _entries = new Entry[InitialNodes];
    private int _count;
    private byte[] _bytes = new byte[InitialBytes];
    private int _length;

    /// <summary>Hashes all new nodes; nothing may be added after that.</summary>
    internal void HashAll()
    {
        Span<int> ends = stackalloc int[Nibbles.KeyLength + 2];
        ends.Clear();
        for (var i = 0; i < _count; i++)
        {
            ends[_entries[i].Depth + 1]++;
        }

        for (var depth = 1; depth < ends.Length; depth++)
        {
            ends[depth] += ends[depth - 1];
        }

        var order = new int[_count];
        Span<int> next = stackalloc int[Nibbles.KeyLength + 2];
        ends.CopyTo(next);
        for (var i = 0; i < _count; i++)
        {
            order[next[_entries[i].Depth]++] = i;
        }

        var inputs = new KeccakInput[_count];
        var digests = new Hash256[_count];
        for (var depth = Nibbles.KeyLength; depth >= 0; depth--)
        {
            HashLevel(order.AsSpan(ends[depth], ends[depth + 1] - ends[depth]), inputs, digests);
        }
    }

    /// <summary>The root of a trie; valid after <see cref="HashAll"/>.</summary>
    internal Hash256 RootOf(int index)
    {
        if (index == Nothing)
        {
            return EmptyRoot;
        }

        ref var entry = ref _entries[index];
        return entry.Kind == EntryKind.Reference
            ? new Hash256(_bytes.AsSpan(entry.Offset + 1, Hash256.Size))
            : entry.Hash;
    }

    /// <summary>The item that a parent holds for the node; empty for none. Valid after <see cref="HashAll"/>.</summary>
    internal byte[] ReferenceTo(int index)
    {
        if (index == Nothing)
        {
            return [];
        }

        ref var entry = ref _entries[index];
        if (!entry.IsStored)
        {
            return _bytes.AsSpan(entry.Offset, entry.Length).ToArray();
        }

        var reference = new byte[TrieNode.HashReferenceLength];
        reference[0] = TrieNode.HashReference;
        entry.Hash.CopyTo(reference.AsSpan(1));
        return reference;
    }

    /// <summary>Hands every new node that stands for itself to the sink; valid after <see cref="HashAll"/>.</summary>
    internal void Emit<TSink>(ref TSink sink)
        where TSink : struct, ITrieNodeSink
    {
        foreach (var removed in _removed)
        {
            sink.Remove(removed.Owner, removed.Path, removed.Depth);
        }

        foreach (ref var entry in _entries.AsSpan(0, _count))
        {
            if (entry.IsStored)
            {
                var bytes = _bytes.AsSpan(entry.Offset, entry.Length);
                sink.Put(_owners[entry.Owner], entry.Path, entry.Depth, entry.Hash, bytes);
            }
        }
    }

    private void HashLevel(ReadOnlySpan<int> level, KeccakInput[] inputs, Hash256[] digests)
    {
        var count = 0;
        foreach (var index in level)
        {
            ref var entry = ref _entries[index];
            if (entry.IsStored)
            {
                inputs[count++] = new KeccakInput(entry.Offset, entry.Length);
            }
        }

        Keccak256.HashMany(_bytes.AsSpan(0, _length), inputs.AsSpan(0, count), digests.AsSpan(0, count));
        count = 0;
        foreach (var index in level)
        {
            ref var entry = ref _entries[index];
            if (entry.IsStored)
            {
                entry.Hash = digests[count++];
                if (entry.Room > 0)
                {
                    entry.Hash.CopyTo(_bytes.AsSpan(entry.Room, Hash256.Size));
                }
            }
        }
    }

    /// <summary>Makes the node that stands at <paramref name="depth"/> for what was built there or below.</summary>
    private int Finish(in Built built, int depth)
    {
        if (built.Kind == BuiltKind.Leaf)
        {
            return AddLeaf(built.Value, depth);
        }

        return built.Depth == depth ? built.Entry : AddExtension(built.Key, depth, built.Depth, built.Entry);
    }

    /// <summary>As <see cref="Finish"/>, where a node may have been stored at the same path before.</summary>
    private int FinishChild(in Built built, byte[] node, int start, int end, in Hash256 path, int depth)
    {
        var entry = Finish(built, depth);
        if (_entries[entry].Kind == EntryKind.Node && !_entries[entry].IsStored)
        {
            Forget(node.AsSpan(start, end - start), path, depth);
        }

        return entry;
    }

    private void Forget(ReadOnlySpan<byte> item, in Hash256 path, int depth)
    {
        if (TrieNode.IsHash(item))
        {
            _removed.Add(new RemovedNode(_owner, path, depth));
        }
    }

    private void Cancel(int entry) => _entries[entry].Kind = EntryKind.Cancelled;

    private int MarkRoot(int index)
    {
        ref var entry = ref _entries[index];
        if (entry.Kind == EntryKind.Node)
        {
            entry.Kind = EntryKind.Root;
        }

        return index;
    }

    private int AddLeaf(in TrieChange leaf, int depth)
    {
        var path = Nibbles.HexPrefixLength(leaf.KeyNibbles - depth);
        Span<byte> hexPrefix = stackalloc byte[Nibbles.HexPrefixLength(Nibbles.KeyLength)];
        hexPrefix = hexPrefix[..path];
        Nibbles.WriteHexPrefix(leaf.Key, depth, leaf.KeyNibbles, true, hexPrefix);
        var value = leaf.Value;
        var payload = StringLength(hexPrefix) + StringLength(value);
        var index = Open(leaf.Key, depth, payload);
        WriteString(hexPrefix);
        WriteString(value);
        return index;
    }

    private int AddExtension(in Hash256 key, int depth, int end, int child)
    {
        Span<byte> hexPrefix = stackalloc byte[Nibbles.HexPrefixLength(Nibbles.KeyLength)];
        hexPrefix = hexPrefix[..Nibbles.HexPrefixLength(end - depth)];
        Nibbles.WriteHexPrefix(key, depth, end, false, hexPrefix);
        var index = Open(key, depth, StringLength(hexPrefix) + ReferenceLength(child));
        WriteString(hexPrefix);
        WriteReference(child);
        return index;
    }

    /// <summary>A branch of new children, and of old ones as they stand in the node that it replaces.</summary>
    private int AddBranch(
        in Hash256 key, int depth, ReadOnlySpan<int> children, byte[] node, ReadOnlySpan<int> items)
    {
        var payload = 1;
        for (var nibble = 0; nibble < 16; nibble++)
        {
            payload += children[nibble] switch
            {
                Nothing => 1,
                Unchanged => items[nibble + 1] - items[nibble],
                var child => ReferenceLength(child),
            };
        }

        var index = Open(key, depth, payload);
        for (var nibble = 0; nibble < 16; nibble++)
        {
            switch (children[nibble])
            {
                case Nothing:
                    _bytes[_length++] = TrieNode.NoReference;
                    break;
                case Unchanged:
                    Append(node.AsSpan(items[nibble], items[nibble + 1] - items[nibble]));
                    break;
                default:
                    WriteReference(children[nibble]);
                    break;
            }
        }

        _bytes[_length++] = TrieNode.NoReference;
        return index;
    }

    private int AddHashReference(in Hash256 hash)
    {
        Span<byte> item = stackalloc byte[TrieNode.HashReferenceLength];
        item[0] = TrieNode.HashReference;
        hash.CopyTo(item[1..]);
        return AddReference(item);
    }

    private int AddReference(ReadOnlySpan<byte> item)
    {
        Reserve(item.Length);
        var index = AddEntry(default, 0, EntryKind.Reference, _length, item.Length);
        Append(item);
        return index;
    }

    /// <summary>Begins a node: its entry, room for all of it, and the list's prefix.</summary>
    private int Open(in Hash256 path, int depth, int payload)
    {
        var prefix = PrefixLength(payload);
        Reserve(prefix + payload);
        var index = AddEntry(path, depth, EntryKind.Node, _length, prefix + payload);
        WritePrefix(payload, 0xC0);
        return index;
    }

    private int AddEntry(in Hash256 path, int depth, EntryKind kind, int offset, int length)
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _count * 2);
        }

        ref var entry = ref _entries[_count];
        entry.Path = path;
        entry.Depth = (byte)depth;
        entry.Kind = kind;
        entry.Owner = _owners.Count - 1;
        entry.Offset = offset;
        entry.Length = length;
        entry.Room = 0;
        return _count++;
    }

    private int ReferenceLength(int child) =>
        _entries[child].IsStored ? TrieNode.HashReferenceLength : _entries[child].Length;

    private void WriteReference(int child)
    {
        ref var entry = ref _entries[child];
        if (!entry.IsStored)
        {
            Append(_bytes.AsSpan(entry.Offset, entry.Length));
            return;
        }

        _bytes[_length++] = TrieNode.HashReference;
        entry.Room = _length;
        _length += Hash256.Size;
    }

    private void WriteString(ReadOnlySpan<byte> value)
    {
        if (value.Length != 1 || value[0] >= 0x80)
        {
            WritePrefix(value.Length, 0x80);
        }

        Append(value);
    }

    private void WritePrefix(int payload, int shortBase)
    {
        if (payload < 56)
        {
            _bytes[_length++] = (byte)(shortBase + payload);
            return;
        }

        var count = PrefixLength(payload) - 1;
        _bytes[_length++] = (byte)(shortBase + 55 + count);
        for (var shift = (count - 1) * 8; shift >= 0; shift -= 8)
        {
            _bytes[_length++] = (byte)(payload >> shift);
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - _length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }
    }

    private static int StringLength(ReadOnlySpan<byte> value) =>
        value.Length == 1 && value[0] < 0x80 ? 1 : PrefixLength(value.Length) + value.Length;

    private static int PrefixLength(int payload) => payload switch
    {
        < 56 => 1,
        < 0x100 => 2,
        < 0x1_0000 => 3,
        < 0x100_0000 => 4,
        _ => 5,
    };
}

/// <summary>Takes the nodes that an update made.</summary>
internal interface ITrieNodeSink
{
    void Remove(in TrieOwner owner, in Hash256 path, int depth);

    void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node);
}
