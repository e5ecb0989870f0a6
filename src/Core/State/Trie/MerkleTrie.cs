using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>A small Merkle Patricia trie in memory with keys of any length (Yellow Paper, appendix D).</summary>
/// <remarks>
/// For keys where one may be a prefix of another, and as the plain reading of the standard that the fast
/// <see cref="TrieUpdater"/> must equal. Not thread-safe.
/// </remarks>
/// <param name="secure">Whether keys are hashed with Keccak-256 first.</param>
public sealed class MerkleTrie(bool secure = false)
{
    private readonly SortedDictionary<byte[], byte[]> _pairs = new(ByOrder.Instance);
    private Node? _root;

    /// <summary>The root's hash; that of the empty string's RLP where no key is set.</summary>
    public Hash256 Root => _root is null ? TrieUpdater.EmptyRoot : Keccak256.Hash(Encode(_root));

    /// <summary>Keys as they stand in the trie (hashed in a secure one), in byte order, with their values.</summary>
    public IEnumerable<KeyValuePair<byte[], byte[]>> Pairs => _pairs;

    /// <summary>Sets the key; an empty value removes it.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var placed = Place(key);
        if (value.IsEmpty)
        {
            if (_pairs.Remove(placed))
            {
                _root = Remove(_root!, Unpack(placed), 0);
            }

            return;
        }

        var copy = value.ToArray();
        _pairs[placed] = copy;
        _root = Insert(_root, Unpack(placed), 0, copy);
    }

    /// <summary>Removes the key where it is set.</summary>
    public void Delete(ReadOnlySpan<byte> key) => Put(key, []);

    /// <summary>The value, or null where the key is not set.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key) => _pairs.GetValueOrDefault(Place(key));

    private byte[] Place(ReadOnlySpan<byte> key) => secure ? Keccak256.Hash(key).ToArray() : key.ToArray();

    private static byte[] Unpack(byte[] key)
    {
        var nibbles = new byte[key.Length * 2];
        for (var i = 0; i < nibbles.Length; i++)
        {
            nibbles[i] = (byte)((i & 1) == 0 ? key[i / 2] >> 4 : key[i / 2] & 0x0F);
        }

        return nibbles;
    }

    private static Node Insert(Node? node, byte[] key, int depth, byte[] value)
    {
        switch (node)
        {
            case null:
                return new Leaf(key[depth..], value);
            case Branch branch when depth == key.Length:
                branch.Value = value;
                return branch;
            case Branch branch:
                ref var child = ref branch.Children[key[depth]];
                child = Insert(child, key, depth + 1, value);
                return branch;
            case Leaf leaf when key.AsSpan(depth).SequenceEqual(leaf.Path):
                return new Leaf(leaf.Path, value);
        }

        var path = node is Leaf { Path: var leafPath } ? leafPath : ((Extension)node).Path;
        var shared = key.AsSpan(depth).CommonPrefixLength(path);
        if (node is Extension extension && shared == path.Length)
        {
            return new Extension(path, Insert(extension.Child, key, depth + shared, value));
        }

        // The paths part ways: a branch takes what is left of both.
        Node fork = new Branch();
        fork = node is Leaf old
            ? Insert(fork, path, shared, old.Value)
            : Attach((Branch)fork, (Extension)node, shared);
        fork = Insert(fork, key, depth + shared, value);
        return shared == 0 ? fork : new Extension(path[..shared], fork);
    }

    private static Branch Attach(Branch branch, Extension extension, int shared)
    {
        var rest = extension.Path[(shared + 1)..];
        branch.Children[extension.Path[shared]] =
            rest.Length == 0 ? extension.Child : new Extension(rest, extension.Child);
        return branch;
    }

    /// <summary>Removes a key that is set; null where nothing is left.</summary>
    private static Node? Remove(Node node, byte[] key, int depth)
    {
        switch (node)
        {
            case Leaf:
                return null;
            case Extension extension:
                return Prepend(extension.Path, Remove(extension.Child, key, depth + extension.Path.Length)!);
            default:
                var branch = (Branch)node;
                if (depth == key.Length)
                {
                    branch.Value = null;
                }
                else
                {
                    ref var child = ref branch.Children[key[depth]];
                    child = Remove(child!, key, depth + 1);
                }

                return Simplify(branch);
        }
    }

    /// <summary>A branch with one thing left is no branch.</summary>
    private static Node Simplify(Branch branch)
    {
        var left = branch.Children.Count(child => child is not null);
        if (left + (branch.Value is null ? 0 : 1) > 1)
        {
            return branch;
        }

        if (branch.Value is { } value)
        {
            return new Leaf([], value);
        }

        var nibble = Array.FindIndex(branch.Children, child => child is not null);
        return Prepend([(byte)nibble], branch.Children[nibble]!);
    }

    private static Node Prepend(byte[] path, Node node) => node switch
    {
        Leaf leaf => new Leaf([.. path, .. leaf.Path], leaf.Value),
        Extension extension => new Extension([.. path, .. extension.Path], extension.Child),
        _ => new Extension(path, node),
    };

    private static byte[] Encode(Node node)
    {
        var writer = new RlpWriter();
        var list = writer.BeginList();
        switch (node)
        {
            case Leaf leaf:
                writer.WriteBytes(HexPrefix(leaf.Path, true));
                writer.WriteBytes(leaf.Value);
                break;
            case Extension extension:
                writer.WriteBytes(HexPrefix(extension.Path, false));
                WriteReference(writer, extension.Child);
                break;
            default:
                var branch = (Branch)node;
                foreach (var child in branch.Children)
                {
                    WriteReference(writer, child);
                }

                writer.WriteBytes(branch.Value);
                break;
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    private static void WriteReference(RlpWriter writer, Node? child)
    {
        if (child is null)
        {
            writer.WriteBytes([]);
            return;
        }

        var encoded = Encode(child);
        if (encoded.Length < Hash256.Size)
        {
            writer.WriteRaw(encoded);
        }
        else
        {
            writer.WriteHash256(Keccak256.Hash(encoded));
        }
    }

    private static byte[] HexPrefix(byte[] nibbles, bool leaf)
    {
        var flag = leaf ? 2 : 0;
        var odd = nibbles.Length % 2;
        var bytes = new byte[1 + (nibbles.Length / 2)];
        bytes[0] = (byte)(odd == 1 ? ((flag + 1) << 4) | nibbles[0] : flag << 4);
        for (var i = 1; i < bytes.Length; i++)
        {
            var at = odd + ((i - 1) * 2);
            bytes[i] = (byte)((nibbles[at] << 4) | nibbles[at + 1]);
        }

        return bytes;
    }

    private abstract class Node;

    private sealed class Leaf(byte[] path, byte[] value) : Node
    {
        internal byte[] Path => path;

        internal byte[] Value => value;
    }

    private sealed class Extension(byte[] path, Node child) : Node
    {
        internal byte[] Path => path;

        internal Node Child => child;
    }

    private sealed class Branch : Node
    {
        internal Node?[] Children { get; } = new Node?[16];

        internal byte[]? Value { get; set; }
    }

    private sealed class ByOrder : IComparer<byte[]>
    {
        internal static ByOrder Instance { get; } = new();

        public int Compare(byte[]? left, byte[]? right) => left.AsSpan().SequenceCompareTo(right);
    }
}
