using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>How a read of state ended.</summary>
public enum ReadStatus : byte
{
    /// <summary>Known not to exist; a slot then is zero.</summary>
    Absent,

    /// <summary>The value is there.</summary>
    Found,

    /// <summary>Not here yet: the transaction is suspended and the key fetched (DESIGN.md, ports).</summary>
    NotLoaded,
}

/// <summary>The state-reader port: committed state, or a block's state before the transaction that reads.</summary>
/// <remarks>A view does not change under a transaction but through its own writes. Safe for concurrent
/// readers.</remarks>
public interface IStateReader
{
    ReadStatus ReadAccount(in Address address, out Account account);

    /// <summary>A storage slot; <see cref="ReadStatus.Absent"/> and Found with zero mean the same.</summary>
    ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value);

    /// <summary>Code by its hash; Absent for a hash that no account has.</summary>
    ReadStatus ReadCode(in Hash256 codeHash, out Code? code);
}
