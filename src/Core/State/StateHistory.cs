using System.Buffers.Binary;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>Reverse differences: what each block overwrote (layout: <see cref="StateKeys"/>).</summary>
internal static class StateHistory
{
    private const int CountLength = 4;

    /// <summary>Keeps what the block overwrites, and the list of it.</summary>
    internal static void Write(IWriteBatch batch, StateTransition transition, ulong number)
    {
        var (accounts, slots) = (transition.Accounts, transition.Slots);
        var list = new byte[CountLength + (accounts.Length * Address.Size) + (slots.Length * StateKeys.SlotLength)];
        BinaryPrimitives.WriteInt32BigEndian(list, accounts.Length);
        var position = CountLength;
        foreach (ref readonly var diff in accounts.AsSpan())
        {
            BatchWriting.PutAccountHistory(batch, diff, number);
            diff.Address.CopyTo(list.AsSpan(position));
            position += Address.Size;
        }

        foreach (ref readonly var diff in slots.AsSpan())
        {
            BatchWriting.PutSlotHistory(batch, diff, number);
            StateKeys.WriteSlot(diff.Address, diff.Slot, list.AsSpan(position));
            position += StateKeys.SlotLength;
        }

        batch.Put(Column.History, StateKeys.BlockChanges(number), list);
    }

    /// <summary>Deletes what was kept of the block.</summary>
    internal static void Delete(IKeyValueReader store, IWriteBatch batch, ulong number)
    {
        var (list, accounts, slots) = ReadList(store, number);
        var key = new byte[StateKeys.HistoryMaximum];
        for (var i = 0; i < accounts; i++)
        {
            batch.Delete(Column.History, key.AsSpan(0, StateKeys.WriteAccountHistory(AddressAt(list, i), number, key)));
        }

        for (var i = 0; i < slots; i++)
        {
            var (address, slot) = SlotAt(list, accounts, i);
            batch.Delete(Column.History, key.AsSpan(0, StateKeys.WriteSlotHistory(address, slot, number, key)));
        }

        batch.Delete(Column.History, StateKeys.BlockChanges(number));
    }

    /// <summary>
    /// Puts into the overlay what (after, head] overwrote: the values as they were after the one block.
    /// </summary>
    /// <param name="store">Where the history lies.</param>
    /// <param name="overlay">Of the state of <paramref name="head"/>.</param>
    /// <param name="after">The block whose state it is to become.</param>
    /// <param name="head">The latest block.</param>
    /// <param name="only">Slots of this account only, where it is given; all accounts are taken anyway.</param>
    internal static void Collect(
        IKeyValueReader store, StateOverlay overlay, ulong after, ulong head, Address? only = null)
    {
        var key = new byte[StateKeys.HistoryMaximum];
        var value = new byte[AccountRecord.MaximumBytes];
        for (var number = after + 1; number <= head; number++)
        {
            var (list, accounts, slots) = ReadList(store, number);
            for (var i = 0; i < accounts; i++)
            {
                var address = AddressAt(list, i);
                if (!overlay.Accounts.ContainsKey(address))
                {
                    var length = StateKeys.WriteAccountHistory(address, number, key);
                    length = Read(store, key.AsSpan(0, length), value, number);
                    overlay.Accounts[address] =
                        length == 0 ? null : StateStore.DecodeRecord(value, length, address);
                }
            }

            for (var i = 0; i < slots; i++)
            {
                var (address, slot) = SlotAt(list, accounts, i);
                if (only is null || only == address)
                {
                    var values = overlay.SlotsFor(address);
                    if (!values.ContainsKey(slot))
                    {
                        var length = StateKeys.WriteSlotHistory(address, slot, number, key);
                        length = Read(store, key.AsSpan(0, length), value, number);
                        values[slot] = StateStore.DecodeValue(value, length, address);
                    }
                }
            }
        }
    }

    private static int Read(IKeyValueReader store, ReadOnlySpan<byte> key, Span<byte> value, ulong number)
    {
        var length = store.Read(Column.History, key, value);
        return length >= 0 && length <= value.Length ? length : throw Damaged(number);
    }

    private static (byte[] List, int Accounts, int Slots) ReadList(IKeyValueReader store, ulong number)
    {
        var list = store.Get(Column.History, StateKeys.BlockChanges(number));
        if (list is null || list.Length < CountLength)
        {
            throw Damaged(number);
        }

        var accounts = BinaryPrimitives.ReadInt32BigEndian(list);
        var rest = list.Length - CountLength - ((long)accounts * Address.Size);
        return accounts >= 0 && rest >= 0 && rest % StateKeys.SlotLength == 0
            ? (list, accounts, (int)(rest / StateKeys.SlotLength))
            : throw Damaged(number);
    }

    private static Address AddressAt(byte[] list, int index) =>
        new(list.AsSpan(CountLength + (index * Address.Size), Address.Size));

    private static (Address Address, UInt256 Slot) SlotAt(byte[] list, int accounts, int index)
    {
        var start = CountLength + (accounts * Address.Size) + (index * StateKeys.SlotLength);
        var address = new Address(list.AsSpan(start, Address.Size));
        return (address, UInt256.FromBigEndian(list.AsSpan(start + Address.Size, 32)));
    }

    private static StoreException Damaged(ulong number) =>
        new($"The store is damaged: what block {number} overwrote is missing or not whole.");
}
