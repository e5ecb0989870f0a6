namespace SuperVm.Core.State.Trie;

/// <summary>Subtrees out of their keys alone.</summary>
internal sealed partial class TrieUpdater
{
    /// <summary>
    /// Builds the subtree of all keys below one path as it hangs at <paramref name="depth"/> nibbles; its nodes come
    /// out of <see cref="Emit"/> after hashing.
    /// </summary>
    /// <remarks>
    /// A node depends on the keys below it and on its depth, so these are the nodes of the whole trie.
    /// </remarks>
    internal void Build(in TrieOwner owner, ReadOnlySpan<TrieChange> keys, int depth)
    {
        Enter(owner);
        var built = Fresh(keys);
        if (built.Kind == BuiltKind.Nothing)
        {
            return;
        }

        var index = Finish(built, depth);
        if (depth == 0)
        {
            MarkRoot(index);
        }
    }
}
