using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>An account after a transaction or a block.</summary>
/// <param name="Address">Whose.</param>
/// <param name="Exists">False where the account is removed; the other values then do not count.</param>
/// <param name="Account">The account as it is now.</param>
/// <param name="StorageCleared">All slots from before are zero now; slot changes of the same set come after
/// that.</param>
/// <param name="NewCode">The code, where it was set.</param>
public readonly record struct AccountChange(
    Address Address, bool Exists, Account Account, bool StorageCleared, Code? NewCode);

/// <summary>A slot's new value; zero removes it.</summary>
public readonly record struct SlotChange(Address Address, UInt256 Slot, UInt256 Value);

/// <summary>
/// What a transaction wrote: at most one entry an account and one a slot, in the order of first touch.
/// </summary>
/// <remarks>Reused from transaction to transaction by its owner; copy what must outlive the next one.</remarks>
public sealed class StateChanges
{
    public List<AccountChange> Accounts { get; } = [];

    public List<SlotChange> Slots { get; } = [];

    public void Clear()
    {
        Accounts.Clear();
        Slots.Clear();
    }
}

/// <summary>A storage location: whose, and which slot.</summary>
public readonly record struct SlotKey(Address Address, UInt256 Slot)
{
    public override int GetHashCode() =>
        HashMix.Mix((uint)Address.GetHashCode() | ((ulong)(uint)Slot.GetHashCode() << 32), Slot.U0);
}
