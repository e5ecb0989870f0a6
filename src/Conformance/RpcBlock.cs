using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Conformance;

/// <summary>
/// Reads blocks as JSON-RPC answers them with whole transactions; hashes and senders are worked out anew.
/// </summary>
internal static class RpcBlock
{
    internal static Block Read(JsonElement block)
    {
        var header = Header(block);
        var hash = block.Member("hash").Hash("hash");
        if (HeaderCodec.Hash(header) != hash)
        {
            throw new FixtureException($"the header's hash is {HeaderCodec.Hash(header)}, not {hash}");
        }

        var transactions = block.Member("transactions").Items("transactions").Select(Transaction).ToList();
        var withdrawals = block.Find("withdrawals")?.Items("withdrawals").Select(Withdrawal).ToList();
        return new Block(header, transactions, [], withdrawals);
    }

    private static BlockHeader Header(JsonElement block) => new()
    {
        ParentHash = block.Member("parentHash").Hash("parentHash"),
        UnclesHash = block.Member("sha3Uncles").Hash("sha3Uncles"),
        Coinbase = block.Member("miner").Address("miner"),
        StateRoot = block.Member("stateRoot").Hash("stateRoot"),
        TransactionsRoot = block.Member("transactionsRoot").Hash("transactionsRoot"),
        ReceiptsRoot = block.Member("receiptsRoot").Hash("receiptsRoot"),
        LogsBloom = BloomOf(block.BytesMember("logsBloom")),
        Difficulty = block.NumberMember("difficulty"),
        Number = block.UInt64Member("number"),
        GasLimit = block.UInt64Member("gasLimit"),
        GasUsed = block.UInt64Member("gasUsed"),
        Timestamp = block.UInt64Member("timestamp"),
        ExtraData = block.BytesMember("extraData"),
        MixHash = block.Member("mixHash").Hash("mixHash"),
        Nonce = block.UInt64Member("nonce"),
        BaseFeePerGas = block.Find("baseFeePerGas")?.Number("baseFeePerGas"),
        WithdrawalsRoot = block.Find("withdrawalsRoot")?.Hash("withdrawalsRoot"),
        BlobGasUsed = block.Find("blobGasUsed")?.UInt64("blobGasUsed"),
        ExcessBlobGas = block.Find("excessBlobGas")?.UInt64("excessBlobGas"),
        ParentBeaconBlockRoot = block.Find("parentBeaconBlockRoot")?.Hash("parentBeaconBlockRoot"),
        RequestsHash = block.Find("requestsHash")?.Hash("requestsHash"),
    };

    private static Bloom BloomOf(byte[] bytes) =>
        bytes.Length == Bloom.Size ? new Bloom(bytes) : throw new FixtureException("logsBloom has not 256 bytes");

    private static Transaction Transaction(JsonElement item)
    {
        var type = (TransactionType)(item.Find("type")?.UInt64("type") ?? 0);
        var isDynamic = type >= TransactionType.DynamicFee;
        var v = type == TransactionType.Legacy || item.Find("yParity") is not { } parity
            ? item.NumberMember("v")
            : parity.Number("yParity");
        var transaction = new Transaction
        {
            Type = type,
            ChainId = ChainIdOf(item, type, v),
            Nonce = item.UInt64Member("nonce"),
            MaxFeePerGas = item.NumberMember(isDynamic ? "maxFeePerGas" : "gasPrice"),
            MaxPriorityFeePerGas = item.NumberMember(isDynamic ? "maxPriorityFeePerGas" : "gasPrice"),
            GasLimit = item.UInt64Member("gas"),
            To = item.Find("to")?.Address("to"),
            Value = item.NumberMember("value"),
            Data = item.BytesMember("input"),
            AccessList = item.Find("accessList")?.Items("accessList").Select(AccessListEntry).ToArray() ?? [],
            MaxFeePerBlobGas = item.Find("maxFeePerBlobGas")?.Number("maxFeePerBlobGas") ?? UInt256.Zero,
            BlobVersionedHashes = item.Find("blobVersionedHashes")?.Items("blobVersionedHashes")
                .Select(hash => hash.Hash("blobVersionedHashes")).ToArray() ?? [],
            V = v,
            R = item.NumberMember("r"),
            S = item.NumberMember("s"),
        };
        transaction.Hash = TransactionCodec.HashOf(transaction);
        var expected = item.Member("hash").Hash("hash");
        if (transaction.Hash != expected)
        {
            throw new FixtureException($"a transaction's hash is {transaction.Hash}, not {expected}");
        }

        var from = item.Member("from").Address("from");
        return TransactionSigner.TryRecoverSender(transaction, out var sender) && sender == from
            ? transaction
            : throw new FixtureException($"the sender of {expected} is {sender}, not {from}");
    }

    private static ulong? ChainIdOf(JsonElement item, TransactionType type, in UInt256 v) =>
        type == TransactionType.Legacy && v < 35 ? null : item.Find("chainId")?.UInt64("chainId");

    private static AccessListEntry AccessListEntry(JsonElement entry) => new(
        entry.Member("address").Address("address"),
        entry.Member("storageKeys").Items("storageKeys").Select(key => key.Number("storageKeys")).ToArray());

    private static Withdrawal Withdrawal(JsonElement item) => new(
        item.UInt64Member("index"),
        item.UInt64Member("validatorIndex"),
        item.Member("address").Address("address"),
        item.UInt64Member("amount"));
}
