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

    /// <summary>Works out what a block changes in its parent's state, and the root that comes of it.</summary>
    internal static StateTransition Of(
        BlockState state, IStateRecords parent, StateTries tries, in Hash256 parentRoot)
    {
        var (accounts, slots) = new BlockDifference(parent).Of(state);
        var targets = new TrieTarget[accounts.Length];
        var values = new KeyValuePair<UInt256, UInt256>[slots.Length];
        for (var i = 0; i < slots.Length; i++)
        {
            values[i] = new(slots[i].Slot, slots[i].New);
        }

        // Slots lie in the order of their accounts.
        var position = 0;
        for (var i = 0; i < accounts.Length; i++)
        {
            ref readonly var diff = ref accounts[i];
            var start = position;
            while (position < slots.Length && slots[position].Address == diff.Address)
            {
                position++;
            }

            targets[i] = new TrieTarget(
                diff.Address, diff.OldStorageRoot, start, position - start, diff.NewExists, diff.New);
        }

        var update = tries.Apply(parentRoot, targets, values);
        for (var i = 0; i < accounts.Length; i++)
        {
            accounts[i] = accounts[i] with { New = targets[i].Record };
        }

        return new StateTransition(accounts, slots, state.NewCode, update);
    }
}
