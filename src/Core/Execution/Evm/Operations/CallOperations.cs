using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>CALL, CALLCODE, DELEGATECALL and STATICCALL: price, the callee's gas, and its start.</summary>
internal static unsafe class CallOperations
{
    /// <summary>Gas of a call is kept back by one part in this many (EIP-150).</summary>
    internal const int KeptBackShare = 64;

    // Operands from the top: gas, address, [value,] input offset and length, output offset and length.
    internal static long Call(Frame frame, UInt256* sp, long gas) =>
        Start(frame, gas, sp, MessageKind.Call, sp - 3, sp - 4);

    internal static long CallCode(Frame frame, UInt256* sp, long gas) =>
        Start(frame, gas, sp, MessageKind.CallCode, sp - 3, sp - 4);

    internal static long DelegateCall(Frame frame, UInt256* sp, long gas) =>
        Start(frame, gas, sp, MessageKind.DelegateCall, null, sp - 3);

    internal static long StaticCall(Frame frame, UInt256* sp, long gas) =>
        Start(frame, gas, sp, MessageKind.StaticCall, null, sp - 3);

    /// <param name="frame">The caller.</param>
    /// <param name="gas">Gas left, the fixed price paid.</param>
    /// <param name="sp">One past the gas operand.</param>
    /// <param name="kind">Which of the four.</param>
    /// <param name="value">The wei to move, null where there is none.</param>
    /// <param name="range">Input offset; below it its length and the output's offset and length.</param>
    private static long Start(Frame frame, long gas, UInt256* sp, MessageKind kind, UInt256* value, UInt256* range)
    {
        var movesValue = value != null && !value->IsZero;
        if (movesValue && frame.IsStatic && kind == MessageKind.Call)
        {
            return frame.Fail(ExecutionStatus.StaticViolation);
        }

        gas = MemoryOperations.Expand(frame, gas, range, range - 1);
        if (gas < 0)
        {
            return gas;
        }

        gas = MemoryOperations.Expand(frame, gas, range - 2, range - 3);
        if (gas < 0)
        {
            return gas;
        }

        gas = AccountOperations.Access(frame, gas, sp - 2, out var target);
        if (gas < 0)
        {
            return gas;
        }

        gas = ResolveCode(frame, gas, target, out var code);
        if (gas < 0)
        {
            return gas;
        }

        gas -= PriceOfValue(frame, kind, movesValue, target);
        if (gas < 0 || !TakeCallGas(frame, sp[-1], ref gas, out var callGas))
        {
            return -1;
        }

        if (movesValue)
        {
            callGas += GasCosts.CallStipend;
        }

        var engine = frame.Engine;
        engine.ClearReturnData();
        frame.ReturnLength = (int)range[-3].U0;
        frame.ReturnOffset = frame.ReturnLength == 0 ? 0 : (int)range[-2].U0;
        var inputLength = (int)range[-1].U0;
        var inputOffset = inputLength == 0 ? 0 : frame.MemoryBase + (int)range->U0;
        if (frame.Depth >= EvmEngine.MaxDepth || (movesValue && frame.State.Balance(frame.Account) < *value))
        {
            range[-3] = UInt256.Zero;
            return gas + callGas;
        }

        frame.StackHeight = (int)(sp - frame.Stack);
        var call = new PendingCall(kind, target, code, movesValue ? *value : UInt256.Zero, callGas)
        {
            Input = engine.MemoryArray, InputOffset = inputOffset, InputLength = inputLength,
        };
        return gas + engine.BeginCall(frame, call, range - 3);
    }

    /// <summary>The code that runs: the target's own, or that of the account it delegates to (EIP-7702).</summary>
    private static long ResolveCode(Frame frame, long gas, int target, out Code code)
    {
        var state = frame.State;
        if (!state.TryGetCode(target, out code))
        {
            return frame.Fail(ExecutionStatus.NotLoaded);
        }

        if (!frame.Table.Rules.Eip7702 || !code.IsDelegation(out var delegate_))
        {
            return gas;
        }

        var resolved = state.Declare(delegate_);
        gas -= state.WarmAccount(resolved) ? GasCosts.ColdAccount : GasCosts.Warm;
        if (gas < 0)
        {
            return gas;
        }

        return state.TryLoad(resolved) && state.TryGetCode(resolved, out code)
            ? gas
            : frame.Fail(ExecutionStatus.NotLoaded);
    }

    private static long PriceOfValue(Frame frame, MessageKind kind, bool movesValue, int target)
    {
        long price = movesValue ? GasCosts.CallValue : 0;
        if (kind == MessageKind.Call)
        {
            var state = frame.State;
            var creates = frame.Table.Rules.Eip161
                ? movesValue && state.IsEmpty(target)
                : !state.Exists(target);
            price += creates ? GasCosts.NewAccount : 0;
        }

        return price;
    }

    /// <summary>Takes the callee's gas: what was asked for, from EIP-150 at most all but one 64th.</summary>
    private static bool TakeCallGas(Frame frame, in UInt256 asked, ref long gas, out long callGas)
    {
        var most = frame.Table.Rules.Eip150 ? gas - (gas / KeptBackShare) : gas;
        var fits = asked.IsUInt64 && asked.U0 <= (ulong)most;
        callGas = fits ? (long)asked.U0 : most;
        gas -= callGas;
        return fits || frame.Table.Rules.Eip150;
    }
}
