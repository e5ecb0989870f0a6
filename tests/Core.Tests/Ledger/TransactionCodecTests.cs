using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Ledger;

public sealed class TransactionCodecTests
{
    private static readonly byte[] Key = Hex.Decode(new string('4', 64).Replace("44", "46"));

    [Fact]
    public void The_example_of_eip_155_has_its_hash_and_bytes()
    {
        var unsigned = new Transaction
        {
            ChainId = 1,
            Nonce = 9,
            MaxFeePerGas = 20_000_000_000,
            MaxPriorityFeePerGas = 20_000_000_000,
            GasLimit = 21_000,
            To = Address.Parse("0x3535353535353535353535353535353535353535"),
            Value = 1_000_000_000_000_000_000,
        };
        Assert.Equal(
            "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53",
            TransactionCodec.SigningHash(unsigned).ToString());
        var signed = TransactionSigner.Sign(unsigned, Key);
        Assert.Equal(
            "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939"
            + "bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b29"
            + "7fb1966a3b6d83",
            Hex.Encode(TransactionCodec.Encode(signed)));
        Assert.Equal(Address.Parse("0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"), signed.Sender);
    }

    [Theory]
    [InlineData(TransactionType.Legacy)]
    [InlineData(TransactionType.AccessList)]
    [InlineData(TransactionType.DynamicFee)]
    [InlineData(TransactionType.Blob)]
    [InlineData(TransactionType.SetCode)]
    public void Every_type_survives_signing_encoding_decoding_and_recovery(TransactionType type)
    {
        var signed = TransactionSigner.Sign(Sample(type), Key);
        var bytes = TransactionCodec.Encode(signed);
        var decoded = TransactionCodec.Decode(bytes).OrThrow();
        Assert.Equal(bytes, TransactionCodec.Encode(decoded));
        Assert.Equal(signed.Hash, decoded.Hash);
        Assert.True(TransactionSigner.TryRecoverSender(decoded, out var sender));
        Assert.Equal(Secp256k1.AddressOf(Key), sender);
        foreach (var authorization in decoded.Authorizations)
        {
            Assert.True(AuthorizationSigner.TryRecover(authorization, out var authority));
            Assert.Equal(sender, authority);
        }
    }

    [Fact]
    public void Every_cut_of_a_transaction_is_refused_with_a_reason()
    {
        var bytes = TransactionCodec.Encode(TransactionSigner.Sign(Sample(TransactionType.SetCode), Key));
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.NotEmpty(TransactionCodec.Decode(bytes.AsSpan(0, length)).Error ?? string.Empty);
        }
    }

    internal static Transaction Sample(TransactionType type)
    {
        var isDynamic = type >= TransactionType.DynamicFee;
        return new Transaction
        {
            Type = type,
            ChainId = 31_337,
            Nonce = 7,
            MaxFeePerGas = 1_000,
            MaxPriorityFeePerGas = isDynamic ? 10u : 1_000u,
            GasLimit = 100_000,
            To = Address.FromNumber(0x1234),
            Value = 5,
            Data = new byte[] { 1, 0, 2 },
            AccessList = type == TransactionType.Legacy
                ? []
                : [new AccessListEntry(Address.FromNumber(9), [UInt256.One, UInt256.MaxValue])],
            MaxFeePerBlobGas = type == TransactionType.Blob ? 3u : 0u,
            BlobVersionedHashes = type == TransactionType.Blob ? [Hash256.Parse("01" + new string('a', 62))] : [],
            Authorizations = type == TransactionType.SetCode
                ? [AuthorizationSigner.Sign(31_337, Address.FromNumber(5), 8, Key)]
                : [],
        };
    }
}
