using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>All locations that a block touches, on the state that its transactions begin with.</summary>
/// <remarks>
/// <code>
///   accounts  │ bucket ─▶ location ─▶ location          one table each for accounts and slots; locations are linked
///   slots     │ bucket ─▶ location                      in by one compare-and-swap and never leave during a block
/// </code>
/// The base does not change while the block runs; base values are read once a location. The tables have a fixed number
/// of buckets, chosen by the number of transactions; more locations than that only make the lists longer.
/// </remarks>
internal sealed class StateMemory
{
    private const int FewestBuckets = 1 << 10, MostBuckets = 1 << 16;

    private readonly System.Collections.Concurrent.ConcurrentDictionary<Hash256, Code> _code = new();
    private AccountLocation?[] _accounts = new AccountLocation?[FewestBuckets];
    private SlotLocation?[] _slots = new SlotLocation?[FewestBuckets];
    private IStateReader _base = EmptyStateReader.Instance;

    /// <summary>The fee recipient where fees are deferred, otherwise null.</summary>
    internal AccountLocation? FeeRecipient { get; private set; }

    /// <summary>Buckets of accounts, for those who share the walk over all of them.</summary>
    internal int AccountBuckets => _accounts.Length;

    /// <summary>Forgets the block before and begins one with so many transactions.</summary>
    internal void Begin(IStateReader baseState, int transactions)
    {
        _base = baseState;
        FeeRecipient = null;
        _code.Clear();
        var buckets = FewestBuckets;
        while (buckets < MostBuckets && buckets < transactions * 4)
        {
            buckets *= 2;
        }

        Clear(ref _accounts, buckets);
        Clear(ref _slots, buckets);
    }

    /// <summary>Lets go of everything that the block held.</summary>
    internal void End()
    {
        _base = EmptyStateReader.Instance;
        FeeRecipient = null;
        Array.Clear(_accounts);
        Array.Clear(_slots);
        _code.Clear();
    }

    /// <summary>
    /// Defers fees, which are summed up from the records instead of being written: possible where the recipient exists
    /// and is not empty, so that a fee changes nothing of it but the balance.
    /// </summary>
    internal void DeferFees(in Address recipient, StateTransactionRecord[] records, int count)
    {
        if (Locate(recipient) is { BaseExists: true } location && !location.Base.IsEmpty)
        {
            location.DeferFees(records, count);
            FeeRecipient = location;
        }
    }

    /// <summary>The account's location; null: not loaded.</summary>
    internal AccountLocation? Locate(in Address address)
    {
        var hash = address.GetHashCode();
        ref var bucket = ref _accounts[hash & (_accounts.Length - 1)];
        return Find(Volatile.Read(ref bucket), null, hash, address) ?? Read(ref bucket, hash, address);
    }

    /// <summary>The slot's location; null: not loaded.</summary>
    internal SlotLocation? Locate(AccountLocation account, in UInt256 key)
    {
        var hash = HashOf(account, key);
        ref var bucket = ref _slots[hash & (_slots.Length - 1)];
        if (Find(Volatile.Read(ref bucket), null, account, key) is { } known)
        {
            return known;
        }

        var value = UInt256.Zero;
        if (account.BaseExists && _base.ReadSlot(account.Address, key, out value) == ReadStatus.NotLoaded)
        {
            return null;
        }

        return Add(ref bucket, new SlotLocation(account, key, value));
    }

    /// <summary>The location of a slot that is known to have been zero before the block.</summary>
    internal SlotLocation LocateNew(AccountLocation account, in UInt256 key)
    {
        ref var bucket = ref _slots[HashOf(account, key) & (_slots.Length - 1)];
        return Find(Volatile.Read(ref bucket), null, account, key)
            ?? Add(ref bucket, new SlotLocation(account, key, UInt256.Zero));
    }

    /// <summary>The accounts of a bucket, linked by <see cref="AccountLocation.Next"/>.</summary>
    internal AccountLocation? AccountsIn(int bucket) => Volatile.Read(ref _accounts[bucket]);

    internal void AddCode(Code code) => _code.TryAdd(code.Hash, code);

    internal ReadStatus ReadCode(in Hash256 hash, out Code? code) =>
        !_code.IsEmpty && _code.TryGetValue(hash, out code) ? ReadStatus.Found : _base.ReadCode(hash, out code);

    private static int HashOf(AccountLocation account, in UInt256 key) => account.Hash ^ key.GetHashCode();

    private AccountLocation? Read(ref AccountLocation? bucket, int hash, in Address address)
    {
        var status = _base.ReadAccount(address, out var record);
        if (status == ReadStatus.NotLoaded)
        {
            return null;
        }

        // Others may have added it since the first look, so the whole list is looked at before the first attempt.
        var created = new AccountLocation(address, hash, status == ReadStatus.Found, record);
        AccountLocation? end = null;
        var first = Volatile.Read(ref bucket);
        while (true)
        {
            if (Find(first, end, hash, address) is { } known)
            {
                return known;
            }

            created.Next = first;
            var seen = Interlocked.CompareExchange(ref bucket, created, first);
            if (ReferenceEquals(seen, first))
            {
                return created;
            }

            (end, first) = (first, seen);
        }
    }

    private static AccountLocation? Find(AccountLocation? from, AccountLocation? end, int hash, in Address address)
    {
        for (var location = from; !ReferenceEquals(location, end); location = location!.Next)
        {
            if (location!.Hash == hash && location.Address == address)
            {
                return location;
            }
        }

        return null;
    }

    private static SlotLocation Add(ref SlotLocation? bucket, SlotLocation created)
    {
        SlotLocation? end = null;
        var first = Volatile.Read(ref bucket);
        while (true)
        {
            if (Find(first, end, created.Owner, created.Key) is { } known)
            {
                return known;
            }

            created.Next = first;
            var seen = Interlocked.CompareExchange(ref bucket, created, first);
            if (ReferenceEquals(seen, first))
            {
                created.Owner.Link(created);
                return created;
            }

            (end, first) = (first, seen);
        }
    }

    private static SlotLocation? Find(SlotLocation? from, SlotLocation? end, AccountLocation owner, in UInt256 key)
    {
        for (var location = from; !ReferenceEquals(location, end); location = location!.Next)
        {
            if (ReferenceEquals(location!.Owner, owner) && location.Key == key)
            {
                return location;
            }
        }

        return null;
    }

    private static void Clear<T>(ref T?[] table, int buckets)
        where T : class
    {
        if (table.Length == buckets)
        {
            Array.Clear(table);
        }
        else
        {
            table = new T?[buckets];
        }
    }
}
