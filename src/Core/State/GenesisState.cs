using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>A whole state written at once: flat values, code and trie nodes.</summary>
internal static class GenesisState
{
    /// <summary>Puts the accounts, each address once, into a batch for an empty store; answers the root.</summary>
    internal static Hash256 Write(
        IReadOnlyCollection<AllocatedAccount> accounts, IWriteBatch batch, int parallelChanges)
    {
        var targets = new TrieTarget[accounts.Count];
        var slots = new List<KeyValuePair<UInt256, UInt256>>();
        var index = 0;
        foreach (var account in accounts)
        {
            var start = slots.Count;
            foreach (var slot in account.Slots ?? new Dictionary<UInt256, UInt256>())
            {
                if (!slot.Value.IsZero)
                {
                    slots.Add(slot);
                    BatchWriting.PutSlot(batch, account.Address, slot.Key, slot.Value);
                }
            }

            if (account.Code is { Length: > 0 } code)
            {
                batch.Put(Column.Code, code.Hash.Bytes, code.Bytes);
            }

            var record = new AccountRecord(
                account.Nonce, account.Balance, TrieUpdater.EmptyRoot, account.Code?.Hash ?? Keccak256.OfEmpty);
            targets[index++] = new TrieTarget(
                account.Address, TrieUpdater.EmptyRoot, start, slots.Count - start, true, record);
        }

        var tries = new StateTries(NoTrieNodes.Instance, parallelChanges);
        var update = tries.Apply(TrieUpdater.EmptyRoot, targets, [.. slots]);
        foreach (ref readonly var target in targets.AsSpan())
        {
            BatchWriting.PutAccount(batch, target.Address, target.Record);
        }

        var sink = new TrieBatchSink(batch);
        update.Emit(ref sink);
        return update.Root;
    }
}

/// <summary>Puts state into a write batch.</summary>
internal static class BatchWriting
{
    internal static void PutAccount(IWriteBatch batch, in Address address, in AccountRecord record)
    {
        Span<byte> bytes = stackalloc byte[AccountRecord.MaximumBytes];
        batch.Put(Column.Accounts, address.Bytes, bytes[..record.WriteFlat(bytes)]);
    }

    /// <summary>Writes the slot's value; a slot with zero is deleted.</summary>
    internal static void PutSlot(IWriteBatch batch, in Address address, in UInt256 slot, in UInt256 value)
    {
        Span<byte> key = stackalloc byte[StateKeys.SlotLength];
        StateKeys.WriteSlot(address, slot, key);
        if (value.IsZero)
        {
            batch.Delete(Column.Slots, key);
            return;
        }

        Span<byte> bytes = stackalloc byte[32];
        value.WriteBigEndian(bytes);
        batch.Put(Column.Slots, key, bytes[(32 - value.ByteLength)..]);
    }

    internal static void PutAccountHistory(IWriteBatch batch, in AccountDiff diff, ulong number)
    {
        Span<byte> key = stackalloc byte[StateKeys.HistoryMaximum];
        Span<byte> bytes = stackalloc byte[AccountRecord.MaximumBytes];
        key = key[..StateKeys.WriteAccountHistory(diff.Address, number, key)];
        batch.Put(Column.History, key, bytes[..(diff.OldExists ? diff.Old.WriteFlat(bytes) : 0)]);
    }

    internal static void PutSlotHistory(IWriteBatch batch, in SlotDiff diff, ulong number)
    {
        Span<byte> key = stackalloc byte[StateKeys.HistoryMaximum];
        Span<byte> bytes = stackalloc byte[32];
        key = key[..StateKeys.WriteSlotHistory(diff.Address, diff.Slot, number, key)];
        diff.Old.WriteBigEndian(bytes);
        batch.Put(Column.History, key, bytes[(32 - diff.Old.ByteLength)..]);
    }
}

/// <summary>Writes new trie nodes into a batch.</summary>
internal readonly struct TrieBatchSink(IWriteBatch batch) : ITrieNodeSink
{
    public void Remove(in TrieOwner owner, in Hash256 path, int depth)
    {
        Span<byte> key = stackalloc byte[StateKeys.TrieMaximum];
        batch.Delete(Column.Trie, key[..StateKeys.WriteTrieNode(owner, path, depth, key)]);
    }

    public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node)
    {
        Span<byte> key = stackalloc byte[StateKeys.TrieMaximum];
        batch.Put(Column.Trie, key[..StateKeys.WriteTrieNode(owner, path, depth, key)], node);
    }
}
