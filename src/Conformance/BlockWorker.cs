using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Conformance;

/// <summary>
/// Blockchain tests: a chain takes valid blocks, refuses invalid ones, and ends at the expected head and state.
/// </summary>
/// <remarks>
/// A block without a header in the fixture must be refused by a named rule. Seals are not checked.
/// </remarks>
internal sealed class BlockWorker(ConformanceOptions options) : IConformanceWorker
{
    private readonly BlockProcessor _processor = new(options.CreateEngine(), options.CreateRunner());

    public void RunFile(string file, CaseReport cases)
    {
        using var document = FixtureJson.Parse(file);
        foreach (var test in document.RootElement.Members("the file"))
        {
            if (test.Value.Find("network")?.GetString() is not { } network)
            {
                cases.Fail(test.Name, "malformed fixture: network is missing");
            }
            else if (cases.Wants(test.Name, network))
            {
                cases.Run(test.Name, () => Check(test.Value, network));
            }
        }
    }

    private string? Check(JsonElement test, string network)
    {
        var genesis = GenesisOf(test, network);
        using var store = new MemoryKeyValueStore();
        using var chain = Chain.Open(store, genesis, new ChainOptions { Processor = _processor });
        var expectedGenesis = test.Member("genesisBlockHeader").Member("hash").Hash("hash");
        if (chain.Genesis.Hash != expectedGenesis)
        {
            return $"the genesis block is {chain.Genesis.Hash}, expected {expectedGenesis}";
        }

        var index = 0;
        foreach (var block in test.Member("blocks").Items("blocks"))
        {
            if (Import(chain, block) is { } difference)
            {
                return $"block {index}: {difference}";
            }

            index++;
        }

        var head = test.Member("lastblockhash").Hash("lastblockhash");
        return chain.Head.Hash == head
            ? CheckState(test, chain)
            : $"the head is {chain.Head.Hash} ({chain.Head.Number}), expected {head}";
    }

    /// <summary>Imports one block; answers what is wrong with the outcome, or null.</summary>
    private static string? Import(Chain chain, JsonElement fixture)
    {
        var isValid = fixture.Find("blockHeader") is not null;
        if (!Hex.TryDecode(fixture.TextMember("rlp"), out var bytes))
        {
            return isValid ? "its RLP is no hex" : null;
        }

        var block = BlockCodec.Decode(bytes);
        if (!block.Succeeded)
        {
            return isValid ? $"a valid block is not decoded: {block.Error}" : null;
        }

        var result = chain.Import(block.Value);
        return isValid == result.Accepted
            ? null
            : isValid
                ? $"a valid block is refused: {result.Status} {result.Rule} {result.Detail}"
                : $"an invalid block is accepted as {result.Status}";
    }

    private static string? CheckState(JsonElement test, Chain chain)
    {
        if (test.Find("postState") is { ValueKind: JsonValueKind.Object } accounts)
        {
            var expected = PreState.Read(accounts);
            var state = chain.StateAt(chain.Head.Number).State!;
            var root = StateRoot.Of(expected);
            return PreState.FirstDifference(expected, state)
                ?? (root == chain.Head.Header.StateRoot ? null : "the state has accounts or slots beside the expected");
        }

        var hash = test.Find("postStateHash")?.Hash("postStateHash");
        return hash is null || hash == chain.Head.Header.StateRoot
            ? null
            : $"the state root is {chain.Head.Header.StateRoot}, expected {hash}";
    }

    private static Genesis GenesisOf(JsonElement test, string network)
    {
        var header = test.Member("genesisBlockHeader");
        var alloc = PreState.Read(test.Member("pre")).ToDictionary(
            account => account.Address,
            account => new GenesisAccount(
                account.Balance,
                account.Nonce,
                account.Code?.Bytes.ToArray() ?? [],
                account.Slots!.Where(slot => !slot.Value.IsZero).ToDictionary()));
        return new Genesis
        {
            Spec = Networks.SpecOf(network, test.Find("config")),
            Alloc = alloc,
            Nonce = header.Find("nonce")?.UInt64("nonce") ?? 0,
            Timestamp = header.Find("timestamp")?.UInt64("timestamp") ?? 0,
            ExtraData = header.Find("extraData")?.Bytes("extraData") ?? [],
            GasLimit = header.UInt64Member("gasLimit"),
            Difficulty = header.Find("difficulty")?.Number("difficulty") ?? UInt256.Zero,
            MixHash = header.Find("mixHash")?.Hash("mixHash") ?? Hash256.Zero,
            Coinbase = header.Find("coinbase")?.Address("coinbase") ?? Address.Zero,
            BaseFeePerGas = header.Find("baseFeePerGas")?.Number("baseFeePerGas"),
            ExcessBlobGas = header.Find("excessBlobGas")?.UInt64("excessBlobGas"),
            BlobGasUsed = header.Find("blobGasUsed")?.UInt64("blobGasUsed"),
            ParentBeaconBlockRoot = header.Find("parentBeaconBlockRoot")?.Hash("parentBeaconBlockRoot"),
        };
    }
}
