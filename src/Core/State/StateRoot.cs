using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State;

/// <summary>An account with all its storage, as a genesis file or a test's pre-state gives it.</summary>
/// <param name="Address">Whose.</param>
/// <param name="Nonce">Its nonce.</param>
/// <param name="Balance">Wei.</param>
/// <param name="Code">Null for none.</param>
/// <param name="Slots">Null for none; slots with zero are absent.</param>
public sealed record AllocatedAccount(
    Address Address, ulong Nonce, UInt256 Balance, Code? Code, IReadOnlyDictionary<UInt256, UInt256>? Slots);

/// <summary>The state root of whole states, without a store.</summary>
public static class StateRoot
{
    /// <summary>The root of a state without accounts.</summary>
    public static Hash256 Empty => TrieUpdater.EmptyRoot;

    /// <summary>The root of a state that has these accounts and no others; each address once.</summary>
    public static Hash256 Of(IReadOnlyCollection<AllocatedAccount> accounts)
    {
        if (accounts.Count == 0)
        {
            return Empty;
        }

        var updater = new TrieUpdater(NoTrieNodes.Instance);
        var values = new byte[accounts.Count * AccountRecord.MaximumBytes];
        var changes = new TrieChange[accounts.Count];
        var roots = StorageRoots(updater, accounts);
        var position = 0;
        var index = 0;
        foreach (var account in accounts)
        {
            var record = new AccountRecord(
                account.Nonce, account.Balance, roots[index], account.Code?.Hash ?? Keccak256.OfEmpty);
            var length = record.WriteTrieValue(values.AsSpan(position));
            changes[index++] = new TrieChange(Keccak256.Hash(account.Address.Bytes), values, position, length);
            position += length;
        }

        TrieChange.Sort(changes);
        updater.Clear();
        var root = updater.Update(TrieOwner.Accounts, Empty, changes);
        updater.HashAll();
        return updater.RootOf(root);
    }

    private static Hash256[] StorageRoots(TrieUpdater updater, IReadOnlyCollection<AllocatedAccount> accounts)
    {
        var tries = new int[accounts.Count];
        var index = 0;
        foreach (var account in accounts)
        {
            tries[index++] = account.Slots is { Count: > 0 } slots
                ? updater.Update(TrieOwner.Storage(account.Address), Empty, SlotChanges.Of([.. slots]))
                : TrieUpdater.Nothing;
        }

        updater.HashAll();
        return Array.ConvertAll(tries, updater.RootOf);
    }
}

/// <summary>Slots as changes of a storage trie: keccak(slot) → rlp(value without leading zeros).</summary>
internal static class SlotChanges
{
    /// <summary>The most bytes that a value's RLP has.</summary>
    private const int MaximumBytes = 33;

    internal static TrieChange[] Of(ReadOnlySpan<KeyValuePair<UInt256, UInt256>> slots)
    {
        var changes = new TrieChange[slots.Length];
        var keys = new byte[slots.Length * 32];
        var values = new byte[slots.Length * MaximumBytes];
        var hashes = new Hash256[slots.Length];
        var index = 0;
        foreach (var (slot, _) in slots)
        {
            slot.WriteBigEndian(keys.AsSpan(index++ * 32));
        }

        Keccak256.HashMany(keys, 32, hashes);
        index = 0;
        foreach (var (_, value) in slots)
        {
            var offset = index * MaximumBytes;
            changes[index] = new TrieChange(hashes[index], values, offset, Write(value, values.AsSpan(offset)));
            index++;
        }

        TrieChange.Sort(changes);
        return changes;
    }

    /// <summary>Writes rlp(value); no bytes for zero, which is absent.</summary>
    internal static int Write(in UInt256 value, Span<byte> destination)
    {
        if (value.IsZero)
        {
            return 0;
        }

        if (value.IsUInt64 && value.U0 < 0x80)
        {
            destination[0] = (byte)value.U0;
            return 1;
        }

        Span<byte> bytes = stackalloc byte[32];
        value.WriteBigEndian(bytes);
        var length = value.ByteLength;
        destination[0] = (byte)(0x80 + length);
        bytes[(32 - length)..].CopyTo(destination[1..]);
        return length + 1;
    }
}
