using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>SELFDESTRUCT, whose price and effect changed with EIP-150, 161, 2929, 3529 and 6780.</summary>
internal static unsafe class SelfDestructOperation
{
    internal static long Run(Frame frame, UInt256* sp, long gas)
    {
        frame.OutputLength = 0;
        if (frame.IsStatic)
        {
            return frame.Fail(ExecutionStatus.StaticViolation);
        }

        var state = frame.State;
        var rules = frame.Table.Rules;
        var beneficiary = state.Declare(Address.FromWord(sp[-1]));
        if (rules.Eip2929 && state.WarmAccount(beneficiary))
        {
            gas -= GasCosts.ColdAccount;
            if (gas < 0)
            {
                return gas;
            }
        }

        if (!state.TryLoad(beneficiary))
        {
            return frame.Fail(ExecutionStatus.NotLoaded);
        }

        var balance = state.Balance(frame.Account);
        var creates = rules.Eip161
            ? !balance.IsZero && state.IsEmpty(beneficiary)
            : rules.Eip150 && !state.Exists(beneficiary);
        if (creates)
        {
            gas -= GasCosts.NewAccount;
            if (gas < 0)
            {
                return gas;
            }
        }

        frame.Engine.Tracer?.OnSelfDestruct(frame.Address, state.AddressOf(beneficiary), balance);
        var removes = !rules.Eip6780 || state.IsCreatedHere(frame.Account);
        state.SubtractBalance(frame.Account, balance);
        state.AddBalance(beneficiary, balance);
        if (removes)
        {
            // What is left is its own balance where it named itself: that is burnt.
            if (beneficiary == frame.Account)
            {
                state.SetBalance(frame.Account, UInt256.Zero);
            }

            if (state.MarkDestroyed(frame.Account) && !rules.Eip3529)
            {
                state.Refund += GasCosts.SelfDestructRefund;
            }
        }

        return gas;
    }
}
