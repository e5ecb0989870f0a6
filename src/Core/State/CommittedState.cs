using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>The state after one block, while the chain goes on above it.</summary>
internal sealed class CommittedState(StateStore store, ulong number, long reverts) : IStateReader
{
    private long _reverts = reverts;

    internal ulong Number => number;

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var exists = ReadRecord(address, out var record);
        account = exists ? record.ToAccount() : default;
        return exists ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        while (true)
        {
            value = store.ReadNewest(address, slot);
            if (!store.IsNewest(number, _reverts) && store.ReadBefore(address, slot, number, out var old))
            {
                value = old;
            }

            if (store.Confirm(number, ref _reverts))
            {
                return value.IsZero ? ReadStatus.Absent : ReadStatus.Found;
            }
        }
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) => store.ReadCode(codeHash, out code);

    internal bool ReadRecord(in Address address, out AccountRecord record)
    {
        while (true)
        {
            var exists = store.ReadNewest(address, out record);
            if (!store.IsNewest(number, _reverts) && store.ReadBefore(address, number, out var oldExists, out var old))
            {
                (exists, record) = (oldExists, old);
            }

            if (store.Confirm(number, ref _reverts))
            {
                return exists;
            }
        }
    }
}
