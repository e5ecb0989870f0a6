using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>Changes that meet an extension: they follow it, or a branch comes into its way.</summary>
internal sealed partial class TrieUpdater
{
    /// <summary>
    /// Applies changes where an extension leads from <paramref name="depth"/> to a branch at its end.
    /// </summary>
    private Built UpdateExtension(
        int depth, in Hash256 key, int end, byte[] node, int start, int itemEnd, ReadOnlySpan<TrieChange> changes)
    {
        var fork = end;
        foreach (ref readonly var change in changes)
        {
            if (!change.IsRemoval)
            {
                fork = Math.Min(fork, Nibbles.Common(change.Key, key));
            }
        }

        // What leaves the path before the fork is a removal of a key that is not there.
        changes = Within(changes, key, fork);
        if (fork == end)
        {
            if (changes.IsEmpty)
            {
                return Built.Branch(key, end, AddReference(node.AsSpan(start, itemEnd - start)));
            }

            var built = UpdateChild(end, node, start, itemEnd, changes);
            if (built.Kind != BuiltKind.Branch || built.Depth != end || !_entries[built.Entry].IsStored)
            {
                Forget(node.AsSpan(start, itemEnd - start), key, end);
            }

            return built;
        }

        return Fork(fork, key, end, node, start, itemEnd, changes);
    }

    /// <summary>Puts a branch into an extension's way.</summary>
    private Built Fork(
        int depth, in Hash256 key, int end, byte[] node, int start, int itemEnd, ReadOnlySpan<TrieChange> changes)
    {
        Span<int> children = stackalloc int[16];
        var survivors = 0;
        var survivor = Nothing;
        Built last = default;
        var position = 0;
        var along = Nibbles.At(key, depth);
        for (var nibble = 0; nibble < 16; nibble++)
        {
            children[nibble] = Nothing;
            var groupEnd = position < changes.Length && Nibbles.At(changes[position].Key, depth) == nibble
                ? GroupEnd(changes, position, depth)
                : position;
            var group = changes[position..groupEnd];
            position = groupEnd;
            var built = nibble == along
                ? UpdateExtension(depth + 1, key, end, node, start, itemEnd, group)
                : Fresh(group);
            if (built.Kind != BuiltKind.Nothing)
            {
                children[nibble] = Finish(built, depth + 1);
                survivor = nibble;
                survivors++;
                last = built;
            }
        }

        if (survivors < 2)
        {
            if (survivors == 1 && (last.Kind != BuiltKind.Branch || last.Depth != depth + 1))
            {
                Cancel(children[survivor]);
            }

            return last;
        }

        return Built.Branch(key, depth, AddBranch(key, depth, children, [], default));
    }

    /// <summary>The changes whose key begins with so many nibbles of the given one; they stand together.</summary>
    private static ReadOnlySpan<TrieChange> Within(
        ReadOnlySpan<TrieChange> changes, scoped in Hash256 key, int depth)
    {
        var first = 0;
        while (first < changes.Length && Nibbles.Common(changes[first].Key, key) < depth)
        {
            first++;
        }

        var end = first;
        while (end < changes.Length && Nibbles.Common(changes[end].Key, key) >= depth)
        {
            end++;
        }

        return changes[first..end];
    }
}
