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
    private readonly List<OpenAccount> _accounts = [];
    private readonly List<(SlotLocation Location, StateRead Read)> _slots = [];
    private StateTransactionRecord _record = new();
    private int _transaction;

    /// <summary>The transaction that execution has to wait for, or −1.</summary>
    internal int BlockedOn { get; private set; }

    internal void Begin(int transaction)
    {
        _transaction = transaction;
        _accounts.Clear();
        _slots.Clear();
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

        var open = new OpenAccount { Location = location };
        if (!Resolve(location, AccountPart.Nonce, out open.Nonce)
            || !Resolve(location, AccountPart.Balance, out open.Balance)
            || !Resolve(location, AccountPart.CodeHash, out open.CodeHash)
            || !Resolve(location, AccountPart.Life, out open.Life))
        {
            return ReadStatus.NotLoaded;
        }

        _accounts.Add(open);
        if (!Life.Exists(open.Life.Value))
        {
            return ReadStatus.Absent;
        }

        Span<byte> hash = stackalloc byte[32];
        open.CodeHash.Value.WriteBigEndian(hash);
        account = new Account(
            open.Nonce.Value.U0, open.Balance.Value, new Hash256(hash), Life.HasStorage(open.Life.Value));
        return ReadStatus.Found;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        var owner = memory.Locate(address);
        var location = owner is null ? null : memory.Locate(owner, slot);
        if (location is null)
        {
            return ReadStatus.NotLoaded;
        }

        if (!Resolve(location, AccountPart.Life, out var read))
        {
            return ReadStatus.NotLoaded;
        }

        _slots.Add((location, read));
        value = read.Value;
        return ReadStatus.Found;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) => memory.ReadCode(codeHash, out code);

    /// <summary>Puts the finished execution's reads and writes into the record and the memory.</summary>
    internal void Publish(StateTransactionRecord record, WorldState world, bool withChanges)
    {
        interleaving?.Invoke(worker);
        _record = record;
        record.Begin();
        world.Track(this, withChanges);
        record.End();
    }

    public void Take(in TrackedAccount account)
    {
        var open = _accounts[account.Ordinal];
        var location = open.Location;
        _record.AddRead(location, AccountPart.Life, open.Life);
        AddUse(account, AccountFields.Nonce, location, AccountPart.Nonce, open.Nonce);
        AddUse(account, AccountFields.Balance, location, AccountPart.Balance, open.Balance);
        AddUse(account, AccountFields.Code, location, AccountPart.CodeHash, open.CodeHash);
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
            Write(ref location.CodeHash, VersionKind.Value, UInt256.FromBigEndian(account.CodeHash.Bytes));
        }

        if (account.LifeChanged)
        {
            var cleared = account.StorageCleared ? (ulong)_transaction + 1 : Life.ClearedBy(open.Life.Value);
            Write(ref location.LifeChain, VersionKind.Value, Life.Pack(account.Exists, account.HasStorage, cleared));
        }
    }

    public void Take(in TrackedSlot slot)
    {
        SlotLocation location;
        if (slot.Ordinal >= 0)
        {
            (location, var read) = _slots[slot.Ordinal];
            _record.AddRead(location, AccountPart.Life, read);
        }
        else
        {
            // Zero without a read: the account is new, which its Life, read above, stands for.
            var owner = memory.Locate(slot.Address)!;
            location = memory.Locate(owner, slot.Key) ?? owner.Slots.GetOrAdd(
                slot.Key, static (key, account) => new SlotLocation(account, key, UInt256.Zero), owner);
        }

        if (slot.Changed)
        {
            Write(ref location.Chain, VersionKind.Value, slot.Value);
        }
    }

    private void AddUse(
        in TrackedAccount account, AccountFields field, AccountLocation location, AccountPart part, in StateRead read)
    {
        if ((account.Uses & field) != 0)
        {
            _record.AddRead(location, part, read);
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

    private bool Resolve(StateLocation location, AccountPart part, out StateRead read)
    {
        if (location.TryResolve(_transaction, part, out read))
        {
            return true;
        }

        BlockedOn = read.Transaction;
        return false;
    }

    private struct OpenAccount
    {
        public AccountLocation Location;
        public StateRead Nonce, Balance, CodeHash, Life;
    }
}
