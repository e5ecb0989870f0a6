using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>An event that a contract emitted; 0 to 4 topics.</summary>
public sealed record Log(Address Address, Hash256[] Topics, byte[] Data);

/// <summary>What a transaction did; the consensus fields and what JSON-RPC adds to them.</summary>
/// <remarks>Small, as every transaction has one: what few of them have stands apart.</remarks>
public sealed record Receipt
{
    private readonly Rare? _rare;

    public TransactionType Type { get; init; }

    /// <summary>Whether execution succeeded; without meaning where <see cref="PostState"/> is set.</summary>
    public bool Succeeded { get; init; }

    /// <summary>The intermediate state root before Byzantium; null after.</summary>
    public Hash256? PostState
    {
        get => _rare?.PostState;
        init => _rare = Rare.Of(value, _rare?.ContractAddress);
    }

    public ulong CumulativeGasUsed { get; init; }
    public Bloom LogsBloom { get; init; } = Bloom.Empty;
    public IReadOnlyList<Log> Logs { get; init; } = [];

    /// <summary>Gas of this transaction alone; not part of the encoding.</summary>
    public ulong GasUsed { get; init; }

    /// <summary>The address of a created contract; not part of the encoding.</summary>
    public Address? ContractAddress
    {
        get => _rare?.ContractAddress;
        init => _rare = Rare.Of(_rare?.PostState, value);
    }

    private sealed record Rare(Hash256? PostState, Address? ContractAddress)
    {
        internal static Rare? Of(Hash256? postState, Address? contractAddress) =>
            postState is null && contractAddress is null ? null : new Rare(postState, contractAddress);
    }
}
