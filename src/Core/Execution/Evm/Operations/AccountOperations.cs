using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>Reads of other accounts.</summary>
internal static unsafe class AccountOperations
{
    internal static long Balance(Frame frame, UInt256* sp, long gas)
    {
        gas = Access(frame, gas, sp - 1, out var account);
        if (gas >= 0)
        {
            sp[-1] = frame.State.Balance(account);
        }

        return gas;
    }

    /// <summary>EIP-1884.</summary>
    internal static long SelfBalance(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.State.Balance(frame.Account);
        return gas;
    }

    /// <summary>The length of the account's own code: of a delegated account's designator (EIP-7702).</summary>
    internal static long ExtCodeSize(Frame frame, UInt256* sp, long gas)
    {
        gas = Access(frame, gas, sp - 1, out var account);
        if (gas < 0)
        {
            return gas;
        }

        if (!frame.State.TryGetCode(account, out var code))
        {
            return frame.Fail(ExecutionStatus.NotLoaded);
        }

        Words.Set(sp - 1, (ulong)code.Length);
        return gas;
    }

    internal static long ExtCodeCopy(Frame frame, UInt256* sp, long gas)
    {
        gas = MemoryOperations.Charge(frame, gas, sp - 2, sp - 4, GasCosts.Copy);
        if (gas < 0)
        {
            return gas;
        }

        gas = Access(frame, gas, sp - 1, out var account);
        if (gas < 0)
        {
            return gas;
        }

        if (!frame.State.TryGetCode(account, out var code))
        {
            return frame.Fail(ExecutionStatus.NotLoaded);
        }

        MemoryOperations.CopyPadded(frame, sp[-2], sp[-3], (int)sp[-4].U0, code.Bytes);
        return gas;
    }

    /// <summary>EIP-1052: zero for an account that is empty or not there.</summary>
    internal static long ExtCodeHash(Frame frame, UInt256* sp, long gas)
    {
        gas = Access(frame, gas, sp - 1, out var account);
        if (gas >= 0)
        {
            sp[-1] = frame.State.IsEmpty(account)
                ? UInt256.Zero
                : UInt256.FromBigEndian(frame.State.CodeHash(account).Bytes);
        }

        return gas;
    }

    /// <summary>Opens an account that the table has charged as warm, and pays the rest where it is cold.</summary>
    internal static long Access(Frame frame, long gas, UInt256* address, out int account)
    {
        var state = frame.State;
        account = state.Declare(SuperVm.Core.Primitives.Address.FromWord(*address));
        if (frame.Table.Rules.Eip2929 && state.WarmAccount(account))
        {
            gas -= GasCosts.ColdAccount - GasCosts.Warm;
            if (gas < 0)
            {
                return gas;
            }
        }

        return state.TryLoad(account) ? gas : frame.Fail(ExecutionStatus.NotLoaded);
    }
}
