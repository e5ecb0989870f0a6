using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State;

/// <summary>
/// A trie node that is to come: whose trie it is of, where it stands, and the hash that it must have.
/// </summary>
/// <param name="IsStorage">Whether it is of an account's storage.</param>
/// <param name="Owner">That account; zero for the trie of accounts.</param>
/// <param name="Path">Its place; nibbles behind the depth do not count.</param>
/// <param name="Depth">Nibbles of the path.</param>
/// <param name="Hash">Keccak-256 of the node.</param>
public readonly record struct StatePlace(bool IsStorage, Address Owner, Hash256 Path, int Depth, Hash256 Hash)
{
    internal TrieOwner Trie => new(IsStorage, Owner);

    internal static StatePlace RootOf(in TrieOwner owner, in Hash256 root) =>
        new(owner.IsStorage, owner.Address, Hash256.Zero, 0, root);

    public void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        writer.WriteOptionalAddress(IsStorage ? Owner : null);
        writer.WriteHash256(Path);
        writer.WriteUInt64((ulong)Depth);
        writer.WriteHash256(Hash);
        writer.EndList(list);
    }

    /// <exception cref="RlpException">Not a place.</exception>
    public static StatePlace Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var owner = list.ReadOptionalAddress();
        var path = list.ReadHash256();
        var depth = list.ReadUInt64();
        var place = depth <= Nibbles.KeyLength
            ? new StatePlace(owner is not null, owner.GetValueOrDefault(), path, (int)depth, list.ReadHash256())
            : throw new RlpException("A place in a trie lies too deep.");
        list.RequireEnd();
        return place;
    }
}

/// <summary>
/// A part of a state: trie nodes in the order of a walk, and the keys whose hashes their leaves name.
/// </summary>
/// <param name="Nodes">The RLP of each.</param>
/// <param name="Keys">An address (20 bytes) or a slot (32 bytes) for each leaf, in the order of the leaves.</param>
public sealed record StateNodes(IReadOnlyList<byte[]> Nodes, IReadOnlyList<byte[]> Keys);

/// <summary>What a node leads to: the same walk on the side that gives a state and on the side that takes it.</summary>
/// <remarks>
/// A stack of places; the top one is next. A node's children go on it so that the first comes first, then the storage
/// of the accounts in its leaves, so that an account's storage follows the account.
/// </remarks>
internal sealed class StateWalk
{
    private readonly List<StatePlace> _children = [];

    /// <summary>The places to come; the last is the next.</summary>
    internal List<StatePlace> Stack { get; } = [];

    internal StatePlace Pop()
    {
        var next = Stack[^1];
        Stack.RemoveAt(Stack.Count - 1);
        return next;
    }

    /// <summary>Pushes a node's children and gives its leaves to the visitor, which pushes storage tries.</summary>
    /// <exception cref="RlpException">Not a trie node.</exception>
    internal void Expand(byte[] node, in StatePlace place, List<(Hash256 Key, ReadOnlyMemory<byte> Value)> leaves)
    {
        _children.Clear();
        leaves.Clear();
        Expand(node, 0, node.Length, place, place.Path, place.Depth, leaves);
        for (var i = _children.Count - 1; i >= 0; i--)
        {
            Stack.Add(_children[i]);
        }
    }

    private void Expand(
        byte[] node, int start, int end, in StatePlace place, in Hash256 path, int depth,
        List<(Hash256 Key, ReadOnlyMemory<byte> Value)> leaves)
    {
        Span<int> items = stackalloc int[TrieNode.BranchItems + 1];
        var count = TrieNode.Items(node.AsSpan(start, end - start), items);
        if (count == TrieNode.BranchItems)
        {
            Require(depth < Nibbles.KeyLength);
            for (var nibble = 0; nibble < TrieNode.BranchItems - 1; nibble++)
            {
                Follow(
                    node, start + items[nibble], start + items[nibble + 1], place,
                    Nibbles.With(Nibbles.Prefix(path, depth), depth, nibble), depth + 1, leaves);
            }

            return;
        }

        var (pathStart, pathLength) = TrieNode.Content(node, start + items[0], start + items[1]);
        Require(pathLength is > 0 and <= 33);
        var added = ((pathLength - 1) * 2) + ((node[pathStart] & 0x10) != 0 ? 1 : 0);
        Require(depth + added <= Nibbles.KeyLength);
        var reached = Nibbles.Append(path, depth, node.AsSpan(pathStart, pathLength), out var reachedDepth);
        if (!Nibbles.IsLeaf(node.AsSpan(pathStart, pathLength)))
        {
            Follow(node, start + items[1], start + items[2], place, reached, reachedDepth, leaves);
            return;
        }

        Require(reachedDepth == Nibbles.KeyLength);
        var (valueStart, valueLength) = TrieNode.Content(node, start + items[1], start + items[2]);
        leaves.Add((reached, node.AsMemory(valueStart, valueLength)));
    }

    private void Follow(
        byte[] node, int start, int end, in StatePlace place, in Hash256 path, int depth,
        List<(Hash256 Key, ReadOnlyMemory<byte> Value)> leaves)
    {
        var item = node.AsSpan(start, end - start);
        if (item.Length == 1 && item[0] == TrieNode.NoReference)
        {
            return;
        }

        if (TrieNode.IsHash(item))
        {
            _children.Add(place with
            {
                Path = path, Depth = depth, Hash = new Hash256(item[1..]),
            });
            return;
        }

        // A child below 32 bytes stands in its parent.
        Expand(node, start, end, place, path, depth, leaves);
    }

    private static void Require(bool holds)
    {
        if (!holds)
        {
            throw new RlpException("A trie node leads beyond the length of its keys.");
        }
    }
}
