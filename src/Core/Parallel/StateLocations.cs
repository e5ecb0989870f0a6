using System.Runtime.CompilerServices;
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

/// <summary>An answer and the version it came from, to be compared again at validation.</summary>
internal struct StateRead
{
    public UInt256 Value;

    /// <summary>
    /// The transaction whose version answered; −1 the state before the block; −2 only the value tells.
    /// </summary>
    public int Transaction;
    public int Incarnation;

    /// <summary>Whether a later answer certainly has the same value, or has it.</summary>
    internal readonly bool IsStill(in StateRead now) =>
        (now.Transaction == Transaction && Transaction != -2 && now.Incarnation == Incarnation) || now.Value == Value;
}

/// <summary>An account's four version chains, its slots and its record before the block.</summary>
internal sealed class AccountLocation(Address address, int hash, bool exists, Account record)
{
    private StateTransactionRecord[]? _fees;
    private int _feeCount;
    private SlotLocation? _slots;

    internal VersionChain<UInt256> Nonce, Balance, CodeHash, LifeChain;

    internal Address Address { get; } = address;

    internal int Hash { get; } = hash;

    /// <summary>The next account of the same bucket.</summary>
    internal AccountLocation? Next { get; set; }

    internal bool BaseExists { get; } = exists;

    internal Account Base { get; } = exists
        ? record
        : new Account(0, UInt256.Zero, Code.Empty.Hash, false);

    /// <summary>The account's slots that were read or written, linked by their owner's link.</summary>
    internal SlotLocation? Slots => Volatile.Read(ref _slots);

    /// <summary>Nobody wrote any part, so that all of it is as before the block.</summary>
    internal bool IsPristine =>
        Nonce.IsEmpty && Balance.IsEmpty && CodeHash.IsEmpty && LifeChain.IsEmpty && _fees is null;

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

    internal UInt256 BaseOf(AccountPart part) => part switch
    {
        AccountPart.Nonce => Base.Nonce,
        AccountPart.Balance => Base.Balance,
        AccountPart.CodeHash => Unsafe.BitCast<Hash256, UInt256>(Base.CodeHash),
        _ => Life.Pack(BaseExists, Base.HasStorage, 0),
    };

    internal void Link(SlotLocation slot)
    {
        var first = Volatile.Read(ref _slots);
        while (true)
        {
            slot.NextOfOwner = first;
            var seen = Interlocked.CompareExchange(ref _slots, slot, first);
            if (ReferenceEquals(seen, first))
            {
                return;
            }

            first = seen;
        }
    }

    /// <summary>Lets the balance grow by the fees in the records of all lower transactions.</summary>
    internal void DeferFees(StateTransactionRecord[] records, int count) => (_fees, _feeCount) = (records, count);

    /// <summary>
    /// What a part answers to a transaction; false where a lower one is about to write (by whom: answer).
    /// </summary>
    internal bool TryResolve(int transaction, AccountPart part, out StateRead read)
    {
        ref var chain = ref ChainOf(part);
        var counts = part == AccountPart.Balance && _fees is not null;
        if (chain.IsEmpty && !counts)
        {
            read.Value = BaseOf(part);
            read.Transaction = -1;
            read.Incarnation = 0;
            return true;
        }

        chain.Resolve(transaction, out var resolved);
        read.Transaction = resolved.HasSum || counts ? -2 : resolved.Transaction;
        read.Incarnation = resolved.Incarnation;
        read.Value = resolved.Status == ResolveStatus.Written ? resolved.Value
            : resolved.HasSum ? BaseOf(part) + resolved.Sum : BaseOf(part);
        if (resolved.Status == ResolveStatus.Estimate)
        {
            read.Transaction = resolved.Transaction;
            return false;
        }

        if (counts)
        {
            read.Value += FeesBetween(resolved.Transaction + 1, Math.Min(transaction, _feeCount));
        }

        return true;
    }

    /// <summary>
    /// Fees of the finished among some transactions. Before a commit it may lack some, which validation then finds.
    /// </summary>
    private UInt256 FeesBetween(int first, int end)
    {
        var sum = UInt256.Zero;
        for (var i = first; i < end; i++)
        {
            sum += _fees![i].Fee.Read();
        }

        return sum;
    }
}

/// <summary>A storage slot's versions and its value before the block.</summary>
internal sealed class SlotLocation(AccountLocation owner, UInt256 key, UInt256 value)
{
    internal VersionChain<UInt256> Chain;

    internal AccountLocation Owner { get; } = owner;

    /// <summary>The next slot of the same bucket.</summary>
    internal SlotLocation? Next { get; set; }

    /// <summary>The next slot of the same account.</summary>
    internal SlotLocation? NextOfOwner { get; set; }

    internal UInt256 Key { get; } = key;

    internal UInt256 Base { get; } = value;

    /// <summary>
    /// What the slot answers to a transaction; false where a lower one is about to write (by whom: answer).
    /// </summary>
    internal bool TryResolve(int transaction, out StateRead read)
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

        if (Chain.IsEmpty && cleared == 0)
        {
            read.Value = Base;
            read.Transaction = -1;
            read.Incarnation = 0;
            return true;
        }

        Chain.Resolve(transaction, out var resolved);
        read = default;
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
