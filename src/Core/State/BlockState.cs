using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>
/// A block's state while its transactions run one after another: the parent's state with their changes.
/// </summary>
/// <remarks>
/// A read comes from what was changed, else from what was read before, else from the parent's reader. What each
/// location held before the block is kept, so that a commit can write reverse differences. Not thread-safe.
/// </remarks>
public sealed class BlockState(IStateReader parent) : IStateReader
{
    private readonly Dictionary<Address, BlockAccount> _accounts = [];
    private readonly Dictionary<Hash256, Code> _newCode = [];

    /// <summary>The state of the parent block.</summary>
    public IStateReader Parent => parent;

    /// <summary>Every account that the block read or changed.</summary>
    public IEnumerable<BlockAccount> Accounts => _accounts.Values;

    /// <summary>Code that the block deployed, by hash.</summary>
    public IReadOnlyDictionary<Hash256, Code> NewCode => _newCode;

    /// <summary>What is known of an account that was read or changed; null for any other.</summary>
    internal BlockAccount? Find(in Address address) => _accounts.GetValueOrDefault(address);

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var entry = Open(address);
        if (entry is null)
        {
            account = default;
            return ReadStatus.NotLoaded;
        }

        account = entry.Current;
        return entry.Exists ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        var entry = Open(address);
        value = default;
        if (entry is null)
        {
            return ReadStatus.NotLoaded;
        }

        if (entry.Slots.TryGetValue(slot, out var known))
        {
            value = known.Current;
            return ReadStatus.Found;
        }

        if (entry.StorageCleared || !entry.OriginalExists)
        {
            return ReadStatus.Absent;
        }

        var status = parent.ReadSlot(address, slot, out value);
        if (status != ReadStatus.NotLoaded)
        {
            entry.Slots[slot] = new BlockSlot(value, value);
        }

        return status;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _newCode.TryGetValue(codeHash, out code) ? ReadStatus.Found : parent.ReadCode(codeHash, out code);

    /// <summary>Takes a transaction's changes over.</summary>
    public void Apply(StateChanges changes)
    {
        foreach (var change in changes.Accounts)
        {
            var entry = Open(change.Address)
                ?? throw new InvalidOperationException($"{change.Address} was changed without having been read.");
            entry.Exists = change.Exists;
            entry.Current = change.Account;
            entry.Changed = true;
            if (change.StorageCleared)
            {
                entry.StorageCleared = true;
                entry.ClearSlots();
            }

            if (change.NewCode is { } code)
            {
                _newCode[code.Hash] = code;
            }
        }

        foreach (var change in changes.Slots)
        {
            var entry = Open(change.Address)
                ?? throw new InvalidOperationException($"{change.Address} was changed without having been read.");
            if (!entry.Slots.TryGetValue(change.Slot, out var slot) && !entry.StorageCleared && entry.OriginalExists
                && parent.ReadSlot(change.Address, change.Slot, out var original) == ReadStatus.Found)
            {
                slot = new BlockSlot(original, original);
            }

            entry.Slots[change.Slot] = slot with { Current = change.Value };
            entry.Changed = true;
        }
    }

    /// <summary>
    /// The account's entry; made from what is known to stand before the block where it was not read yet.
    /// </summary>
    public BlockAccount Adopt(in Address address, bool exists, in Account record)
    {
        if (!_accounts.TryGetValue(address, out var entry))
        {
            entry = new BlockAccount(address, exists, record);
            _accounts.Add(address, entry);
        }

        return entry;
    }

    /// <summary>
    /// The account's entry, if the block has read or changed it; safe for many readers while nobody writes.
    /// </summary>
    internal BlockAccount? Known(in Address address) => _accounts.GetValueOrDefault(address);

    /// <summary>Makes room for so many more accounts at once.</summary>
    internal void Expect(int accounts) => _accounts.EnsureCapacity(_accounts.Count + accounts);

    /// <summary>Takes entries over that were not known.</summary>
    internal void Add(ReadOnlySpan<BlockAccount> accounts)
    {
        foreach (var account in accounts)
        {
            _accounts.Add(account.Address, account);
        }
    }

    /// <summary>The same, where the accounts themselves are in another core's cache.</summary>
    internal void Add(ReadOnlySpan<KeyValuePair<Address, BlockAccount>> accounts)
    {
        foreach (ref readonly var account in accounts)
        {
            _accounts.Add(account.Key, account.Value);
        }
    }

    /// <summary>Keeps code that the block deployed.</summary>
    public void AddCode(IEnumerable<Code> deployed)
    {
        foreach (var code in deployed)
        {
            _newCode[code.Hash] = code;
        }
    }

    private BlockAccount? Open(in Address address)
    {
        if (_accounts.TryGetValue(address, out var known))
        {
            return known;
        }

        var status = parent.ReadAccount(address, out var account);
        if (status == ReadStatus.NotLoaded)
        {
            return null;
        }

        var entry = new BlockAccount(address, status == ReadStatus.Found, account);
        _accounts.Add(address, entry);
        return entry;
    }
}

/// <summary>An account before and within a block.</summary>
public sealed class BlockAccount(Address address, bool exists, Account account)
{
    public Address Address => address;

    /// <summary>Whether the account existed before the block.</summary>
    public bool OriginalExists { get; } = exists;

    /// <summary>The account before the block.</summary>
    public Account Original { get; } = account;

    public bool Exists { get; internal set; } = exists;

    public Account Current { get; internal set; } = account;

    /// <summary>Whether the block wrote the account or one of its slots.</summary>
    public bool Changed { get; internal set; }

    /// <summary>
    /// Whether all slots from before the block are gone; <see cref="Slots"/> then holds the only ones.
    /// </summary>
    public bool StorageCleared { get; internal set; }

    /// <summary>Takes final values over; what is as before does not count as changed.</summary>
    public void Replace(bool exists, in Account account, bool storageCleared)
    {
        Changed |= exists != Exists || (exists && account != Current) || storageCleared;
        Exists = exists;
        Current = account;
        if (storageCleared)
        {
            StorageCleared = true;
            ClearSlots();
        }
    }

    /// <summary>
    /// Takes a slot's final value over; <paramref name="before"/> counts where the slot was not known yet.
    /// </summary>
    public void ReplaceSlot(in UInt256 key, in UInt256 before, in UInt256 value)
    {
        var original = Slots.TryGetValue(key, out var known) ? known.Original : StorageCleared ? UInt256.Zero : before;
        Changed |= value != original;
        Slots[key] = new BlockSlot(original, value);
    }

    private Dictionary<UInt256, BlockSlot>? _slots;

    /// <summary>Slots that were read or written; most accounts have none, so the table is made on first use.</summary>
    public Dictionary<UInt256, BlockSlot> Slots => _slots ??= [];

    internal void ClearSlots() => _slots?.Clear();

    /// <summary>Whether any slot was read or written; asked where nobody may make the table.</summary>
    internal bool HasSlots => _slots is { Count: > 0 };
}

/// <summary>A slot before and within a block; the original is zero where the storage was cleared in between.</summary>
public readonly record struct BlockSlot(UInt256 Original, UInt256 Current);
