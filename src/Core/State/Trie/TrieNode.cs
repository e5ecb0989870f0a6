using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>Reading the RLP of trie nodes (Yellow Paper, appendix D).</summary>
/// <remarks>
/// <code>
///   branch     [ref 0, … ref 15, value]     a ref: 0x80 for none, 0xA0 ‖ hash, or the child itself below 32 bytes
///   extension  [hex-prefix path, ref]
///   leaf       [hex-prefix path, value]
/// </code>
/// </remarks>
internal static class TrieNode
{
    /// <summary>Items of a branch.</summary>
    internal const int BranchItems = 17;

    /// <summary>Bytes of a reference by hash.</summary>
    internal const int HashReferenceLength = 33;

    /// <summary>The first byte of a reference by hash.</summary>
    internal const byte HashReference = 0xA0;

    /// <summary>The reference to no child, and RLP's empty string.</summary>
    internal const byte NoReference = 0x80;

    /// <summary>
    /// Where the items of a node begin: starts[i] for item i, starts[count] the end. Answers the count: 2 or 17.
    /// </summary>
    /// <exception cref="RlpException">Not a trie node.</exception>
    internal static int Items(ReadOnlySpan<byte> node, Span<int> starts)
    {
        var reader = new RlpReader(node);
        var header = 1;
        if (node.Length > 0 && node[0] > 0xF7)
        {
            header += node[0] - 0xF7;
        }

        var list = reader.ReadList();
        reader.RequireEnd();
        var count = 0;
        while (!list.AtEnd && count < BranchItems)
        {
            starts[count++] = header + list.Position;
            list.ReadItem();
        }

        starts[count] = header + list.Position;
        if (!list.AtEnd || count is not (2 or BranchItems))
        {
            throw new RlpException("A trie node has 2 or 17 items.");
        }

        return count;
    }

    /// <summary>Where the content of the string item at <paramref name="start"/> lies in the node.</summary>
    internal static (int Offset, int Length) Content(ReadOnlySpan<byte> node, int start, int end)
    {
        var prefix = node[start];
        return prefix switch
        {
            < 0x80 => (start, 1),
            <= 0xB7 => (start + 1, end - start - 1),
            _ => (start + 1 + (prefix - 0xB7), end - start - 1 - (prefix - 0xB7)),
        };
    }

    /// <summary>Whether the item refers to its child by hash.</summary>
    internal static bool IsHash(ReadOnlySpan<byte> item) =>
        item.Length == HashReferenceLength && item[0] == HashReference;
}

/// <summary>Whose trie: the accounts', or an account's storage.</summary>
/// <param name="IsStorage">Whether it is a storage trie.</param>
/// <param name="Address">The account; zero for the trie of accounts.</param>
internal readonly record struct TrieOwner(bool IsStorage, Address Address)
{
    internal static TrieOwner Accounts => default;

    internal static TrieOwner Storage(in Address address) => new(true, address);
}

/// <summary>Where the nodes of committed tries come from.</summary>
internal interface ITrieNodeSource
{
    /// <summary>
    /// The node at the first <paramref name="depth"/> nibbles of <paramref name="path"/> with this hash.
    /// </summary>
    /// <exception cref="Storage.StoreException">The node is missing or damaged.</exception>
    byte[] Load(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash);
}

/// <summary>The source of tries that begin empty.</summary>
internal sealed class NoTrieNodes : ITrieNodeSource
{
    internal static NoTrieNodes Instance { get; } = new();

    public byte[] Load(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash) =>
        throw new InvalidOperationException("A trie that began empty has no stored nodes.");
}
