using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>A worker's window on the multi-version memory: state as the transaction at work must see it.</summary>
/// <remarks>
/// Remembers every answer by the order of the calls, so that the harvest of <see cref="WorldState.Track"/> can say
/// which of them mattered. Answers NotLoaded also where a lower transaction is about to write; then
/// <see cref="BlockedOn"/> names it.
/// </remarks>
internal sealed class ParallelStateView(
    StateMemory memory, VersionChain<UInt256>.VersionArena arena, int worker, Action<int>? interleaving)
    : IStateReader, ITrackingSink
{
    private AccountRead[] _accounts = new AccountRead[16];
    private SlotRead[] _slots = new SlotRead[32];
    private int _accountCount, _slotCount;
    private AccountLocation? _owner;
    private StateTransactionRecord _record = new();
    private int _transaction;

    /// <summary>The transaction that execution has to wait for, or −1.</summary>
    internal int BlockedOn { get; private set; }

    /// <summary>Whether a fee may be noted instead of paid; see <see cref="StateMemory.DeferFees"/>.</summary>
    internal bool DefersFees => memory.FeeRecipient is { LifeChain.IsEmpty: true };

    internal void Begin(int transaction)
    {
        _transaction = transaction;
        _accountCount = 0;
        _slotCount = 0;
        _owner = null;
        BlockedOn = -1;
    }

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        interleaving?.Invoke(worker);
        account = default;
        var location = memory.Locate(address);
        if (location is null)
        {
            return ReadStatus.NotLoaded;
        }

        if (_accountCount == _accounts.Length)
        {
            Array.Resize(ref _accounts, _accounts.Length * 2);
        }

        ref var open = ref _accounts[_accountCount];
        open.Location = location;
        open.IsPristine = location.IsPristine;
        if (open.IsPristine)
        {
            _accountCount++;
            account = location.Base;
            return location.BaseExists ? ReadStatus.Found : ReadStatus.Absent;
        }

        if (!TryResolve(location, AccountPart.Nonce, out open.Nonce)
            || !TryResolve(location, AccountPart.Balance, out open.Balance)
            || !TryResolve(location, AccountPart.CodeHash, out open.CodeHash)
            || !TryResolve(location, AccountPart.Life, out open.Life))
        {
            return ReadStatus.NotLoaded;
        }

        _accountCount++;
        if (!Life.Exists(open.Life.Value))
        {
            return ReadStatus.Absent;
        }

        account = new Account(
            open.Nonce.Value.U0, open.Balance.Value, Unsafe.BitCast<UInt256, Hash256>(open.CodeHash.Value),
            Life.HasStorage(open.Life.Value));
        return ReadStatus.Found;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        var location = OwnerOf(address) is { } owner ? memory.Locate(owner, slot) : null;
        if (location is null)
        {
            return ReadStatus.NotLoaded;
        }

        if (_slotCount == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        ref var open = ref _slots[_slotCount];
        open.Location = location;
        if (!location.TryResolve(_transaction, out open.Answer))
        {
            BlockedOn = open.Answer.Transaction;
            return ReadStatus.NotLoaded;
        }

        _slotCount++;
        value = open.Answer.Value;
        return ReadStatus.Found;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) => memory.ReadCode(codeHash, out code);

    /// <summary>Puts the finished execution's reads and writes into the record and the memory.</summary>
    internal void Publish(StateTransactionRecord record, WorldState world, bool withChanges)
    {
        interleaving?.Invoke(worker);
        _record = record;
        record.Begin();
        record.Fee.Write(withChanges ? world.DeferredFee : UInt256.Zero);
        world.Track(this, withChanges);
        record.End();
    }

    public void Take(in TrackedAccount account)
    {
        ref var open = ref _accounts[account.Ordinal];
        var location = open.Location;
        ref var read = ref _record.AddAccount();
        read.Location = location;
        read.Uses = account.Uses;
        read.IsPristine = open.IsPristine;
        if (!open.IsPristine)
        {
            read.Life = open.Life;
            read.Nonce = open.Nonce;
            read.Balance = open.Balance;
            read.CodeHash = open.CodeHash;
        }

        if (account.Changes != AccountFields.None || account.LifeChanged || account.NewCode is not null)
        {
            WriteChanges(account, location, open.IsPristine ? 0 : Life.ClearedBy(open.Life.Value));
        }
    }

    public void Take(in TrackedSlot slot)
    {
        SlotLocation location;
        if (slot.Ordinal >= 0)
        {
            ref var read = ref _record.AddSlot();
            read = _slots[slot.Ordinal];
            location = read.Location;
        }
        else
        {
            // Zero without a read: the account is new, which its Life, read above, stands for.
            location = memory.LocateNew(OwnerOf(slot.Address)!, slot.Key);
        }

        if (slot.Changed)
        {
            Write(ref location.Chain, VersionKind.Value, slot.Value);
        }
    }

    private void WriteChanges(in TrackedAccount account, AccountLocation location, ulong clearedBy)
    {
        if (account.NewCode is { } code)
        {
            memory.AddCode(code);
            _record.NewCode.Add(code);
        }

        if ((account.Changes & AccountFields.Nonce) != 0)
        {
            Write(ref location.Nonce, VersionKind.Value, account.Nonce);
        }

        if ((account.Changes & AccountFields.Balance) != 0)
        {
            WriteBalance(location, account);
        }

        if ((account.Changes & AccountFields.Code) != 0)
        {
            Write(ref location.CodeHash, VersionKind.Value, Unsafe.BitCast<Hash256, UInt256>(account.CodeHash));
        }

        if (account.LifeChanged)
        {
            var cleared = account.StorageCleared ? (ulong)_transaction + 1 : clearedBy;
            Write(ref location.LifeChain, VersionKind.Value, Life.Pack(account.Exists, account.HasStorage, cleared));
        }
    }

    private void Write(ref VersionChain<UInt256> chain, VersionKind kind, in UInt256 value) =>
        _record.AddWrite(chain.Write(_transaction, _record.Incarnation, kind, value, arena));

    private void WriteBalance(AccountLocation location, in TrackedAccount account)
    {
        if (!account.IsAddition)
        {
            Write(ref location.Balance, VersionKind.Value, account.Balance);
            return;
        }

        _record.AddAddition(location, location.Balance.Write(
            _transaction, _record.Incarnation, VersionKind.Delta, account.Balance, arena));
    }

    /// <summary>The location of a slot's account: mostly that of the slot before.</summary>
    private AccountLocation? OwnerOf(in Address address) =>
        _owner is { } owner && owner.Address == address ? owner : _owner = memory.Locate(address);

    private bool TryResolve(AccountLocation location, AccountPart part, out StateRead read)
    {
        if (location.TryResolve(_transaction, part, out read))
        {
            return true;
        }

        BlockedOn = read.Transaction;
        return false;
    }
}
