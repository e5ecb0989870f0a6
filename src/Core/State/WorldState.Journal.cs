using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>A place to which the transaction's state can go back; later snapshots are void after that.</summary>
public readonly record struct Snapshot(int Journal, int Logs, long Refund);

/// <summary>Undo and the harvest at the end.</summary>
public sealed partial class WorldState
{
    private readonly List<(Hash256 Hash, Code? Code, bool Changed)> _codeJournal = [];
    private readonly List<UInt256> _transientJournal = [];
    private JournalEntry[] _journal = new JournalEntry[64];
    private int _journalCount;

    public Snapshot TakeSnapshot() => new(_journalCount, _logs.Count, Refund);

    /// <summary>Undoes every change since the snapshot, warmth and refunds included (EIP-2929).</summary>
    public void Revert(in Snapshot snapshot)
    {
        while (_journalCount > snapshot.Journal)
        {
            Undo(_journal[--_journalCount]);
        }

        _logs.RemoveRange(snapshot.Logs, _logs.Count - snapshot.Logs);
        Refund = snapshot.Refund;
    }

    /// <summary>What the transaction changed, deletions of EIP-161 and SELFDESTRUCT carried out.</summary>
    public void CollectChanges(StateChanges changes)
    {
        changes.Clear();
        for (var i = 0; i < _slotCount; i++)
        {
            ref var slot = ref _slots[i];
            if (slot.Current == slot.Original)
            {
                continue;
            }

            ref var owner = ref _accounts[slot.Account];
            if (ExistsAtEnd(owner))
            {
                owner.HasStorage |= !slot.Current.IsZero;
                changes.Slots.Add(new SlotChange(owner.Address, slot.Key, slot.Current));
                owner.StorageWritten = true;
            }
        }

        for (var i = 0; i < _accountCount; i++)
        {
            CollectAccount(ref _accounts[i], changes);
        }
    }

    private void CollectAccount(ref AccountEntry entry, StateChanges changes)
    {
        if (!entry.Loaded)
        {
            return;
        }

        var exists = ExistsAtEnd(entry);
        if (!exists)
        {
            if (entry.OriginalExists)
            {
                changes.Accounts.Add(new AccountChange(entry.Address, false, default, true, null));
            }

            return;
        }

        var changed = !entry.OriginalExists || entry.Nonce != entry.OriginalNonce
            || entry.Balance != entry.OriginalBalance || entry.CodeHash != entry.OriginalCodeHash
            || (entry.StorageWritten && entry.HasStorage);
        if (changed)
        {
            var account = new Account(entry.Nonce, entry.Balance, entry.CodeHash, entry.HasStorage);
            changes.Accounts.Add(new AccountChange(
                entry.Address, true, account, false, entry.CodeChanged ? entry.Code : null));
        }
    }

    private bool ExistsAtEnd(in AccountEntry entry)
    {
        var removed = entry.Destroyed || (_rules.Eip161 && entry.Touched && entry.Nonce == 0
            && entry.Balance.IsZero && entry.CodeHash == Code.Empty.Hash);
        return entry.Exists && !removed;
    }

    private void Push(JournalKind kind, int index, in UInt256 old)
    {
        if (_journalCount == _journal.Length)
        {
            Array.Resize(ref _journal, _journal.Length * 2);
        }

        ref var entry = ref _journal[_journalCount++];
        entry.Kind = kind;
        entry.Index = index;
        entry.Old = old;
    }

    private void Undo(in JournalEntry change)
    {
        switch (change.Kind)
        {
            case JournalKind.Slot:
                _slots[change.Index].Current = change.Old;
                return;
            case JournalKind.SlotWarmed:
                _slots[change.Index].Warm = false;
                return;
            case JournalKind.Transient:
                _transient[new TransientKey(change.Index, _transientJournal[^1])] = change.Old;
                _transientJournal.RemoveAt(_transientJournal.Count - 1);
                return;
            default:
                UndoAccount(change, ref _accounts[change.Index]);
                return;
        }
    }

    private void UndoAccount(in JournalEntry change, ref AccountEntry entry)
    {
        switch (change.Kind)
        {
            case JournalKind.AccountWarmed:
                entry.Warm = false;
                break;
            case JournalKind.Touched:
                // Block 1,714,175 of main net removed the touched RIPEMD-160 precompile although the touching call
                // failed; every client keeps that touch since (see EIP-161, addendum).
                entry.Touched = entry.Address == Ripemd160Precompile;
                break;
            case JournalKind.CameIntoBeing:
                entry.Exists = false;
                break;
            case JournalKind.Balance:
                entry.Balance = change.Old;
                break;
            case JournalKind.Nonce:
                entry.Nonce = change.Old.U0;
                break;
            case JournalKind.Created:
                entry.CreatedHere = false;
                break;
            case JournalKind.Destroyed:
                entry.Destroyed = false;
                break;
            case JournalKind.Code:
                (entry.CodeHash, entry.Code, entry.CodeChanged) = _codeJournal[^1];
                _codeJournal.RemoveAt(_codeJournal.Count - 1);
                break;
            default:
                throw new InvalidOperationException($"The journal holds an unknown change {change.Kind}.");
        }
    }

    private enum JournalKind : byte
    {
        AccountWarmed,
        Touched,
        CameIntoBeing,
        Balance,
        Nonce,
        Code,
        Created,
        Destroyed,
        Slot,
        SlotWarmed,
        Transient,
    }

    private struct JournalEntry
    {
        public JournalKind Kind;
        public int Index;
        public UInt256 Old;
    }
}
