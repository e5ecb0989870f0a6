using System.Collections.Concurrent;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Conformance;

/// <summary>A main net block, ready to be executed on the part of its pre-state that it reads.</summary>
/// <remarks>
/// <code>
///   bytecodes.json, block_hashes.json      shared, in a folder above
///   blocks/NUMBER/block.json               the block as JSON-RPC answers it, with whole transactions
///   blocks/NUMBER/pre_state.json           accounts with code_hash; absent slots are zero
/// </code>
/// </remarks>
public sealed record ReplayBlock(string Name, Block Block, BlockInput Input, IStateReader State)
{
    private static readonly ConcurrentDictionary<string, Lazy<Dictionary<Hash256, Code>>> CodeFiles = new();

    /// <summary>Reads block.json and what lies beside and above it.</summary>
    /// <exception cref="FixtureException">A file is missing or malformed.</exception>
    public static ReplayBlock Load(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".";
        using var document = FixtureJson.Parse(file);
        var block = RpcBlock.Read(document.RootElement);
        var header = block.Header;
        var spec = ChainSpec.Mainnet;
        var rules = spec.RulesAt(header.Number, header.Timestamp);
        var input = new BlockInput
        {
            Context = BlockContext.Of(
                rules, ChainSpec.Mainnet.ChainId, header, HashesOf(Find(folder, "block_hashes.json"))),
            Transactions = block.Transactions,
            ParentHash = header.ParentHash,
            ParentBeaconBlockRoot = header.ParentBeaconBlockRoot,
            Withdrawals = block.Withdrawals,
            DepositContract = spec.DepositContract,
            IsDaoFork = spec.DaoForkBlock == header.Number,
        };
        return new ReplayBlock(Path.GetFileName(folder), block, input, PreStateOf(folder));
    }

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
