using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>
/// A whole state in dictionaries: pre-states of tests, genesis allocations, and an oracle for the store.
/// </summary>
/// <remarks>Safe for concurrent readers while nobody writes.</remarks>
public sealed class MemoryState : IStateReader
{
    private readonly Dictionary<Address, (Account Account, Dictionary<UInt256, UInt256> Slots)> _accounts = [];
    private readonly Dictionary<Hash256, Code> _code = [];

    public MemoryState()
    {
    }

    public MemoryState(IEnumerable<AllocatedAccount> accounts)
    {
        foreach (var account in accounts)
        {
            Set(account);
        }
    }

    public IEnumerable<Address> Addresses => _accounts.Keys;

    /// <summary>The state root.</summary>
    public Hash256 Root => StateRoot.Of([.. Accounts]);

    /// <summary>Every account with its slots.</summary>
    public IEnumerable<AllocatedAccount> Accounts => _accounts.Select(pair => new AllocatedAccount(
        pair.Key,
        pair.Value.Account.Nonce,
        pair.Value.Account.Balance,
        pair.Value.Account.HasCode ? _code[pair.Value.Account.CodeHash] : null,
        pair.Value.Slots));

    /// <summary>Puts an account in place of what stood there.</summary>
    public void Set(AllocatedAccount account)
    {
        var slots = account.Slots is null
            ? []
            : account.Slots.Where(slot => !slot.Value.IsZero).ToDictionary(slot => slot.Key, slot => slot.Value);
        var code = account.Code ?? Code.Empty;
        _code[code.Hash] = code;
        _accounts[account.Address] =
            (new Account(account.Nonce, account.Balance, code.Hash, slots.Count > 0), slots);
    }

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var found = _accounts.TryGetValue(address, out var entry);
        account = entry.Account;
        return found ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        return _accounts.TryGetValue(address, out var entry) && entry.Slots.TryGetValue(slot, out value)
            ? ReadStatus.Found
            : ReadStatus.Absent;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _code.TryGetValue(codeHash, out code) ? ReadStatus.Found : ReadStatus.Absent;

    /// <summary>Takes over what a block (or a test's transaction) changed.</summary>
    public void Apply(BlockState state)
    {
        foreach (var (hash, code) in state.NewCode)
        {
            _code[hash] = code;
        }

        foreach (var changed in state.Accounts)
        {
            if (changed.Changed)
            {
                Apply(changed);
            }
        }
    }

    private void Apply(BlockAccount changed)
    {
        if (!changed.Exists)
        {
            _accounts.Remove(changed.Address);
            return;
        }

        var slots = !changed.StorageCleared && _accounts.TryGetValue(changed.Address, out var entry)
            ? entry.Slots
            : [];
        foreach (var (slot, value) in changed.Slots)
        {
            if (value.Current.IsZero)
            {
                slots.Remove(slot);
            }
            else
            {
                slots[slot] = value.Current;
            }
        }

        _accounts[changed.Address] = (changed.Current with { HasStorage = slots.Count > 0 }, slots);
    }
}
