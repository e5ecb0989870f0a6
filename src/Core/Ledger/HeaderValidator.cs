using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Why a header cannot follow its parent: one named rule each.</summary>
public enum HeaderError : byte
{
    None,

    /// <summary>The number is not the parent's plus one.</summary>
    WrongNumber,

    /// <summary>The timestamp is not above the parent's.</summary>
    TimestampNotAfterParent,

    /// <summary>More than 32 bytes of extra data.</summary>
    ExtraDataTooLong,

    /// <summary>The first ten blocks of the DAO fork carry "dao-hard-fork" (EIP-779).</summary>
    WrongDaoExtraData,

    /// <summary>A gas limit below 5,000, above 2^63 - 1 or a 1,024th or more from the parent's.</summary>
    WrongGasLimit,

    GasUsedAboveLimit,

    /// <summary>Not what the parent and the time between give; after the merge not zero (EIP-3675).</summary>
    WrongDifficulty,

    /// <summary>After the merge the nonce is zero (EIP-3675).</summary>
    NonceNotZero,

    /// <summary>After the merge there are no uncles (EIP-3675).</summary>
    UnclesAfterMerge,

    /// <summary>Not what follows from the parent, missing, or too early (EIP-1559).</summary>
    WrongBaseFee,

    /// <summary>The withdrawals root is missing or too early (EIP-4895).</summary>
    WrongWithdrawalsField,

    /// <summary>A field of blobs or the beacon root is missing or too early (EIP-4844, 4788).</summary>
    WrongBlobFields,

    /// <summary>Blob gas above the schedule's maximum or no whole number of blobs (EIP-4844).</summary>
    WrongBlobGasUsed,

    /// <summary>Not what follows from the parent (EIP-4844, 7918).</summary>
    WrongExcessBlobGas,

    /// <summary>The requests hash is missing or too early (EIP-7685).</summary>
    WrongRequestsField,
}

/// <summary>The rules between a header and its parent. Seals are not checked.</summary>
public static class HeaderValidator
{
    public const int MaximumExtraData = 32;

    private const ulong DaoExtraDataBlocks = 10;

    private static ReadOnlySpan<byte> DaoExtraData => "dao-hard-fork"u8;

    /// <summary>The first rule that the header breaks, or None.</summary>
    /// <param name="header">The header.</param>
    /// <param name="parent">The header whose hash the header states.</param>
    /// <param name="rules">The rules at the header (<see cref="ChainSpec.RulesAt(ulong, ulong, in UInt256)"/>).</param>
    /// <param name="spec">The chain.</param>
    public static HeaderError Validate(BlockHeader header, BlockHeader parent, ForkRules rules, ChainSpec spec)
    {
        var error = CheckPlace(header, parent, spec);
        error = error == HeaderError.None ? CheckGas(header, parent, rules) : error;
        error = error == HeaderError.None ? CheckSealFields(header, parent, rules) : error;
        error = error == HeaderError.None ? CheckFieldsPresent(header, rules) : error;
        return error == HeaderError.None ? CheckBlobs(header, parent, rules) : error;
    }

    private static HeaderError CheckPlace(BlockHeader header, BlockHeader parent, ChainSpec spec)
    {
        if (parent.Number == ulong.MaxValue || header.Number != parent.Number + 1)
        {
            return HeaderError.WrongNumber;
        }

        var isLater = header.Timestamp > parent.Timestamp
            || (spec.AllowsEqualTimestamps && header.Timestamp == parent.Timestamp);
        if (!isLater)
        {
            return HeaderError.TimestampNotAfterParent;
        }

        if (header.ExtraData.Length > MaximumExtraData)
        {
            return HeaderError.ExtraDataTooLong;
        }

        var isDao = spec.DaoForkBlock is { } dao && header.Number >= dao && header.Number - dao < DaoExtraDataBlocks;
        return isDao && !header.ExtraData.Span.SequenceEqual(DaoExtraData)
            ? HeaderError.WrongDaoExtraData
            : HeaderError.None;
    }

    private static HeaderError CheckGas(BlockHeader header, BlockHeader parent, ForkRules rules)
    {
        if (!BaseFee.MayFollow(header.GasLimit, BaseFee.GasLimitBefore(parent, rules)))
        {
            return HeaderError.WrongGasLimit;
        }

        if (header.GasUsed > header.GasLimit)
        {
            return HeaderError.GasUsedAboveLimit;
        }

        UInt256? expected = rules.Eip1559 ? BaseFee.After(parent) : null;
        return header.BaseFeePerGas == expected ? HeaderError.None : HeaderError.WrongBaseFee;
    }

    private static HeaderError CheckSealFields(BlockHeader header, BlockHeader parent, ForkRules rules)
    {
        var expected = rules.Eip3675 ? UInt256.Zero : Difficulty.After(parent, header.Timestamp, rules);
        if (header.Difficulty != expected)
        {
            return HeaderError.WrongDifficulty;
        }

        if (rules.Eip3675 && header.Nonce != 0)
        {
            return HeaderError.NonceNotZero;
        }

        return rules.Eip3675 && header.UnclesHash != BlockCodec.EmptyUnclesHash
            ? HeaderError.UnclesAfterMerge
            : HeaderError.None;
    }

    private static HeaderError CheckFieldsPresent(BlockHeader header, ForkRules rules)
    {
        if (header.WithdrawalsRoot.HasValue != rules.Eip4895)
        {
            return HeaderError.WrongWithdrawalsField;
        }

        if (header.BlobGasUsed.HasValue != rules.Eip4844 || header.ExcessBlobGas.HasValue != rules.Eip4844
            || header.ParentBeaconBlockRoot.HasValue != rules.Eip4788)
        {
            return HeaderError.WrongBlobFields;
        }

        return header.RequestsHash.HasValue == rules.Eip7685 ? HeaderError.None : HeaderError.WrongRequestsField;
    }

    private static HeaderError CheckBlobs(BlockHeader header, BlockHeader parent, ForkRules rules)
    {
        if (rules.Blobs is not { } schedule || header.BlobGasUsed is not { } used)
        {
            return HeaderError.None;
        }

        if (used > BlobFee.MaximumGas(schedule) || used % BlobSchedule.GasPerBlob != 0)
        {
            return HeaderError.WrongBlobGasUsed;
        }

        return header.ExcessBlobGas == BlobFee.ExcessAfter(parent, rules)
            ? HeaderError.None
            : HeaderError.WrongExcessBlobGas;
    }
}
