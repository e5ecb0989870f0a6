using System.Globalization;
using System.Text;
using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Conformance;

/// <summary>Which data, gas limit and value of a state test's transaction a case takes.</summary>
internal readonly record struct StateIndexes(int Data, int Gas, int Value)
{
    internal static StateIndexes Of(JsonElement post)
    {
        var indexes = post.Member("indexes");
        return new StateIndexes(
            (int)indexes.UInt64Member("data"), (int)indexes.UInt64Member("gas"), (int)indexes.UInt64Member("value"));
    }
}

/// <summary>BLOCKHASH of state tests: the Keccak-256 of the number's decimal digits.</summary>
internal sealed class NumberHashes : IBlockHashSource
{
    internal static NumberHashes Instance { get; } = new();

    public Hash256 HashOf(ulong number) =>
        Keccak256.Hash(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
}

/// <summary>Reads the block and the transactions of a state test.</summary>
internal static class StateFixture
{
    internal static BlockContext Block(JsonElement env, ForkRules rules, ulong chainId)
    {
        // Older forks carry fields without meaning; from Paris a difficulty may stand there and does not count.
        var excess = rules.Eip4844 ? env.Find("currentExcessBlobGas")?.UInt64("currentExcessBlobGas") ?? 0 : 0;
        var random = rules.Eip3675 ? env.Find("currentRandom") : null;
        return new BlockContext
        {
            Rules = rules,
            ChainId = chainId,
            Number = env.UInt64Member("currentNumber"),
            Timestamp = env.UInt64Member("currentTimestamp"),
            Coinbase = env.Member("currentCoinbase").Address("currentCoinbase"),
            GasLimit = env.NumberMember("currentGasLimit").ToUInt64Saturating(),
            BaseFee = rules.Eip1559 ? env.Find("currentBaseFee")?.Number("currentBaseFee") ?? 10 : UInt256.Zero,
            Difficulty = random?.Number("currentRandom")
                ?? (rules.Eip3675
                    ? UInt256.Zero
                    : env.Find("currentDifficulty")?.Number("currentDifficulty") ?? UInt256.Zero),
            BlobBaseFee = rules.Blobs is { } schedule ? BlobFee.Of(excess, schedule) : UInt256.Zero,
            ExcessBlobGas = excess,
            BlockHashes = NumberHashes.Instance,
        };
    }

    /// <summary>The transaction of a case, signed; null where a number of it has more than its bits.</summary>
    internal static Transaction? Transaction(JsonElement fixture, StateIndexes indexes, ulong chainId)
    {
        var gasLimit = At(fixture.Member("gasLimit"), indexes.Gas, "gasLimit").NumberOrOverflow("gasLimit");
        var value = At(fixture.Member("value"), indexes.Value, "value").NumberOrOverflow("value");
        var nonce = fixture.Member("nonce").NumberOrOverflow("nonce");
        var type = TypeOf(fixture, indexes);
        var cap = fixture.Find(type >= TransactionType.DynamicFee ? "maxFeePerGas" : "gasPrice")
            ?.NumberOrOverflow("fee");
        var tip = type >= TransactionType.DynamicFee
            ? fixture.Member("maxPriorityFeePerGas").NumberOrOverflow("maxPriorityFeePerGas")
            : cap;
        var blobCap = fixture.Find("maxFeePerBlobGas") is { } blobFee
            ? blobFee.NumberOrOverflow("maxFeePerBlobGas")
            : UInt256.Zero;
        if (gasLimit is not { IsUInt64: true } || nonce is not { IsUInt64: true } || value is null || cap is null
            || tip is null || blobCap is null)
        {
            return null;
        }

        var to = fixture.TextMember("to");
        var unsigned = new Transaction
        {
            Type = type,
            ChainId = type == TransactionType.Legacy ? null : chainId,
            Nonce = nonce.Value.U0,
            MaxFeePerGas = cap.Value,
            MaxPriorityFeePerGas = tip.Value,
            GasLimit = gasLimit.Value.U0,
            To = to is "" or "0x" ? null : fixture.Member("to").Address("to"),
            Value = value.Value,
            Data = At(fixture.Member("data"), indexes.Data, "data").Bytes("data"),
            AccessList = AccessList(fixture, indexes),
            MaxFeePerBlobGas = blobCap.Value,
            BlobVersionedHashes = fixture.Find("blobVersionedHashes")?.Items("blobVersionedHashes")
                .Select(hash => hash.Hash("blobVersionedHashes")).ToArray() ?? [],
            Authorizations = fixture.Find("authorizationList")?.Items("authorizationList")
                .Select(Authorization).ToArray() ?? [],
        };
        return TransactionSigner.Sign(unsigned, fixture.BytesMember("secretKey"));
    }

    private static TransactionType TypeOf(JsonElement fixture, StateIndexes indexes)
    {
        if (fixture.Find("authorizationList") is not null)
        {
            return TransactionType.SetCode;
        }

        if (fixture.Find("blobVersionedHashes") is not null || fixture.Find("maxFeePerBlobGas") is not null)
        {
            return TransactionType.Blob;
        }

        if (fixture.Find("maxFeePerGas") is not null)
        {
            return TransactionType.DynamicFee;
        }

        return AccessListAt(fixture, indexes) is null ? TransactionType.Legacy : TransactionType.AccessList;
    }

    /// <summary>The access list of the case's data; null for a legacy transaction.</summary>
    private static JsonElement? AccessListAt(JsonElement fixture, StateIndexes indexes)
    {
        if (fixture.Find("accessLists") is not { } lists)
        {
            return null;
        }

        var list = At(lists, indexes.Data, "accessLists");
        return list.ValueKind == JsonValueKind.Null ? null : list;
    }

    private static AccessListEntry[] AccessList(JsonElement fixture, StateIndexes indexes) =>
        AccessListAt(fixture, indexes)?.Items("accessLists")
            .Select(entry => new AccessListEntry(
                entry.Member("address").Address("address"),
                entry.Member("storageKeys").Items("storageKeys").Select(key => key.Number("storageKeys")).ToArray()))
            .ToArray() ?? [];

    private static Authorization Authorization(JsonElement item) => new(
        item.NumberMember("chainId"),
        item.Member("address").Address("address"),
        item.UInt64Member("nonce"),
        (item.Find("yParity") ?? item.Member("v")).Number("yParity"),
        item.NumberMember("r"),
        item.NumberMember("s"));

    private static JsonElement At(JsonElement array, int index, string what) =>
        array.ValueKind == JsonValueKind.Array && index < array.GetArrayLength()
            ? array[index]
            : throw new FixtureException($"{what} has no item {index}");
}
