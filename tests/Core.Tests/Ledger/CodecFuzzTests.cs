using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Ledger;

/// <summary>Bytes from outside: decoding answers a value or a reason, whatever they are.</summary>
public sealed class CodecFuzzTests
{
    private static readonly byte[] Key = Hex.Decode(new string('1', 64));

    private static readonly Block Sample = BuildBlock();

    private static readonly byte[][] Seeds =
    [
        .. Enum.GetValues<TransactionType>().Select(type => TransactionCodec.Encode(Signed(type))),
        HeaderCodec.Encode(Sample.Header),
        BlockCodec.Encode(Sample),
        ReceiptCodec.Encode(SampleReceipt()),
        ReceiptCodec.EncodeForStorage([SampleReceipt(), SampleReceipt()]),
        [0x03, 0xC3, 0xC0, 0xC0, 0xC0],
    ];

    [Fact]
    public void No_bytes_make_a_codec_throw() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 50; i++)
            {
                var bytes = Mutate(random, Seeds[random.Next(Seeds.Length)]);
                Assert.Null(Record.Exception(() => DecodeAll(bytes)));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void What_is_decoded_is_encoded_to_the_same_bytes() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 50; i++)
            {
                var bytes = Mutate(random, Seeds[random.Next(Seeds.Length)]);
                if (TransactionCodec.Decode(bytes).Value is { } transaction)
                {
                    Assert.Equal(bytes, TransactionCodec.Encode(transaction));
                    Assert.Equal(transaction.Hash, TransactionCodec.HashOf(transaction));
                }

                if (BlockCodec.Decode(bytes).Value is { } block)
                {
                    Assert.Equal(bytes, BlockCodec.Encode(block));
                    Assert.Equal(bytes.Length, BlockCodec.EncodedSize(block));
                }

                if (HeaderCodec.Decode(bytes).Value is { } header)
                {
                    Assert.Equal(bytes, HeaderCodec.Encode(header));
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void A_block_survives_its_encoding()
    {
        var decoded = BlockCodec.Decode(BlockCodec.Encode(Sample)).OrThrow();
        Assert.Equal(HeaderCodec.Hash(Sample.Header), HeaderCodec.Hash(decoded.Header));
        Assert.Equal(Sample.Withdrawals, decoded.Withdrawals);
        Assert.Equal(
            Sample.Transactions.Select(transaction => transaction.Hash),
            decoded.Transactions.Select(transaction => transaction.Hash));
        Assert.Single(decoded.Uncles);
    }

    [Fact]
    public void Stored_receipts_keep_what_the_consensus_form_lacks()
    {
        var receipt = SampleReceipt();
        var stored = ReceiptCodec.DecodeFromStorage(ReceiptCodec.EncodeForStorage([receipt])).OrThrow().Single();
        Assert.Equal(receipt.GasUsed, stored.GasUsed);
        Assert.Equal(receipt.ContractAddress, stored.ContractAddress);
        Assert.Equal(receipt.LogsBloom, stored.LogsBloom);
        Assert.Equal(ReceiptCodec.Encode(receipt), ReceiptCodec.Encode(stored));
    }

    [Fact]
    public void Lists_nested_a_hundred_thousand_deep_overflow_nothing()
    {
        var writer = new RlpWriter();
        writer.WriteEmptyList();
        var deep = writer.ToArray();
        for (var i = 0; i < 30; i++)
        {
            deep = Nest(deep);
        }

        Assert.Null(RlpStructure.Check(deep));
        var onlyPrefixes = new byte[100_000];
        Array.Fill(onlyPrefixes, (byte)0xC1);
        Assert.NotNull(RlpStructure.Check(onlyPrefixes));
        DecodeAll(onlyPrefixes);
    }

    private static byte[] Nest(byte[] item)
    {
        var writer = new RlpWriter();
        var list = writer.BeginList();
        writer.WriteRaw(item);
        writer.EndList(list);
        return writer.ToArray();
    }

    private static void DecodeAll(byte[] bytes)
    {
        if (TransactionCodec.Decode(bytes).Value is { } transaction)
        {
            TransactionValidator.ValidateStateless(transaction, ForkRules.Of(Fork.Osaka), 31_337);
            TransactionSigner.TryRecoverSender(transaction, out _);
            foreach (var authorization in transaction.Authorizations)
            {
                AuthorizationSigner.TryRecover(authorization, out _);
            }
        }

        HeaderCodec.Decode(bytes);
        BlockCodec.Decode(bytes);
        BlockCodec.LengthOfFirst(bytes, out _);
        ReceiptCodec.Decode(bytes);
        ReceiptCodec.DecodeFromStorage(bytes);
        BlobNetworkForm.Decode(bytes);
        RlpStructure.Check(bytes);
    }

    private static byte[] Mutate(Random random, byte[] seed)
    {
        var bytes = seed.ToList();
        for (var hits = random.Next(4); hits > 0 && bytes.Count > 0; hits--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 4), bytes.Count - at));
                    break;
                default:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
            }
        }

        return [.. bytes];
    }

    private static Transaction Signed(TransactionType type) =>
        TransactionSigner.Sign(TransactionCodecTests.Sample(type), Key);

    private static Receipt SampleReceipt()
    {
        var log = new Log(Address.FromNumber(7), [Hash256.Zero, Hash256.Zero], [1, 2, 3]);
        return new Receipt
        {
            Type = TransactionType.DynamicFee, Succeeded = true, CumulativeGasUsed = 50_000, GasUsed = 21_000,
            ContractAddress = Address.FromNumber(9), Logs = [log], LogsBloom = Bloom.Of([log]),
        };
    }

    private static Block BuildBlock()
    {
        var header = new BlockHeader
        {
            Number = 5, GasLimit = 30_000_000, Timestamp = 7, ExtraData = new byte[] { 1 }, BaseFeePerGas = 7,
            WithdrawalsRoot = Hash256.Zero, BlobGasUsed = 0, ExcessBlobGas = 0, ParentBeaconBlockRoot = Hash256.Zero,
            RequestsHash = WellKnownHashes.EmptyRequests,
        };
        return new Block(
            header,
            Enum.GetValues<TransactionType>().Select(Signed).ToList(),
            [new BlockHeader { Number = 4 }],
            [new Withdrawal(1, 2, Address.FromNumber(3), 4)]);
    }
}
