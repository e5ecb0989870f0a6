using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>
/// Finds what a block state changes against its parent's state, cleared storage spelled out slot by slot.
/// </summary>
/// <param name="parent">The parent's state.</param>
internal readonly struct BlockDifference(IStateRecords parent)
{
    /// <summary>Accounts that differ, and slots in the order of their accounts.</summary>
    /// <remarks>New storage roots are not known yet: the records still have the old ones.</remarks>
    internal (AccountDiff[] Accounts, SlotDiff[] Slots) Of(BlockState state)
    {
        // The records are large: lists that grow would copy megabytes for a full block.
        var (changed, written) = Count(state);
        var accounts = new List<AccountDiff>(changed);
        var slots = new List<SlotDiff>(written);
        foreach (var account in state.Accounts)
        {
            if (account.Changed)
            {
                Add(account, accounts, slots);
            }
        }

        return ([.. accounts], [.. slots]);
    }

    private static (int Accounts, int Slots) Count(BlockState state)
    {
        var (accounts, slots) = (0, 0);
        foreach (var account in state.Accounts)
        {
            if (account.Changed)
            {
                accounts++;
                slots += account.HasSlots ? account.Slots.Count : 0;
            }
        }

        return (accounts, slots);
    }

    private void Add(BlockAccount account, List<AccountDiff> accounts, List<SlotDiff> slots)
    {
        var address = account.Address;
        var existed = parent.ReadRecord(address, out var old);
        if (!existed && !account.Exists)
        {
            return;
        }

        var storageRoot = existed ? old.StorageRoot : StateRoot.Empty;
        var before = slots.Count;
        if (account.StorageCleared || !account.Exists)
        {
            AddReplaced(account, existed && storageRoot != StateRoot.Empty, slots);
        }
        else if (account.HasSlots)
        {
            foreach (var (slot, value) in account.Slots)
            {
                if (value.Original != value.Current)
                {
                    slots.Add(new SlotDiff(address, slot, value.Original, value.Current));
                }
            }
        }

        var record = account.Exists ? AccountRecord.Of(account.Current, storageRoot) : default;
        if (slots.Count > before || existed != account.Exists || record != old)
        {
            accounts.Add(new AccountDiff(address, existed, old, account.Exists, record));
        }
    }

    /// <summary>The account's storage was cleared: every old slot goes, and those written after that come.</summary>
    private void AddReplaced(BlockAccount account, bool hadStorage, List<SlotDiff> slots)
    {
        var address = account.Address;
        var old = hadStorage ? parent.SlotsOf(address) : [];
        foreach (var (slot, value) in old)
        {
            var current = account.Exists && account.Slots.TryGetValue(slot, out var written)
                ? written.Current
                : UInt256.Zero;
            if (current != value)
            {
                slots.Add(new SlotDiff(address, slot, value, current));
            }
        }

        if (!account.Exists || !account.HasSlots)
        {
            return;
        }

        foreach (var (slot, value) in account.Slots)
        {
            if (!value.Current.IsZero && !old.ContainsKey(slot))
            {
                slots.Add(new SlotDiff(address, slot, UInt256.Zero, value.Current));
            }
        }
    }
}

/// <summary>A block's parent's state with what its trie needs to know.</summary>
internal interface IStateRecords
{
    bool ReadRecord(in Address address, out AccountRecord record);

    /// <summary>All slots of an account that are not zero.</summary>
    Dictionary<UInt256, UInt256> SlotsOf(in Address address);
}
