using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>CREATE and CREATE2.</summary>
internal static unsafe class CreateOperations
{
    // Operands from the top: value, offset and length of the init code, for CREATE2 the salt.
    internal static long Create(Frame frame, UInt256* sp, long gas) => Start(frame, sp, gas, null, sp - 3);

    /// <summary>EIP-1014: the init code is hashed, and paid for that.</summary>
    internal static long Create2(Frame frame, UInt256* sp, long gas) => Start(frame, sp, gas, sp - 4, sp - 4);

    private static long Start(Frame frame, UInt256* sp, long gas, UInt256* salt, UInt256* result)
    {
        if (frame.IsStatic)
        {
            return frame.Fail(ExecutionStatus.StaticViolation);
        }

        var rules = frame.Table.Rules;
        var length = sp - 3;
        if (rules.Eip3860 && !Words.IsBelow(length, (2 * rules.MaxCodeSize) + 1))
        {
            return frame.Fail(ExecutionStatus.InitCodeTooLarge);
        }

        var priceOfWord = (rules.Eip3860 ? GasCosts.InitCodeWord : 0) + (salt == null ? 0 : GasCosts.KeccakWord);
        gas = MemoryOperations.Charge(frame, gas, sp - 2, length, priceOfWord);
        if (gas < 0)
        {
            return gas;
        }

        var state = frame.State;
        var creationGas = rules.Eip150 ? gas - (gas / CallOperations.KeptBackShare) : gas;
        ref var value = ref sp[-1];
        frame.Engine.ClearReturnData();
        frame.ReturnLength = 0;
        var nonce = state.Nonce(frame.Account);
        if (frame.Depth >= EvmEngine.MaxDepth || nonce == ulong.MaxValue || state.Balance(frame.Account) < value)
        {
            *result = UInt256.Zero;
            return gas;
        }

        var initCode = length->IsZero
            ? []
            : new ReadOnlySpan<byte>(frame.Memory + sp[-2].U0, (int)length->U0);
        var address = salt == null
            ? ContractAddress.OfCreate(frame.Address, nonce)
            : ContractAddress.OfCreate2(frame.Address, *salt, initCode);
        state.SetNonce(frame.Account, nonce + 1);
        frame.StackHeight = (int)(sp - frame.Stack);
        *result = UInt256.Zero;
        var kind = salt == null ? MessageKind.Create : MessageKind.Create2;
        return frame.Engine.BeginCreate(frame, kind, address, new Code(initCode, Hash256.Zero), value, creationGas)
            ? gas - creationGas
            : -1;
    }
}
