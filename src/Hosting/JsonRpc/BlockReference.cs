using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>How a request names a block.</summary>
internal enum BlockReferenceKind : byte
{
    Latest,
    Pending,
    Safe,
    Finalized,
    Earliest,
    Number,
    Hash,
}

/// <summary>A block parameter: a tag, a number, a hash or the object form of EIP-1898.</summary>
/// <param name="Kind">Which of these.</param>
/// <param name="Number">With <see cref="BlockReferenceKind.Number"/>.</param>
/// <param name="Hash">With <see cref="BlockReferenceKind.Hash"/>.</param>
/// <param name="RequireCanonical">The block must be on the canonical chain (EIP-1898).</param>
internal readonly record struct BlockReference(
    BlockReferenceKind Kind, ulong Number = 0, Hash256 Hash = default, bool RequireCanonical = false)
{
    internal static BlockReference Latest => new(BlockReferenceKind.Latest);

    /// <summary>Reads a tag, a quantity or a 32-byte hash; false for anything else.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out BlockReference block)
    {
        block = default;
        BlockReferenceKind? tag = text switch
        {
            _ when text.SequenceEqual("latest"u8) => BlockReferenceKind.Latest,
            _ when text.SequenceEqual("pending"u8) => BlockReferenceKind.Pending,
            _ when text.SequenceEqual("safe"u8) => BlockReferenceKind.Safe,
            _ when text.SequenceEqual("finalized"u8) => BlockReferenceKind.Finalized,
            _ when text.SequenceEqual("earliest"u8) => BlockReferenceKind.Earliest,
            _ => null,
        };
        if (tag is { } kind)
        {
            block = new BlockReference(kind);
            return true;
        }

        if (text.Length == 66)
        {
            Span<byte> hash = stackalloc byte[32];
            if (!JsonValues.TryData(text, hash, out _))
            {
                return false;
            }

            block = new BlockReference(BlockReferenceKind.Hash, Hash: new Hash256(hash));
            return true;
        }

        if (!JsonValues.TryQuantity(text, out var number) || !number.IsUInt64)
        {
            return false;
        }

        block = new BlockReference(BlockReferenceKind.Number, number.U0);
        return true;
    }
}
