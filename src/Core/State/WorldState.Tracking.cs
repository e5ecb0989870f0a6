using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>The parts of an account that a transaction may depend on one by one.</summary>
[Flags]
public enum AccountFields : byte
{
    None = 0,
    Nonce = 1,
    Balance = 2,
    Code = 4,
    All = Nonce | Balance | Code,
}

/// <summary>What a transaction used and changed of an account, for a multi-version memory.</summary>
public struct TrackedAccount
{
    /// <summary>Which of the reader's ReadAccount calls since the reset answered it, from 0.</summary>
    public int Ordinal;

    /// <summary>The fields whose values the transaction depends on.</summary>
    public AccountFields Uses;

    /// <summary>The fields that it changed.</summary>
    public AccountFields Changes;

    /// <summary>The balance was only added to: <see cref="Balance"/> is what was added (modulo 2^256).</summary>
    public bool IsAddition;

    /// <summary>Existence or the presence of storage changed, or the storage was cleared.</summary>
    public bool LifeChanged;
    public bool Exists;
    public bool HasStorage;
    public bool StorageCleared;
    public ulong Nonce;
    public UInt256 Balance;
    public Hash256 CodeHash;
    public Code? NewCode;
}

/// <summary>A slot that a transaction read, and its new value.</summary>
public struct TrackedSlot
{
    /// <summary>
    /// Which of the reader's ReadSlot calls answered it; −1 for a slot known to be zero without reading.
    /// </summary>
    public int Ordinal;
    public Address Address;
    public UInt256 Key;
    public UInt256 Value;
    public bool Changed;
}

/// <summary>Takes what a transaction used and changed, accounts first.</summary>
public interface ITrackingSink
{
    void Take(in TrackedAccount account);

    void Take(in TrackedSlot slot);
}

/// <summary>The harvest for optimistic execution: what was used, and changes field by field.</summary>
public sealed partial class WorldState
{
    private const int NotRead = -1;

    private int _accountReads, _slotReads;

    /// <summary>
    /// Hands out every account and slot that was read; without <paramref name="withChanges"/> only the uses.
    /// </summary>
    public void Track(ITrackingSink sink, bool withChanges)
    {
        for (var i = 0; withChanges && i < _slotCount; i++)
        {
            ref var slot = ref _slots[i];
            ref var owner = ref _accounts[slot.Account];
            owner.HasStorage |= slot.Current != slot.Original && !slot.Current.IsZero;
        }

        for (var i = 0; i < _accountCount; i++)
        {
            if (_accounts[i].Loaded)
            {
                TrackAccount(ref _accounts[i], sink, withChanges);
            }
        }

        for (var i = 0; i < _slotCount; i++)
        {
            ref var slot = ref _slots[i];
            ref var owner = ref _accounts[slot.Account];
            if (!slot.Loaded)
            {
                continue;
            }

            var changed = withChanges && slot.Current != slot.Original && ExistsAtEnd(owner);
            if (changed || slot.Ordinal != NotRead)
            {
                sink.Take(new TrackedSlot
                {
                    Ordinal = slot.Ordinal, Address = owner.Address, Key = slot.Key, Value = slot.Current,
                    Changed = changed,
                });
            }
        }
    }

    private void TrackAccount(ref AccountEntry entry, ITrackingSink sink, bool withChanges)
    {
        var tracked = new TrackedAccount { Ordinal = entry.Ordinal, Uses = entry.Uses };
        if (withChanges)
        {
            var added = entry.Balance - entry.OriginalBalance;
            if (_rules.Eip161 && entry.Touched && added.IsZero)
            {
                // Whether the account is removed depends on all of it; an addition leaves no doubt.
                tracked.Uses = AccountFields.All;
            }

            var exists = ExistsAtEnd(entry);
            tracked.Exists = exists;
            tracked.StorageCleared = !exists && entry.OriginalExists;
            tracked.HasStorage = exists && entry.HasStorage;
            tracked.LifeChanged = exists != entry.OriginalExists
                || (exists && entry.HasStorage != entry.OriginalHasStorage);
            if (exists || entry.OriginalExists)
            {
                TrackChanges(ref entry, ref tracked, exists, added);
            }
        }

        sink.Take(tracked);
    }

    private static void TrackChanges(
        ref AccountEntry entry, ref TrackedAccount tracked, bool exists, in UInt256 added)
    {
        tracked.Nonce = exists ? entry.Nonce : 0;
        tracked.CodeHash = exists ? entry.CodeHash : Code.Empty.Hash;
        tracked.Balance = exists ? entry.Balance : UInt256.Zero;
        tracked.NewCode = exists && entry.CodeChanged ? entry.Code : null;
        tracked.Changes |= tracked.Nonce != entry.OriginalNonce ? AccountFields.Nonce : AccountFields.None;
        tracked.Changes |= tracked.CodeHash != entry.OriginalCodeHash ? AccountFields.Code : AccountFields.None;
        tracked.Changes |= tracked.Balance != entry.OriginalBalance ? AccountFields.Balance : AccountFields.None;
        if (exists && (tracked.Changes & AccountFields.Balance) != 0 && (tracked.Uses & AccountFields.Balance) == 0)
        {
            tracked.IsAddition = true;
            tracked.Balance = added;
        }
    }
}
