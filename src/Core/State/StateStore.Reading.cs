using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>Reading what blocks overwrote, and telling whether a reader's block still stands.</summary>
public sealed partial class StateStore
{
    /// <summary>
    /// Whether no block above the number is in the store or on its way, so that the newest value is its value.
    /// </summary>
    internal bool IsNewest(ulong number, long reverts) =>
        Volatile.Read(ref _newest) == number && Volatile.Read(ref _reverts) == reverts;

    /// <summary>
    /// Whether what was read since the last call is good; false: read again. A revert to the reader's block or above
    /// leaves it good.
    /// </summary>
    /// <exception cref="StateUnavailableException">The block was pruned or unwound.</exception>
    internal bool Confirm(ulong number, ref long reverts)
    {
        if (number < OldestNumber)
        {
            throw new StateUnavailableException($"The state of block {number} was pruned while it was read.");
        }

        if (Volatile.Read(ref _reverts) == reverts)
        {
            return true;
        }

        var now = SettledReverts();
        var seen = (now - reverts) / 2;
        for (var i = 0L; i < Math.Min(seen, MaximumReverts); i++)
        {
            if (Volatile.Read(ref _revertTargets[((now / 2) - i - 1) % MaximumReverts]) < number)
            {
                throw new StateUnavailableException($"Block {number} was unwound while its state was read.");
            }
        }

        if (seen > MaximumReverts)
        {
            throw new StateUnavailableException($"The chain was unwound too often since block {number} was opened.");
        }

        reverts = now;
        return false;
    }

    /// <summary>The record that the first block above the number overwrote; false where none did.</summary>
    internal bool ReadBefore(in Address address, ulong number, out bool exists, out AccountRecord record)
    {
        Span<byte> key = stackalloc byte[StateKeys.HistoryMaximum];
        var length = StateKeys.WriteAccountHistory(address, number + 1, key);
        var start = key[..length].ToArray();
        using var cursor = _store.OpenCursor(Column.History, start.AsMemory(0, StateKeys.AccountHistoryPrefix), start);
        exists = false;
        record = default;
        if (!cursor.MoveNext())
        {
            return false;
        }

        exists = cursor.Value.Length > 0;
        if (exists)
        {
            record = DecodeRecord(cursor.Value, cursor.Value.Length, address);
        }

        return true;
    }

    /// <summary>The value that the first block above the number overwrote; false where none did.</summary>
    internal bool ReadBefore(in Address address, in UInt256 slot, ulong number, out UInt256 value)
    {
        Span<byte> key = stackalloc byte[StateKeys.HistoryMaximum];
        var length = StateKeys.WriteSlotHistory(address, slot, number + 1, key);
        var start = key[..length].ToArray();
        using var cursor = _store.OpenCursor(Column.History, start.AsMemory(0, StateKeys.SlotHistoryPrefix), start);
        value = default;
        if (!cursor.MoveNext())
        {
            return false;
        }

        value = DecodeValue(cursor.Value, cursor.Value.Length, address);
        return true;
    }

    /// <summary>The number of reverts so far, once none is under way.</summary>
    private long SettledReverts()
    {
        var wait = default(SpinWait);
        while (true)
        {
            var reverts = Volatile.Read(ref _reverts);
            if ((reverts & 1) == 0)
            {
                return reverts;
            }

            wait.SpinOnce();
        }
    }
}
