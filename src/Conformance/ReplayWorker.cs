using System.Collections.Concurrent;
using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Trie;

namespace SuperVm.Conformance;

/// <summary>
/// Main net blocks with the part of their pre-state that they read: gas, bloom and receipts root must agree.
/// </summary>
/// <remarks>
/// <code>
///   bytecodes.json, block_hashes.json      shared, in a folder above
///   blocks/NUMBER/block.json               the block as JSON-RPC answers it, with whole transactions
///   blocks/NUMBER/pre_state.json           accounts with code_hash; absent slots are zero
/// </code>
/// There is no post-state root to compare with.
/// </remarks>
internal sealed class ReplayWorker(ConformanceOptions options) : IConformanceWorker
{
    private static readonly ConcurrentDictionary<string, Lazy<Dictionary<Hash256, Code>>> CodeFiles = new();

    private readonly BlockProcessor _processor = new(new EvmEngine(), options.CreateRunner());

    internal static bool Takes(string file) => Path.GetFileName(file) == "block.json";

    public void RunFile(string file, CaseReport cases)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".";
        var test = Path.GetFileName(folder);
        if (cases.Wants(test))
        {
            cases.Run(test, () => Check(file, folder, cases));
        }
    }

    private string? Check(string file, string folder, CaseReport cases)
    {
        using var document = FixtureJson.Parse(file);
        var block = RpcBlock.Read(document.RootElement);
        var header = block.Header;
        var spec = ChainSpec.Mainnet;
        var rules = spec.RulesAt(header.Number, header.Timestamp);
        if (!cases.WantsFork(rules.Fork.ToString()))
        {
            return null;
        }

        foreach (var transaction in block.Transactions)
        {
            var error = TransactionValidator.ValidateStateless(transaction, rules, spec.ChainId);
            if (error != TransactionError.None)
            {
                return $"transaction {transaction.Hash} refused: {error}";
            }
        }

        var input = new BlockInput
        {
            Context = Context(header, rules, HashesOf(Find(folder, "block_hashes.json"))),
            Transactions = block.Transactions,
            ParentHash = header.ParentHash,
            ParentBeaconBlockRoot = header.ParentBeaconBlockRoot,
            Withdrawals = block.Withdrawals,
            DepositContract = spec.DepositContract,
            IsDaoFork = spec.DaoForkBlock == header.Number,
        };
        var outcome = _processor.Execute(input, PreStateOf(folder));
        return outcome.Error == BlockExecutionError.None
            ? Compare(header, rules, outcome)
            : $"refused: {outcome.Error} {outcome.LeftOut.FirstOrDefault().Error}";
    }

    private static string? Compare(BlockHeader header, ForkRules rules, BlockOutcome outcome)
    {
        if (outcome.GasUsed != header.GasUsed)
        {
            return $"gas used {outcome.GasUsed}, expected {header.GasUsed}";
        }

        if (!outcome.LogsBloom.Equals(header.LogsBloom))
        {
            return "the logs bloom differs";
        }

        if (!rules.Eip658)
        {
            // Before Byzantium receipts hold state roots, which the pre-state is not enough for.
            return null;
        }

        var root = OrderedTrieRoot.Of(outcome.Receipts.Select(ReceiptCodec.Encode).ToList());
        return root == header.ReceiptsRoot ? null : $"receipts root {root}, expected {header.ReceiptsRoot}";
    }

    private static BlockContext Context(BlockHeader header, ForkRules rules, IBlockHashSource hashes) => new()
    {
        Rules = rules,
        ChainId = ChainSpec.Mainnet.ChainId,
        Number = header.Number,
        Timestamp = header.Timestamp,
        Coinbase = header.Coinbase,
        GasLimit = header.GasLimit,
        BaseFee = header.BaseFeePerGas.GetValueOrDefault(),
        Difficulty = rules.Eip3675 ? UInt256.FromBigEndian(header.MixHash.Bytes) : header.Difficulty,
        BlobBaseFee = BlobFee.Of(header, rules),
        ExcessBlobGas = header.ExcessBlobGas.GetValueOrDefault(),
        BlockHashes = hashes,
    };

    private static MemoryState PreStateOf(string folder)
    {
        var codeFile = Find(folder, "bytecodes.json");
        var codes = CodeFiles.GetOrAdd(codeFile, path => new(() => CodesOf(path))).Value;
        using var document = FixtureJson.Parse(Path.Combine(folder, "pre_state.json"));
        var state = new MemoryState();
        foreach (var account in PreState.Read(document.RootElement))
        {
            var entry = document.RootElement.GetProperty(account.Address.ToString());
            var codeHash = entry.Find("code_hash")?.Hash("code_hash");
            Code? code = null;
            if (codeHash is { } hash && hash != Code.Empty.Hash && !codes.TryGetValue(hash, out code))
            {
                throw new FixtureException($"bytecodes.json does not have {hash}");
            }

            state.Set(account with { Code = code });
        }

        return state;
    }

    private static Dictionary<Hash256, Code> CodesOf(string path)
    {
        using var document = FixtureJson.Parse(path);
        var codes = new Dictionary<Hash256, Code>();
        foreach (var member in document.RootElement.Members("bytecodes.json"))
        {
            var code = new Code(member.Value.Bytes("code"));
            if (!Hash256.TryParse(member.Name, out var hash) || hash != code.Hash)
            {
                throw new FixtureException($"bytecodes.json: {member.Name} is not the hash of its code");
            }

            codes[hash] = code;
        }

        return codes;
    }

    private static KnownHashes HashesOf(string path)
    {
        using var document = FixtureJson.Parse(path);
        var hashes = new Dictionary<ulong, Hash256>();
        foreach (var member in document.RootElement.Members("block_hashes.json"))
        {
            if (!ulong.TryParse(member.Name, out var number))
            {
                throw new FixtureException($"block_hashes.json: {member.Name} is no block number");
            }

            hashes[number] = member.Value.Hash("hash");
        }

        return new KnownHashes(hashes);
    }

    /// <summary>The file in the folder or the nearest one above it.</summary>
    private static string Find(string folder, string name)
    {
        for (string? at = folder; at is not null; at = Path.GetDirectoryName(at))
        {
            var path = Path.Combine(at, name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FixtureException($"{name} is in no folder above");
    }

    private sealed class KnownHashes(Dictionary<ulong, Hash256> hashes) : IBlockHashSource
    {
        public Hash256 HashOf(ulong number) => hashes.GetValueOrDefault(number);
    }
}
