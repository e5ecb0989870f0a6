using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Ledger;

/// <summary>Each rule refuses what breaks it, under its own name.</summary>
public sealed class ValidatorTests
{
    private static readonly byte[] Key = Hex.Decode(new string('1', 64));

    private static readonly ChainSpec Osaka = ChainSpec.AllAtZero(Fork.Osaka);

    private static readonly ChainSpec Berlin = ChainSpec.AllAtZero(Fork.Berlin);

    [Fact]
    public void A_child_with_all_fields_right_is_valid()
    {
        Assert.Equal(HeaderError.None, Validate(Child(Osaka), Osaka));
        Assert.Equal(HeaderError.None, Validate(Child(Berlin), Berlin));
    }

    [Fact]
    public void A_header_is_refused_by_the_rule_that_it_breaks()
    {
        var child = Child(Osaka);
        Assert.Equal(HeaderError.WrongNumber, Validate(child with { Number = 12 }, Osaka));
        Assert.Equal(HeaderError.TimestampNotAfterParent, Validate(child with { Timestamp = 1_000 }, Osaka));
        Assert.Equal(HeaderError.ExtraDataTooLong, Validate(child with { ExtraData = new byte[33] }, Osaka));
        Assert.Equal(HeaderError.WrongGasLimit, Validate(child with { GasLimit = 31_000_000 }, Osaka));
        Assert.Equal(HeaderError.WrongGasLimit, Validate(child with { GasLimit = 4_999 }, Osaka));
        Assert.Equal(HeaderError.GasUsedAboveLimit, Validate(child with { GasUsed = 30_000_001 }, Osaka));
        Assert.Equal(HeaderError.WrongDifficulty, Validate(child with { Difficulty = 1 }, Osaka));
        Assert.Equal(HeaderError.NonceNotZero, Validate(child with { Nonce = 1 }, Osaka));
        Assert.Equal(HeaderError.UnclesAfterMerge, Validate(child with { UnclesHash = Hash256.Zero }, Osaka));
        Assert.Equal(HeaderError.WrongBaseFee, Validate(child with { BaseFeePerGas = 1 }, Osaka));
        Assert.Equal(HeaderError.WrongBaseFee, Validate(child with { BaseFeePerGas = null }, Osaka));
        Assert.Equal(HeaderError.WrongWithdrawalsField, Validate(child with { WithdrawalsRoot = null }, Osaka));
        Assert.Equal(HeaderError.WrongBlobFields, Validate(child with { ExcessBlobGas = null }, Osaka));
        Assert.Equal(HeaderError.WrongBlobFields, Validate(child with { ParentBeaconBlockRoot = null }, Osaka));
        Assert.Equal(HeaderError.WrongBlobGasUsed, Validate(child with { BlobGasUsed = 1 }, Osaka));
        Assert.Equal(HeaderError.WrongExcessBlobGas, Validate(child with { ExcessBlobGas = 131_072 }, Osaka));
        Assert.Equal(HeaderError.WrongRequestsField, Validate(child with { RequestsHash = null }, Osaka));
        Assert.Equal(
            HeaderError.WrongBaseFee, Validate(Child(Berlin) with { BaseFeePerGas = 1 }, Berlin));
        Assert.Equal(
            HeaderError.WrongDifficulty, Validate(Child(Berlin) with { Difficulty = 131_073 }, Berlin));
    }

    [Fact]
    public void Equal_timestamps_are_a_choice_of_the_chain()
    {
        var own = ChainSpec.AllAtZero(Fork.Osaka, equalTimestamps: true);
        Assert.Equal(HeaderError.None, Validate(Child(own) with { Timestamp = 1_000 }, own));
        Assert.Equal(HeaderError.TimestampNotAfterParent, Validate(Child(own) with { Timestamp = 999 }, own));
    }

    [Fact]
    public void A_body_is_refused_by_the_rule_that_it_breaks()
    {
        var block = new Block(Child(Osaka), [], [], []);
        var rules = Osaka.RulesAt(11, 1_012);
        Assert.Equal(BodyError.None, BodyValidator.Validate(block, 1_000, rules));
        Assert.Equal(BodyError.BlockTooLarge, BodyValidator.Validate(block, (8 << 20) + 1, rules));
        Assert.Equal(BodyError.WrongWithdrawals, BodyValidator.Validate(block with { Withdrawals = null }, 1, rules));
        Assert.Equal(BodyError.WrongUnclesHash, BodyValidator.Validate(block with { Uncles = [Parent] }, 1, rules));
        var blobs = TransactionSigner.Sign(TransactionCodecTests.Sample(TransactionType.Blob), Key);
        Assert.Equal(
            BodyError.WrongBlobGasUsed, BodyValidator.Validate(block with { Transactions = [blobs] }, 1, rules));
    }

    [Fact]
    public void A_transaction_is_refused_by_the_rule_that_it_breaks()
    {
        Assert.Equal(TransactionError.None, Check(Plain()));
        Assert.Equal(TransactionError.TypeNotActive, Check(Plain(), Fork.Berlin));
        Assert.Equal(TransactionError.WrongChainId, Check(Plain(chainId: 2)));
        Assert.Equal(TransactionError.NonceOverflow, Check(Plain(nonce: ulong.MaxValue)));
        Assert.Equal(TransactionError.IntrinsicGasTooLow, Check(Plain(gas: 20_999)));
        Assert.Equal(TransactionError.FloorGasTooLow, Check(Plain(gas: 21_000 + 160, data: new byte[10].Fill(1))));
        Assert.Equal(TransactionError.GasLimitAboveCap, Check(Plain(gas: 16_777_217)));
        Assert.Equal(TransactionError.None, Check(Plain(gas: 16_777_217), Fork.Prague));
        Assert.Equal(TransactionError.PriorityFeeAboveFeeCap, Check(Plain(tip: 11)));
        Assert.Equal(TransactionError.CostOverflow, Check(Plain(cap: UInt256.MaxValue)));
        Assert.Equal(
            TransactionError.InitCodeTooLarge, Check(Plain(gas: 9_000_000, create: true, data: new byte[49_153])));
    }

    [Fact]
    public void A_high_s_is_refused_from_homestead_on()
    {
        var low = TransactionSigner.Sign(
            new Transaction { GasLimit = 21_000, To = Address.Zero, MaxFeePerGas = 1, MaxPriorityFeePerGas = 1 }, Key);
        var high = new Transaction
        {
            GasLimit = 21_000, To = Address.Zero, MaxFeePerGas = 1, MaxPriorityFeePerGas = 1,
            V = 55 - low.V, R = low.R, S = Secp256k1.Order - low.S,
        };
        Assert.Equal(TransactionError.None, Check(low, Fork.Homestead));
        Assert.Equal(TransactionError.InvalidSignature, Check(high, Fork.Homestead));
        Assert.Equal(TransactionError.None, Check(high, Fork.Frontier));
        Assert.True(TransactionSigner.TryRecoverSender(high, out var sender));
        Assert.Equal(low.Sender, sender);
    }

    private static BlockHeader Parent { get; } = new()
    {
        Number = 10, Timestamp = 1_000, GasLimit = 30_000_000, GasUsed = 15_000_000, Difficulty = 131_072,
        BaseFeePerGas = 1_000_000_000, UnclesHash = BlockCodec.EmptyUnclesHash, BlobGasUsed = 0, ExcessBlobGas = 0,
    };

    private static BlockHeader ParentOf(ChainSpec spec) =>
        spec == Berlin ? Parent with { BaseFeePerGas = null, BlobGasUsed = null, ExcessBlobGas = null } : Parent;

    private static HeaderError Validate(BlockHeader header, ChainSpec spec) => HeaderValidator.Validate(
        header, ParentOf(spec), spec.RulesAt(header.Number, header.Timestamp), spec);

    private static BlockHeader Child(ChainSpec spec)
    {
        var header = new BlockHeader
        {
            Number = 11, Timestamp = 1_012, GasLimit = 30_000_000, UnclesHash = BlockCodec.EmptyUnclesHash,
        };
        return spec == Berlin
            ? header with { Difficulty = Difficulty.After(ParentOf(spec), 1_012, ForkRules.Of(Fork.Berlin)) }
            : header with
            {
                BaseFeePerGas = 1_000_000_000, WithdrawalsRoot = WellKnownHashes.EmptyTrieRoot, BlobGasUsed = 0,
                ExcessBlobGas = 0, ParentBeaconBlockRoot = Hash256.Zero, RequestsHash = WellKnownHashes.EmptyRequests,
            };
    }

    private static Transaction Plain(
        ulong chainId = 1, ulong nonce = 0, ulong gas = 21_000, uint tip = 1, UInt256? cap = null, byte[]? data = null,
        bool create = false) => TransactionSigner.Sign(
        new Transaction
        {
            Type = TransactionType.DynamicFee, ChainId = chainId, Nonce = nonce, GasLimit = gas,
            MaxPriorityFeePerGas = tip, MaxFeePerGas = cap ?? 10, To = create ? null : Address.Zero, Data = data ?? [],
        }, Key);

    private static TransactionError Check(Transaction transaction, Fork fork = Fork.Osaka) =>
        TransactionValidator.ValidateStateless(transaction, ForkRules.Of(fork), 1);
}

internal static class ByteArrays
{
    internal static byte[] Fill(this byte[] bytes, byte value)
    {
        Array.Fill(bytes, value);
        return bytes;
    }
}
