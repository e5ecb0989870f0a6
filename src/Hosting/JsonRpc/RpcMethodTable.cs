using System.Collections.Frozen;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>
/// Answers one method: writes its result, or answers what went wrong (what was written is then taken back).
/// </summary>
internal delegate RpcError? RpcHandler(ref RpcParams parameters, RpcReply reply);

/// <summary>A family of methods.</summary>
internal interface IRpcModule
{
    /// <summary>Names and handlers, each name once in the whole server.</summary>
    IEnumerable<(string Name, RpcHandler Handler)> Methods { get; }
}

/// <summary>One method with its counters.</summary>
internal sealed class RpcMethod(string name, RpcHandler handler)
{
    private static readonly string[] ManagementPrefixes = ["evm_", "anvil_", "hardhat_", "testing_", "admin_"];

    private static readonly HashSet<string> QuickMethods =
    [
        "eth_call", "eth_getBalance", "eth_getTransactionCount", "eth_getStorageAt", "eth_getCode", "eth_blockNumber",
        "eth_chainId", "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_feeHistory", "eth_estimateGas",
        "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getBlockByNumber", "eth_getBlockByHash",
        "eth_getFilterChanges", "eth_subscribe", "eth_unsubscribe", "net_version", "web3_clientVersion",
    ];

    private long _calls;
    private long _errors;

    internal string Name => name;

    internal RpcHandler Handler => handler;

    /// <summary>Changes time, accounts or history, or makes blocks: for who runs the node.</summary>
    internal bool IsManagement { get; } = ManagementPrefixes.Any(
        prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Answered as a rule in less time than it takes to wake another thread.</summary>
    internal bool IsQuick { get; } = QuickMethods.Contains(name);

    internal long Calls => Volatile.Read(ref _calls);

    internal long Errors => Volatile.Read(ref _errors);

    internal void Count(int errors, int calls = 1)
    {
        Interlocked.Add(ref _calls, calls);
        if (errors > 0)
        {
            Interlocked.Add(ref _errors, errors);
        }
    }
}

/// <summary>All methods by name.</summary>
internal sealed class RpcMethodTable
{
    private const int MaximumNameLength = 64;

    private readonly FrozenDictionary<string, RpcMethod> _methods;
    private readonly FrozenDictionary<string, RpcMethod>.AlternateLookup<ReadOnlySpan<char>> _byText;

    /// <exception cref="ArgumentException">Two modules have the same name.</exception>
    internal RpcMethodTable(IEnumerable<IRpcModule> modules)
    {
        _methods = modules.SelectMany(module => module.Methods)
            .ToDictionary(method => method.Name, method => new RpcMethod(method.Name, method.Handler))
            .ToFrozenDictionary(StringComparer.Ordinal);
        _byText = _methods.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    internal IEnumerable<RpcMethod> All => _methods.Values;

    /// <summary>The method whose name is the JSON string between these quotes; null where there is none.</summary>
    internal RpcMethod? Find(ReadOnlySpan<byte> quotedName)
    {
        var name = quotedName[1..^1];
        if (name.Length > MaximumNameLength)
        {
            return null;
        }

        // Names are ASCII: a name with escapes or other characters is none of ours.
        Span<char> text = stackalloc char[MaximumNameLength];
        for (var i = 0; i < name.Length; i++)
        {
            text[i] = (char)name[i];
        }

        return _byText.TryGetValue(text[..name.Length], out var method) ? method : null;
    }
}
