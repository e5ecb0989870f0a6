using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>Storage and transient storage of the running contract.</summary>
internal static unsafe class StorageOperations
{
    internal static long Load(Frame frame, UInt256* sp, long gas)
    {
        var state = frame.State;
        var slot = state.DeclareSlot(frame.Account, sp[-1]);
        if (frame.Table.Rules.Eip2929 && state.WarmSlot(slot))
        {
            gas -= GasCosts.ColdSlot - GasCosts.Warm;
            if (gas < 0)
            {
                return gas;
            }
        }

        if (!state.TryLoadSlot(slot))
        {
            return frame.Fail(ExecutionStatus.NotLoaded);
        }

        sp[-1] = state.SlotValue(slot);
        return gas;
    }

    /// <summary>SSTORE up to Byzantium, and in Petersburg: by the current value alone.</summary>
    internal static long StoreLegacy(Frame frame, UInt256* sp, long gas)
    {
        var state = frame.State;
        if (frame.IsStatic)
        {
            return frame.Fail(ExecutionStatus.StaticViolation);
        }

        if (!state.TryOpenSlot(frame.Account, sp[-1], out var slot))
        {
            return frame.Fail(ExecutionStatus.NotLoaded);
        }

        var wasZero = state.SlotValue(slot).IsZero;
        ref var value = ref sp[-2];
        gas -= wasZero && !value.IsZero ? GasCosts.StorageSet : GasCosts.StorageReset;
        if (gas < 0)
        {
            return gas;
        }

        if (!wasZero && value.IsZero)
        {
            state.Refund += frame.Table.Gas.StorageClearRefund;
        }

        state.SetSlot(slot, value);
        return gas;
    }

    /// <summary>Net metering by original, current and new value (EIP-1283, 2200, 2929, 3529).</summary>
    internal static long StoreNet(Frame frame, UInt256* sp, long gas)
    {
        var state = frame.State;
        var rules = frame.Table.Rules;
        if (frame.IsStatic)
        {
            return frame.Fail(ExecutionStatus.StaticViolation);
        }

        if (rules.Eip2200 && gas <= GasCosts.StorageGuard)
        {
            return -1;
        }

        var slot = state.DeclareSlot(frame.Account, sp[-1]);
        if (rules.Eip2929 && state.WarmSlot(slot))
        {
            gas -= GasCosts.ColdSlot;
        }

        if (!state.TryLoadSlot(slot))
        {
            return frame.Fail(ExecutionStatus.NotLoaded);
        }

        var schedule = frame.Table.Gas;
        ref readonly var original = ref state.SlotOriginal(slot);
        ref readonly var current = ref state.SlotValue(slot);
        ref var value = ref sp[-2];
        if (current == value)
        {
            return gas - schedule.SLoad;
        }

        if (original == current)
        {
            gas -= original.IsZero ? GasCosts.StorageSet : schedule.StorageUpdate;
            if (gas < 0)
            {
                return gas;
            }

            if (!original.IsZero && value.IsZero)
            {
                state.Refund += schedule.StorageClearRefund;
            }
        }
        else
        {
            gas -= schedule.SLoad;
            if (gas < 0)
            {
                return gas;
            }

            state.Refund += RefundOfDirty(schedule, original, current, value);
        }

        state.SetSlot(slot, value);
        return gas;
    }

    /// <summary>EIP-1153.</summary>
    internal static long LoadTransient(Frame frame, UInt256* sp, long gas)
    {
        sp[-1] = frame.State.GetTransient(frame.Account, sp[-1]);
        return gas;
    }

    internal static long StoreTransient(Frame frame, UInt256* sp, long gas)
    {
        if (frame.IsStatic)
        {
            return frame.Fail(ExecutionStatus.StaticViolation);
        }

        frame.State.SetTransient(frame.Account, sp[-1], sp[-2]);
        return gas;
    }

    /// <summary>What changing a slot again gives back or takes back (EIP-2200, the clauses on a dirty slot).</summary>
    private static long RefundOfDirty(
        GasSchedule schedule, in UInt256 original, in UInt256 current, in UInt256 value)
    {
        long refund = 0;
        if (!original.IsZero)
        {
            if (current.IsZero)
            {
                refund -= schedule.StorageClearRefund;
            }
            else if (value.IsZero)
            {
                refund += schedule.StorageClearRefund;
            }
        }

        if (original == value)
        {
            refund += (original.IsZero ? GasCosts.StorageSet : schedule.StorageUpdate) - schedule.SLoad;
        }

        return refund;
    }
}
