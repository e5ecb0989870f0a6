using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State;

/// <summary>An account before and after a block; default records where it does not exist.</summary>
internal readonly record struct AccountDiff(
    Address Address, bool OldExists, AccountRecord Old, bool NewExists, AccountRecord New)
{
    internal Hash256 OldStorageRoot => OldExists ? Old.StorageRoot : TrieUpdater.EmptyRoot;
}

/// <summary>A slot before and after a block.</summary>
internal readonly record struct SlotDiff(Address Address, UInt256 Slot, UInt256 Old, UInt256 New);

/// <summary>What a block changes, with the root that comes of it; nothing of it is written yet.</summary>
public sealed class StateTransition
{
    internal StateTransition(
        AccountDiff[] accounts, SlotDiff[] slots, IReadOnlyDictionary<Hash256, Code> newCode, TrieUpdate update)
    {
        Accounts = accounts;
        Slots = slots;
        NewCode = newCode;
        Root = update.Root;
        Update = update;
    }

    /// <summary>The state root after the block.</summary>
    public Hash256 Root { get; }

    /// <summary>Accounts that differ.</summary>
    internal AccountDiff[] Accounts { get; }

    /// <summary>
    /// Slots that differ, cleared ones included; each belongs to an account of <see cref="Accounts"/>.
    /// </summary>
    internal SlotDiff[] Slots { get; }

    internal IReadOnlyDictionary<Hash256, Code> NewCode { get; }

    /// <summary>The new trie nodes, good only on top of the state that they were worked out from.</summary>
    internal TrieUpdate? Update { get; set; }
}
