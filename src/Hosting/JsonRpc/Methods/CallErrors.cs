using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Words for failed calls, as geth chooses them; clients look for "execution reverted".</summary>
internal static class CallErrors
{
    /// <summary>The error of an outcome that did not succeed.</summary>
    internal static RpcError Of(in CallOutcome outcome, Transaction transaction, BlockContext block)
    {
        if (outcome.Error != TransactionError.None)
        {
            return RpcError.Server(Describe(outcome.Error, transaction, block));
        }

        return outcome.Status == ExecutionStatus.Revert
            ? Reverted(outcome.Output)
            : RpcError.Server(Describe(outcome.Status));
    }

    /// <summary>The execution took longer than the node allows.</summary>
    internal static RpcError TimedOut(TimeSpan limit) => RpcError.Server(string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"execution timeout: execution aborted (timeout = {limit.TotalSeconds:0.###}s)"));

    /// <summary>
    /// Code 3 with the revert data, and its reason in words where it has one (Solidity's Error and Panic).
    /// </summary>
    internal static RpcError Reverted(byte[] data)
    {
        var reason = RevertReason.Of(data);
        var message = reason is null ? "execution reverted" : $"execution reverted: {reason}";
        return new RpcError(RpcError.RevertedCode, message, data);
    }

    internal static string Describe(ExecutionStatus status) => status switch
    {
        ExecutionStatus.OutOfGas => "out of gas",
        ExecutionStatus.StackUnderflow => "stack underflow",
        ExecutionStatus.StackOverflow => "stack limit reached 1024",
        ExecutionStatus.InvalidJump => "invalid jump destination",
        ExecutionStatus.InvalidOpcode => "invalid opcode",
        ExecutionStatus.StaticViolation => "write protection",
        ExecutionStatus.ReturnDataOutOfBounds => "return data out of bounds",
        ExecutionStatus.CreateCollision => "contract address collision",
        ExecutionStatus.CodeTooLarge => "max code size exceeded",
        ExecutionStatus.InitCodeTooLarge => "max initcode size exceeded",
        ExecutionStatus.InvalidCodePrefix => "invalid code: must not begin with 0xef",
        ExecutionStatus.NonceOverflow => "nonce uint64 overflow",
        ExecutionStatus.PrecompileFailure => "precompile failed",
        ExecutionStatus.DepthExceeded => "max call depth exceeded",
        ExecutionStatus.InsufficientBalance => "insufficient funds for transfer",
        _ => $"execution failed: {status}",
    };

    private static string Describe(TransactionError error, Transaction transaction, BlockContext block) => error switch
    {
        TransactionError.IntrinsicGasTooLow => $"intrinsic gas too low: have {transaction.GasLimit}, "
            + $"want {IntrinsicGas.Of(transaction, block.Rules).Minimum}",
        TransactionError.InsufficientFunds =>
            $"insufficient funds for gas * price + value: address {transaction.Sender}",
        TransactionError.FeeCapBelowBaseFee => "max fee per gas less than block base fee: "
            + $"address {transaction.Sender}, maxFeePerGas: {transaction.MaxFeePerGas}, baseFee: {block.BaseFee}",
        TransactionError.PriorityFeeAboveFeeCap => "max priority fee per gas higher than max fee per gas: "
            + $"address {transaction.Sender}, maxPriorityFeePerGas: {transaction.MaxPriorityFeePerGas}, "
            + $"maxFeePerGas: {transaction.MaxFeePerGas}",
        _ => $"invalid transaction: {error}",
    };
}
