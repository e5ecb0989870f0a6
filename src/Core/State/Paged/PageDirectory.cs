using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Paged;

/// <summary>Which pages stand below a page that was split: a binary tree of twelve levels, a bit a node.</summary>
/// <remarks>
/// <code>
///   node 1 is the page itself; node i that is split has the children 2i and 2i+1; bit i says whether it is
///   a node of level 12 has a directory of its own, in its own document, once it is split
/// </code>
/// </remarks>
internal readonly struct PageDirectory(ReadOnlyMemory<byte> splits)
{
    /// <summary>
    /// Bits of the place that one directory decides about: three nibbles, so three levels of trie nodes.
    /// </summary>
    internal const int Levels = 12;

    /// <summary>Bytes of a directory in which every node is split.</summary>
    internal const int MostBytes = 1 << (Levels - 3);

    internal ReadOnlyMemory<byte> Encoded => splits;

    /// <summary>
    /// How many bits below <paramref name="from"/> the page has that covers the place; <see cref="Levels"/> where the
    /// document there says more.
    /// </summary>
    internal int Find(in Hash256 place, int from)
    {
        var node = 1;
        for (var level = 0; level < Levels; level++)
        {
            if (!IsSplit(node))
            {
                return level;
            }

            node = (node * 2) + PageId.BitAt(place, from + level);
        }

        return Levels;
    }

    /// <summary>The directory with one more page split: the one that covers the place with so many bits.</summary>
    internal PageDirectory WithSplit(in Hash256 place, int from, int bits)
    {
        var node = 1;
        for (var level = 0; level < bits - from; level++)
        {
            node = (node * 2) + PageId.BitAt(place, from + level);
        }

        var copy = new byte[Math.Max(splits.Length, (node >> 3) + 1)];
        splits.CopyTo(copy);
        copy[node >> 3] |= (byte)(1 << (node & 7));
        return new PageDirectory(copy);
    }

    /// <summary>
    /// The pages below <paramref name="id"/>, whose document this directory is of, that cover any of
    /// <paramref name="part"/>; those of twelve bits more may have a directory of their own.
    /// </summary>
    internal IEnumerable<PageId> Below(PageId id, PageId part)
    {
        var open = new Stack<(PageId Id, int Node)>();
        open.Push((id, 1));
        while (open.TryPop(out var next))
        {
            var shared = Math.Min(next.Id.Bits, part.Bits);
            if (PageId.Of(id.Owner, shared, next.Id.Prefix) != PageId.Of(id.Owner, shared, part.Prefix))
            {
                continue;
            }

            if (next.Id.Bits - id.Bits < Levels && IsSplit(next.Node))
            {
                open.Push((next.Id.Child(1), (next.Node * 2) + 1));
                open.Push((next.Id.Child(0), next.Node * 2));
            }
            else
            {
                yield return next.Id;
            }
        }
    }

    private bool IsSplit(int node) =>
        (node >> 3) < splits.Length && (splits.Span[node >> 3] & (1 << (node & 7))) != 0;
}
