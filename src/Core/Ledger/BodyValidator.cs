using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Why a body does not belong to its header or to its chain: one named rule each.</summary>
public enum BodyError : byte
{
    None,

    /// <summary>The header's hash of the uncles is another.</summary>
    WrongUnclesHash,

    /// <summary>More than two uncles, or any after the merge.</summary>
    TooManyUncles,

    /// <summary>An uncle stands twice in the block or was an uncle of an ancestor.</summary>
    UncleAlreadyIncluded,

    /// <summary>An uncle is an ancestor of the block.</summary>
    UncleIsAncestor,

    /// <summary>An uncle's parent is none of the second to seventh ancestors.</summary>
    UncleNotRelated,

    /// <summary>An uncle's header is not valid after its parent.</summary>
    InvalidUncleHeader,

    /// <summary>Withdrawals are missing or too early (EIP-4895).</summary>
    WrongWithdrawals,

    /// <summary>The blobs of the transactions are not what the header says (EIP-4844).</summary>
    WrongBlobGasUsed,

    /// <summary>More than 8 MiB of RLP (EIP-7934).</summary>
    BlockTooLarge,
}

/// <summary>The rules of a block's body that need neither its execution nor a trie.</summary>
public static class BodyValidator
{
    /// <summary>Bytes of a block's RLP: 10 MiB less 2 MiB for the beacon block around it (EIP-7934).</summary>
    public const int MaximumBlockBytes = (10 << 20) - (2 << 20);

    private const int MaximumUncles = 2;
    private const int UncleGenerations = 7;

    /// <summary>
    /// The first rule that the body breaks, or None; for uncles <see cref="ValidateUncles"/> comes after.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="encodedSize">Bytes of its RLP.</param>
    /// <param name="rules">The rules at the block.</param>
    public static BodyError Validate(Block block, int encodedSize, ForkRules rules)
    {
        if (rules.Eip7934 && encodedSize > MaximumBlockBytes)
        {
            return BodyError.BlockTooLarge;
        }

        if (BlockCodec.UnclesHash(block.Uncles) != block.Header.UnclesHash)
        {
            return BodyError.WrongUnclesHash;
        }

        if (block.Uncles.Count > (rules.Eip3675 ? 0 : MaximumUncles))
        {
            return BodyError.TooManyUncles;
        }

        if (block.Withdrawals is not null != rules.Eip4895)
        {
            return BodyError.WrongWithdrawals;
        }

        if (!rules.Eip4844)
        {
            return BodyError.None;
        }

        ulong blobGas = 0;
        foreach (var transaction in block.Transactions)
        {
            blobGas += transaction.BlobGas;
        }

        return blobGas == block.Header.BlobGasUsed ? BodyError.None : BodyError.WrongBlobGasUsed;
    }

    /// <summary>
    /// Checks uncles against the block's ancestors (Yellow Paper, 11.1); nothing to do without uncles.
    /// </summary>
    /// <param name="block">The block, its parent known.</param>
    /// <param name="spec">The chain.</param>
    /// <param name="find">A block by its hash; null where it is not known.</param>
    public static BodyError ValidateUncles(Block block, ChainSpec spec, Func<Hash256, Block?> find)
    {
        if (block.Uncles.Count == 0)
        {
            return BodyError.None;
        }

        var ancestors = new Dictionary<Hash256, BlockHeader>();
        var included = new HashSet<Hash256>();
        var hash = block.Header.ParentHash;
        for (var i = 0; i < UncleGenerations && find(hash) is { } ancestor; i++)
        {
            ancestors.Add(hash, ancestor.Header);
            foreach (var uncle in ancestor.Uncles)
            {
                included.Add(HeaderCodec.Hash(uncle));
            }

            hash = ancestor.Header.ParentHash;
        }

        foreach (var uncle in block.Uncles)
        {
            var uncleHash = HeaderCodec.Hash(uncle);
            if (!included.Add(uncleHash))
            {
                return BodyError.UncleAlreadyIncluded;
            }

            var error = CheckUncle(uncle, uncleHash, block, spec, ancestors);
            if (error != BodyError.None)
            {
                return error;
            }
        }

        return BodyError.None;
    }

    private static BodyError CheckUncle(
        BlockHeader uncle, in Hash256 uncleHash, Block block, ChainSpec spec,
        Dictionary<Hash256, BlockHeader> ancestors)
    {
        if (ancestors.ContainsKey(uncleHash))
        {
            return BodyError.UncleIsAncestor;
        }

        if (uncle.ParentHash == block.Header.ParentHash
            || !ancestors.TryGetValue(uncle.ParentHash, out var uncleParent))
        {
            return BodyError.UncleNotRelated;
        }

        var rules = spec.RulesAt(uncle.Number, uncle.Timestamp);
        return HeaderValidator.Validate(uncle, uncleParent, rules, spec) == HeaderError.None
            ? BodyError.None
            : BodyError.InvalidUncleHeader;
    }
}
