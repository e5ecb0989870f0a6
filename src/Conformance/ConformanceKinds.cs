namespace SuperVm.Conformance;

/// <summary>Runs files of one kind on one thread; keeps its engine from file to file.</summary>
internal interface IConformanceWorker
{
    void RunFile(string file, CaseReport cases);
}

/// <summary>A kind of public conformance data.</summary>
public sealed class ConformanceKind
{
    private readonly Func<ConformanceOptions, IConformanceWorker>? _createWorker;
    private readonly Func<string, bool> _takes;

    internal ConformanceKind(
        string name, string description, Func<ConformanceOptions, IConformanceWorker>? createWorker,
        Func<string, bool>? takes = null, bool isSerial = false)
    {
        IsSerial = isSerial;
        Name = name;
        Description = description;
        _createWorker = createWorker;
        _takes = takes ?? (file => file.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            && !file.Contains("/.meta/", StringComparison.Ordinal));
    }

    public string Name { get; }

    public string Description { get; }

    /// <summary>False for a kind that has its place but no runner yet.</summary>
    public bool IsAvailable => _createWorker is not null;

    /// <summary>Whether its files run one after another, in the order of their names.</summary>
    internal bool IsSerial { get; }

    /// <summary>Whether a file found in a folder belongs to the kind.</summary>
    internal bool Takes(string file) => _takes(file);

    internal IConformanceWorker CreateWorker(ConformanceOptions options) =>
        _createWorker?.Invoke(options) ?? throw new InvalidOperationException($"'{Name}' is not available.");
}

/// <summary>The kinds that the verb knows.</summary>
public static class ConformanceKinds
{
    public static IReadOnlyList<ConformanceKind> All { get; } =
    [
        new("state", "State tests: one transaction on a pre-state", options => new StateWorker(options)),
        new("block", "Blockchain tests: chains of RLP blocks, valid and invalid", options => new BlockWorker(options)),
        new("transaction", "Raw transactions, valid and invalid per fork", _ => new TransactionWorker()),
        new("rlp", "RLP encoding and decoding", _ => new RlpWorker()),
        new("trie", "Roots of Merkle Patricia tries", _ => new TrieWorker()),
        new(
            "precompile", "Vectors of precompiled contracts", _ => new PrecompileWorker(), PrecompileWorker.Takes),
        new(
            "replay", "Main net blocks with their pre-state", options => new ReplayWorker(options), ReplayWorker.Takes),
        new("wasm", "WebAssembly specification suite", null),
        new(
            "rpc", "JSON-RPC request and response pairs", options => new RpcWorker(options), RpcWorker.Takes,
            isSerial: true),
    ];

    public static ConformanceKind? Find(string name) =>
        All.FirstOrDefault(kind => string.Equals(kind.Name, name, StringComparison.OrdinalIgnoreCase));
}
