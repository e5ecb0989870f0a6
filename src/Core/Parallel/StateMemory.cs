using System.Collections.Concurrent;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>The part of an account that a version chain is about.</summary>
internal enum AccountPart : byte
{
    Nonce,
    Balance,
    CodeHash,

    /// <summary>Existence, presence of storage, and who cleared the storage last; see <see cref="Life"/>.</summary>
    Life,
}

/// <summary>Existence and storage of an account packed into a word that versions can carry.</summary>
/// <remarks>
/// <code>
///   limb 0: | has storage: bit 1 | exists: bit 0 |      limb 1: 1 + the transaction that cleared the storage, 0 none
/// </code>
/// </remarks>
internal static class Life
{
    internal static UInt256 Pack(bool exists, bool hasStorage, ulong clearedBy) =>
        new((exists ? 1UL : 0) | (hasStorage ? 2UL : 0), clearedBy);

    internal static bool Exists(in UInt256 life) => (life.U0 & 1) != 0;

    internal static bool HasStorage(in UInt256 life) => (life.U0 & 2) != 0;

    internal static ulong ClearedBy(in UInt256 life) => life.U1;
}

/// <summary>A place in state with its versions and its value before the block.</summary>
internal abstract class StateLocation
{
    /// <summary>
    /// What the place answers to a transaction; false where a lower one is about to write (by whom: answer).
    /// </summary>
    internal abstract bool TryResolve(int transaction, AccountPart part, out StateRead read);
}

/// <summary>An answer and the version it came from, to be compared again at validation.</summary>
internal struct StateRead
{
    public UInt256 Value;

    /// <summary>
    /// The transaction whose version answered; −1 the state before the block; −2 only the value tells.
    /// </summary>
    public int Transaction;
    public int Incarnation;
}

/// <summary>An account's four version chains, its slots and its record before the block.</summary>
internal sealed class AccountLocation(Address address, bool exists, Account record) : StateLocation
{
    internal VersionChain<UInt256> Nonce, Balance, CodeHash, LifeChain;

    internal Address Address { get; } = address;

    internal bool BaseExists { get; } = exists;

    internal Account Base { get; } = exists
        ? record
        : new Account(0, UInt256.Zero, Code.Empty.Hash, false);

    private ConcurrentDictionary<UInt256, SlotLocation>? _slots;

    /// <summary>
    /// The slots that were read or written; most accounts have none, so the table is made on first use.
    /// </summary>
    internal ConcurrentDictionary<UInt256, SlotLocation> Slots
    {
        get
        {
            if (_slots is { } known)
            {
                return known;
            }

            Interlocked.CompareExchange(ref _slots, new ConcurrentDictionary<UInt256, SlotLocation>(), null);
            return _slots;
        }
    }

    internal bool HasSlots => Volatile.Read(ref _slots) is not null;

    internal bool IsTouched => !Nonce.IsEmpty || !Balance.IsEmpty || !CodeHash.IsEmpty || !LifeChain.IsEmpty
        || HasSlots;

    internal ref VersionChain<UInt256> ChainOf(AccountPart part)
    {
        switch (part)
        {
            case AccountPart.Nonce:
                return ref Nonce;
            case AccountPart.Balance:
                return ref Balance;
            case AccountPart.CodeHash:
                return ref CodeHash;
            default:
                return ref LifeChain;
        }
    }

    internal override bool TryResolve(int transaction, AccountPart part, out StateRead read)
    {
        ref var chain = ref ChainOf(part);
        if (chain.IsEmpty)
        {
            read = new StateRead { Value = BaseOf(part), Transaction = -1 };
            return true;
        }

        chain.Resolve(transaction, out var resolved);
        read = new StateRead
        {
            Transaction = resolved.HasSum ? -2 : resolved.Transaction,
            Incarnation = resolved.Incarnation,
            Value = resolved.Status == ResolveStatus.Written ? resolved.Value
                : resolved.HasSum ? BaseOf(part) + resolved.Sum : BaseOf(part),
        };
        if (resolved.Status == ResolveStatus.Estimate)
        {
            read.Transaction = resolved.Transaction;
            return false;
        }

        return true;
    }

    private UInt256 BaseOf(AccountPart part) => part switch
    {
        AccountPart.Nonce => Base.Nonce,
        AccountPart.Balance => Base.Balance,
        AccountPart.CodeHash => UInt256.FromBigEndian(Base.CodeHash.Bytes),
        _ => Life.Pack(BaseExists, Base.HasStorage, 0),
    };
}

/// <summary>A storage slot's versions and its value before the block.</summary>
internal sealed class SlotLocation(AccountLocation owner, UInt256 key, UInt256 value) : StateLocation
{
    internal VersionChain<UInt256> Chain;

    internal AccountLocation Owner { get; } = owner;

    internal UInt256 Key { get; } = key;

    internal UInt256 Base { get; } = value;

    internal override bool TryResolve(int transaction, AccountPart part, out StateRead read)
    {
        var cleared = 0UL;
        if (!Owner.LifeChain.IsEmpty)
        {
            if (!Owner.TryResolve(transaction, AccountPart.Life, out read))
            {
                return false;
            }

            cleared = Life.ClearedBy(read.Value);
        }

        read = default;
        Chain.Resolve(transaction, out var resolved);
        if (resolved.Status == ResolveStatus.Estimate)
        {
            read.Transaction = resolved.Transaction;
            return false;
        }

        // A clearing counts at the end of its transaction, which writes no slot of the account itself.
        var written = resolved.Status == ResolveStatus.Written;
        var survives = cleared == 0 || (written && (ulong)resolved.Transaction + 1 > cleared);
        read.Value = !survives ? UInt256.Zero : written ? resolved.Value : Base;
        read.Transaction = cleared == 0 ? resolved.Transaction : -2;
        read.Incarnation = resolved.Incarnation;
        return true;
    }
}

/// <summary>All locations that a block touches, on the state that its transactions begin with.</summary>
/// <remarks>The base does not change while the block runs; base values are read once a location.</remarks>
internal sealed class StateMemory(IStateReader baseState)
{
    private readonly ConcurrentDictionary<Address, AccountLocation> _accounts = new();
    private readonly ConcurrentDictionary<Hash256, Code> _code = new();

    internal ICollection<AccountLocation> Accounts => _accounts.Values;

    /// <summary>The account's location; null: not loaded.</summary>
    internal AccountLocation? Locate(in Address address)
    {
        if (_accounts.TryGetValue(address, out var location))
        {
            return location;
        }

        var status = baseState.ReadAccount(address, out var record);
        return status == ReadStatus.NotLoaded
            ? null
            : _accounts.GetOrAdd(address, new AccountLocation(address, status == ReadStatus.Found, record));
    }

    /// <summary>The slot's location; null: not loaded.</summary>
    internal SlotLocation? Locate(AccountLocation account, in UInt256 key)
    {
        if (account.Slots.TryGetValue(key, out var location))
        {
            return location;
        }

        var value = UInt256.Zero;
        if (account.BaseExists && baseState.ReadSlot(account.Address, key, out value) == ReadStatus.NotLoaded)
        {
            return null;
        }

        return account.Slots.GetOrAdd(key, new SlotLocation(account, key, value));
    }

    internal void AddCode(Code code) => _code.TryAdd(code.Hash, code);

    internal ReadStatus ReadCode(in Hash256 hash, out Code? code) =>
        _code.TryGetValue(hash, out code) ? ReadStatus.Found : baseState.ReadCode(hash, out code);
}
