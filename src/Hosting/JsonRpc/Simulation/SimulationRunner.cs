using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Simulation;

/// <summary>What a simulated call gave.</summary>
internal sealed record SimulatedCall(
    byte[] Output, ulong GasUsed, ulong PeakGas, bool Succeeded, RpcError? Error, IReadOnlyList<NumberedLog> Logs);

/// <summary>Runs a simulated block's calls in the place of its transactions.</summary>
/// <remarks>
/// What a call leaves open depends on the calls before it (nonce, gas left), so transactions are made here, one by one.
/// The rules, their order and the words follow geth's, which clients know: without validation nonces do not count and a
/// call without a price pays nothing, but funds for value and fees have to be there in any case; whether the sender has
/// code never counts.
/// </remarks>
internal sealed class SimulationRunner(
    EvmEngine engine, ulong chainId, bool validates, TransferTracer tracer, GasPool pool) : ITransactionRunner
{
    private readonly TransactionProcessor _processor = new(engine);
    private readonly WorldState _world = new();
    private readonly StateChanges _changes = new();

    /// <summary>The calls of the block that comes next.</summary>
    internal IReadOnlyList<CallRequest> Calls { get; set; } = [];

    /// <summary>What the calls of the last block gave.</summary>
    internal List<SimulatedCall> Results { get; } = [];

    /// <summary>Why the simulation ends; null where it goes on.</summary>
    internal RpcError? Failure { get; private set; }

    public void Run(BlockInput input, BlockOutcome outcome)
    {
        Results.Clear();
        foreach (var call in Calls)
        {
            Failure = RunOne(call, input, outcome);
            if (Failure is not null)
            {
                return;
            }
        }
    }

    private RpcError? RunOne(CallRequest call, BlockInput input, BlockOutcome outcome)
    {
        var block = input.Context;
        outcome.State.ReadAccount(call.From ?? Address.Zero, out var sender);
        var gas = call.Gas ?? (block.GasLimit - outcome.GasUsed);
        if (gas > block.GasLimit - outcome.GasUsed)
        {
            return new RpcError(
                SimulationErrors.BlockGasLimit, $"block gas limit reached: {outcome.GasUsed} >= {block.GasLimit}");
        }

        if (call.ChainId is { } given && given != chainId)
        {
            return RpcError.Server($"chainId does not match node's (have={given}, want={chainId})");
        }

        var transaction = Make(call, call.Nonce ?? sender.Nonce, Math.Min(gas, pool.Left), block);
        if (Check(transaction, sender, block) is { } refusal)
        {
            return refusal;
        }

        _world.Reset(outcome.State, block.Rules);
        var result = _processor.Execute(
            transaction, block, _world, ulong.MaxValue,
            ProcessingOptions.Simulate | ProcessingOptions.SkipStatelessChecks);
        if (result.IsSuspended)
        {
            return RpcError.Server("execution timeout: execution aborted");
        }

        if (result.Error != TransactionError.None)
        {
            return new RpcError(RpcError.InternalErrorCode, $"err: {result.Error}");
        }

        _world.CollectChanges(_changes);
        outcome.State.Apply(_changes);
        var logs = _world.Logs.ToArray();
        outcome.Include(input, transaction, result, logs, Bloom.Of(logs));
        pool.Take(result.GasUsed);
        var output = result.Output.ToArray();
        var error = result.Succeeded ? null
            : result.Status == ExecutionStatus.Revert ? CallErrors.Reverted(output)
            : new RpcError(SimulationErrors.CallFailed, CallErrors.Describe(result.Status));
        Results.Add(new SimulatedCall(
            result.Succeeded || result.Status == ExecutionStatus.Revert ? output : [], result.GasUsed, result.PeakGas,
            result.Succeeded, error, tracer.TakeLogs()));
        return null;
    }

    /// <summary>A price makes it legacy, lists make it theirs; else it is of type 2, before London legacy.</summary>
    private Transaction Make(CallRequest call, ulong nonce, ulong gas, BlockContext block)
    {
        var isLegacy = call.GasPrice is not null || !block.Rules.Eip1559;
        var type = isLegacy ? TransactionType.Legacy
            : call.Authorizations is not null ? TransactionType.SetCode
            : call.BlobVersionedHashes is not null ? TransactionType.Blob
            : TransactionType.DynamicFee;
        call.Type = (ulong)type;
        var cap = call.GasPrice ?? call.MaxFeePerGas ?? UInt256.Zero;
        var tip = call.GasPrice ?? call.MaxPriorityFeePerGas ?? UInt256.Zero;
        if (isLegacy)
        {
            (call.AccessList, call.BlobVersionedHashes, call.Authorizations) = (null, null, null);
        }

        var transaction = call.ToTransaction(isLegacy ? null : chainId, nonce, gas, cap, tip);
        transaction.Hash = TransactionCodec.HashOf(transaction);
        return transaction;
    }

    private RpcError? Check(Transaction transaction, in Account sender, BlockContext block) =>
        (validates ? CheckNonce(transaction, sender.Nonce) : null)
        ?? CheckFees(transaction, block)
        ?? CheckLists(transaction, block)
        ?? CheckFunds(transaction, sender.Balance)
        ?? CheckGas(transaction, block.Rules);

    private static RpcError? CheckNonce(Transaction transaction, ulong stateNonce)
    {
        var words = $"address {transaction.Sender}, tx: {transaction.Nonce} state: {stateNonce}";
        return transaction.Nonce > stateNonce ? new(SimulationErrors.NonceTooHigh, $"err: nonce too high: {words}")
            : transaction.Nonce < stateNonce ? new(SimulationErrors.NonceTooLow, $"err: nonce too low: {words}")
            : stateNonce == ulong.MaxValue ? new(RpcError.InternalErrorCode, $"err: nonce has max value: {words}")
            : null;
    }

    private RpcError? CheckFees(Transaction transaction, BlockContext block)
    {
        var isFree = !validates && transaction.MaxFeePerGas.IsZero && transaction.MaxPriorityFeePerGas.IsZero;
        if (!block.Rules.Eip1559 || isFree)
        {
            return null;
        }

        var words = $"address {transaction.Sender}, maxFeePerGas: {transaction.MaxFeePerGas}";
        return transaction.MaxFeePerGas < transaction.MaxPriorityFeePerGas
            ? RpcError.InvalidParams($"err: max priority fee per gas higher than max fee per gas: {words}")
            : transaction.MaxFeePerGas < block.BaseFee
                ? new RpcError(
                    SimulationErrors.FeeCapTooLow,
                    $"err: max fee per gas less than block base fee: {words}, baseFee: {block.BaseFee}")
                : null;
    }

    private RpcError? CheckLists(Transaction transaction, BlockContext block)
    {
        var isBlob = transaction.Type == TransactionType.Blob;
        var unpaid = isBlob && (validates || !transaction.MaxFeePerBlobGas.IsZero)
            && transaction.MaxFeePerBlobGas < block.BlobBaseFee;
        var words = isBlob && transaction.IsCreation ? "blob transaction of type create"
            : isBlob && transaction.BlobVersionedHashes.Count == 0 ? "blob transaction missing blob hashes"
            : transaction.BlobVersionedHashes.Any(hash => hash.Bytes[0] != 1) ? "blob has invalid hash version"
            : unpaid ? "max fee per blob gas less than block blob gas fee"
            : transaction.Type != TransactionType.SetCode ? null
            : transaction.IsCreation ? "set code transaction of type create"
            : transaction.Authorizations.Count == 0 ? "set code transaction with empty auth list"
            : null;
        return words is null ? null : new RpcError(RpcError.InternalErrorCode, $"err: {words}");
    }

    private static RpcError? CheckFunds(Transaction transaction, in UInt256 balance) =>
        TransactionProcessor.TryMaximumCost(transaction, out var cost) && cost <= balance
            ? null
            : new RpcError(
                SimulationErrors.InsufficientFunds,
                "err: insufficient funds for gas * price + value: "
                + $"address {transaction.Sender} have {balance} want {cost} (supplied gas {transaction.GasLimit})");

    private static RpcError? CheckGas(Transaction transaction, ForkRules rules)
    {
        var intrinsic = IntrinsicGas.Of(transaction, rules);
        if (transaction.GasLimit < intrinsic.Base)
        {
            return new RpcError(
                SimulationErrors.IntrinsicGas,
                $"err: intrinsic gas too low: have {transaction.GasLimit}, want {intrinsic.Base}");
        }

        if (transaction.GasLimit < intrinsic.Floor)
        {
            return new RpcError(
                RpcError.InternalErrorCode,
                $"err: insufficient gas for floor data gas cost: have {transaction.GasLimit}, want {intrinsic.Floor}");
        }

        return rules.Eip3860 && transaction.IsCreation && transaction.Data.Length > TransactionValidator.MaxInitCodeSize
            ? new RpcError(SimulationErrors.InitCodeTooLarge, "err: max initcode size exceeded")
            : null;
    }
}

/// <summary>Gas that one request's calls may use together.</summary>
internal sealed class GasPool(ulong gas)
{
    internal ulong Left { get; private set; } = gas;

    internal void Take(ulong used) => Left -= Math.Min(Left, used);
}
