using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>A key's new value; a value of no bytes removes the key.</summary>
/// <remarks>Keys of one trie are prefix-free: all 32 bytes long, or RLP integers.</remarks>
internal readonly struct TrieChange(in Hash256 key, byte[] buffer, int offset, int length, int keyNibbles = 64)
{
    /// <summary>The key, zeros behind its last nibble.</summary>
    internal readonly Hash256 Key = key;

    private readonly byte[] _buffer = buffer;
    private readonly int _offset = offset;
    private readonly int _length = length;

    internal readonly int KeyNibbles = keyNibbles;

    internal bool IsRemoval => _length == 0;

    internal ReadOnlySpan<byte> Value => _buffer.AsSpan(_offset, _length);

    internal static void Sort(Span<TrieChange> changes) =>
        changes.Sort(static (left, right) => left.Key.CompareTo(right.Key));
}
