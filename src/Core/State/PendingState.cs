using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>
/// The state after a block that was executed but is not committed yet, for the execution of the next one.
/// </summary>
/// <remarks>
/// Meanwhile another thread works out the block's root and commits it. What the block changed comes from its own
/// changes, which nobody writes any more; everything else is the same before and after it, so the newest value in the
/// store is right whether the commit has happened or not. Good until the next block is committed. Safe for concurrent
/// readers.
/// </remarks>
internal sealed class PendingState(BlockState block, StateStore store) : IStateReader
{
    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        if (block.Find(address) is { Changed: true } known)
        {
            account = known.Current;
            return known.Exists ? ReadStatus.Found : ReadStatus.Absent;
        }

        var exists = store.ReadNewest(address, out var record);
        account = exists ? record.ToAccount() : default;
        return exists ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        if (block.Find(address) is { Changed: true } known)
        {
            if (known.HasSlots && known.Slots.TryGetValue(slot, out var written))
            {
                value = written.Current;
                return value.IsZero ? ReadStatus.Absent : ReadStatus.Found;
            }

            if (known.StorageCleared || !known.OriginalExists)
            {
                return ReadStatus.Absent;
            }
        }

        value = store.ReadNewest(address, slot);
        return value.IsZero ? ReadStatus.Absent : ReadStatus.Found;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        block.NewCode.TryGetValue(codeHash, out code) ? ReadStatus.Found : store.ReadCode(codeHash, out code);
}
