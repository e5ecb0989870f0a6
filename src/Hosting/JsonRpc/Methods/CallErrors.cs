using System.Buffers.Binary;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Words for failed calls, as geth chooses them; clients look for "execution reverted".</summary>
internal static class CallErrors
{
    private const uint ErrorSelector = 0x08c379a0;
    private const uint PanicSelector = 0x4e487b71;
    private const int MaximumReason = 4_096;

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
        var reason = ReasonOf(data);
        var message = reason is null ? "execution reverted" : $"execution reverted: {reason}";
        return new RpcError(RpcError.RevertedCode, message, data);
    }

    private static string? ReasonOf(ReadOnlySpan<byte> data)
    {
        if (data.Length < 4 + 32)
        {
            return null;
        }

        var selector = BinaryPrimitives.ReadUInt32BigEndian(data);
        var words = data[4..];
        if (selector == PanicSelector)
        {
            return PanicReason(UInt256.FromBigEndian(words[..32]));
        }

        if (selector != ErrorSelector || words.Length < 64)
        {
            return null;
        }

        var offset = UInt256.FromBigEndian(words[..32]).ToUInt64Saturating();
        if (offset > (ulong)words.Length - 32)
        {
            return null;
        }

        var length = UInt256.FromBigEndian(words.Slice((int)offset, 32)).ToUInt64Saturating();
        var text = words[((int)offset + 32)..];
        return length > (ulong)text.Length || length > MaximumReason
            ? null
            : System.Text.Encoding.UTF8.GetString(text[..(int)length]);
    }

    /// <summary>The panic codes of Solidity's documentation.</summary>
    private static string PanicReason(in UInt256 code) => code.ToUInt64Saturating() switch
    {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => $"unknown panic code: {code.ToQuantity()}",
    };

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
