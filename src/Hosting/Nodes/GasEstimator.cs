using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Nodes;

/// <summary>An estimate, or why there is none: the highest gas limit failed with <see cref="Failure"/>.</summary>
/// <param name="Gas">The lowest gas limit with which the transaction succeeds.</param>
/// <param name="Highest">The highest gas limit that was tried.</param>
/// <param name="Failure">The outcome at the highest limit; null where there is an estimate.</param>
internal readonly record struct GasEstimate(ulong Gas, ulong Highest, CallOutcome? Failure);

/// <summary>Finds the lowest gas limit with which a transaction succeeds, by bisection.</summary>
/// <remarks>
/// As in geth's gasestimator: what a run used without refunds, with the stipend and the 64th that a call keeps back
/// (EIP-150), is nearly always enough, so it is tried first; then the interval is halved until it is exact.
/// </remarks>
internal static class GasEstimator
{
    private const ulong CallStipend = 2_300;

    /// <param name="runner">Executes.</param>
    /// <param name="withGas">The transaction with a given gas limit.</param>
    /// <param name="highest">The highest gas limit to try.</param>
    /// <param name="block">The block it runs in.</param>
    /// <param name="state">The state it runs on.</param>
    /// <param name="deadline">When all runs together have taken too long.</param>
    /// <param name="prepare">Sets the engine up; null for nothing.</param>
    internal static GasEstimate Estimate(
        CallRunner runner, Func<ulong, Transaction> withGas, ulong highest, BlockContext block, IStateReader state,
        CallDeadline deadline, Action<IExecutionEngine>? prepare = null)
    {
        var probe = withGas(highest);
        if (IsPlainTransfer(probe, state) && highest >= IntrinsicGas.Transaction
            && runner.Run(withGas(IntrinsicGas.Transaction), block, state, deadline, prepare).Succeeded)
        {
            return new GasEstimate(IntrinsicGas.Transaction, highest, null);
        }

        var first = runner.Run(probe, block, state, deadline, prepare);
        if (!first.Succeeded)
        {
            return new GasEstimate(0, highest, first);
        }

        var (low, high) = (first.GasUsed - 1, highest);
        var likely = (first.GasUsed + first.GasRefunded + CallStipend) * 64 / 63;
        if (likely < high)
        {
            (var outcome, low, high) = Halve(runner, withGas, block, state, deadline, prepare, low, high, likely);
            if (outcome.TimedOut)
            {
                return new GasEstimate(0, highest, outcome);
            }
        }

        while (low + 1 < high)
        {
            // Most transactions need little more than they use, so the first steps stay near the low end.
            var middle = Math.Min(low + ((high - low) / 2), low * 2);
            (var outcome, low, high) = Halve(runner, withGas, block, state, deadline, prepare, low, high, middle);
            if (outcome.TimedOut)
            {
                return new GasEstimate(0, highest, outcome);
            }
        }

        return new GasEstimate(high, highest, null);
    }

    private static (CallOutcome Outcome, ulong Low, ulong High) Halve(
        CallRunner runner, Func<ulong, Transaction> withGas, BlockContext block, IStateReader state,
        in CallDeadline deadline, Action<IExecutionEngine>? prepare, ulong low, ulong high, ulong middle)
    {
        var outcome = runner.Run(withGas(middle), block, state, deadline, prepare);
        return outcome.Succeeded ? (outcome, low, middle) : (outcome, middle, high);
    }

    private static bool IsPlainTransfer(Transaction transaction, IStateReader state)
    {
        if (transaction.To is not { } to || transaction.Data.Length > 0 || transaction.AccessList.Count > 0
            || transaction.Authorizations.Count > 0)
        {
            return false;
        }

        var status = state.ReadAccount(to, out var account);
        return status == ReadStatus.Absent || !account.HasCode;
    }

    /// <summary>The gas that the sender can pay at the price; null where even the value is too much.</summary>
    internal static ulong? Affordable(in UInt256 balance, in UInt256 value, in UInt256 price)
    {
        if (value > balance)
        {
            return null;
        }

        return price.IsZero ? ulong.MaxValue : ((balance - value) / price).ToUInt64Saturating();
    }
}
