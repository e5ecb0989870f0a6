using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>What the updater keeps of a node while it works.</summary>
internal sealed partial class TrieUpdater
{
    private enum EntryKind : byte
    {
        /// <summary>A new node.</summary>
        Node,

        /// <summary>A new node at depth 0: hashed and stored even where it is short.</summary>
        Root,

        /// <summary>The reference of a stored node that did not change.</summary>
        Reference,

        /// <summary>A node that was given up again.</summary>
        Cancelled,
    }

    private enum BuiltKind : byte
    {
        Nothing,
        Leaf,
        Branch,
    }

    /// <summary>A node in the buffer; <see cref="Room"/> is where its parent waits for its hash.</summary>
    private struct Entry
    {
        public Hash256 Path;
        public Hash256 Hash;
        public int Owner, Offset, Length, Room;
        public byte Depth;
        public EntryKind Kind;

        /// <summary>Whether it is a new node that its parent refers to by hash.</summary>
        public readonly bool IsStored =>
            Kind == EntryKind.Root || (Kind == EntryKind.Node && Length >= EmbeddedBelow);
    }

    /// <summary>
    /// A subtree whose topmost node is not fixed yet, as its path may still grow upwards: a leaf, or a branch with the
    /// extension that may come to stand above it.
    /// </summary>
    private readonly struct Built
    {
        private Built(BuiltKind kind, in Hash256 key, int depth, int entry, in TrieChange value)
        {
            Kind = kind;
            Key = key;
            Depth = depth;
            Entry = entry;
            Value = value;
        }

        internal readonly BuiltKind Kind;

        /// <summary>A key below the branch.</summary>
        internal readonly Hash256 Key;

        /// <summary>Where the branch stands.</summary>
        internal readonly int Depth;

        /// <summary>The branch's entry.</summary>
        internal readonly int Entry;

        /// <summary>The leaf.</summary>
        internal readonly TrieChange Value;

        internal static Built Leaf(in TrieChange leaf) => new(BuiltKind.Leaf, default, 0, 0, leaf);

        internal static Built Branch(in Hash256 key, int depth, int entry) =>
            new(BuiltKind.Branch, key, depth, entry, default);
    }
}
