using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.JsonRpc.Simulation;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Executions that change nothing.</summary>
internal sealed class CallMethods(Node node, BlockResolver blocks) : IRpcModule
{
    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("eth_call", Call),
        ("eth_estimateGas", EstimateGas),
        ("eth_createAccessList", CreateAccessList),
    ];

    private RpcError? Call(ref RpcParams parameters, RpcReply reply)
    {
        if (TryRead(ref parameters, out var call, out var block, out var state, out var prepare) is { } error)
        {
            return error;
        }

        var transaction = ToTransaction(call, block, state);
        var outcome = node.Calls.Run(transaction, block, state, node.Calls.Begin(), prepare);
        if (!outcome.Succeeded)
        {
            return ErrorOf(outcome, transaction, block);
        }

        reply.Json.WriteHexValue(outcome.Output);
        return null;
    }

    private RpcError? EstimateGas(ref RpcParams parameters, RpcReply reply)
    {
        if (TryRead(ref parameters, out var call, out var block, out var state, out var prepare) is { } error)
        {
            return error;
        }

        if (Estimate(call, block, state, out var gas, prepare) is { } failure)
        {
            return failure;
        }

        reply.Json.WriteQuantityValue(gas);
        return null;
    }

    /// <summary>The least gas limit with which the call would succeed as a transaction.</summary>
    internal RpcError? Estimate(
        CallRequest call, BlockContext block, IStateReader state, out ulong gas,
        Action<IExecutionEngine>? prepare = null)
    {
        gas = 0;
        var highest = call.Gas is { } given && given >= IntrinsicGas.Transaction ? given : block.GasLimit;
        highest = block.Rules.Eip7825 ? Math.Min(highest, TransactionValidator.GasLimitCap) : highest;
        var price = call.GasPrice ?? call.MaxFeePerGas ?? UInt256.Zero;
        if (!price.IsZero)
        {
            state.ReadAccount(call.From ?? Address.Zero, out var sender);
            if (GasEstimator.Affordable(sender.Balance, call.Value, price) is not { } affordable)
            {
                return RpcError.Server("insufficient funds for transfer");
            }

            highest = Math.Min(highest, affordable);
        }

        var estimate = GasEstimator.Estimate(
            node.Calls, limit => ToTransaction(call, limit, block), highest, block, state, node.Calls.Begin(),
            prepare);
        if (estimate.Failure is { } failure)
        {
            return failure.Error == TransactionError.IntrinsicGasTooLow
                || (!failure.TimedOut && failure.Status == ExecutionStatus.OutOfGas)
                ? RpcError.Server($"gas required exceeds allowance ({estimate.Highest})")
                : ErrorOf(failure, ToTransaction(call, highest, block), block);
        }

        gas = estimate.Gas;
        return null;
    }

    private RpcError? CreateAccessList(ref RpcParams parameters, RpcReply reply)
    {
        if (TryRead(ref parameters, out var call, out var block, out var state, out var prepare) is { } error)
        {
            return error;
        }

        var gas = call.Gas ?? DefaultGas(call, block, state);
        var finder = new AccessListFinder(node.Calls, block, state, prepare);
        var (list, transaction, outcome) = finder.Find(
            entries =>
            {
                call.AccessList = entries;
                return ToTransaction(call, gas, block);
            });
        if (outcome.TimedOut || outcome.Error != TransactionError.None)
        {
            return ErrorOf(outcome, transaction, block);
        }

        reply.Json.WriteStartObject();
        TransactionJson.WriteAccessList(reply.Json, "accessList"u8, list);
        if (!outcome.Succeeded)
        {
            reply.Json.WriteString("error"u8, CallErrors.Of(outcome, transaction, block).Message);
        }

        reply.Json.WriteQuantity("gasUsed"u8, outcome.GasUsed);
        reply.Json.WriteEndObject();
        return null;
    }

    internal RpcError ErrorOf(in CallOutcome outcome, Transaction transaction, BlockContext block) =>
        outcome.TimedOut ? CallErrors.TimedOut(node.Calls.Timeout) : CallErrors.Of(outcome, transaction, block);

    private RpcError? TryRead(
        ref RpcParams parameters, out CallRequest call, out BlockContext block, out IStateReader state,
        out Action<IExecutionEngine>? prepare)
    {
        (block, state, prepare) = (null!, EmptyStateReader.Instance, null);
        if (!parameters.Call(out call) || !parameters.OptionalBlock(out var reference)
            || !parameters.OptionalStateOverrides(out var accounts)
            || !parameters.OptionalBlockOverrides(out var fields) || !parameters.End())
        {
            return parameters.Error;
        }

        return TryPlace(call, reference, accounts, fields, out block, out state, out prepare);
    }

    /// <summary>What a call runs in and on; <paramref name="prepare"/> sets the engine up where it must be.</summary>
    internal RpcError? TryPlace(
        CallRequest call, in BlockReference reference, Dictionary<Address, AccountOverride>? accounts,
        BlockOverrides? fields, out BlockContext block, out IStateReader state, out Action<IExecutionEngine>? prepare)
    {
        (block, state, prepare) = (null!, EmptyStateReader.Instance, null);
        if (call.ChainId is { } chainId && chainId != node.Chain.ChainId)
        {
            return RpcError.InvalidParams(
                $"chainId does not match node's (have={chainId}, want={node.Chain.ChainId})");
        }

        if (blocks.TryCallContext(reference, out block, out state) is { } error)
        {
            return error;
        }

        if (PrecompileMoves.TryOf(accounts, block.Rules, out var moves) is { } refusal)
        {
            return refusal;
        }

        prepare = moves is null ? null : engine => ((EvmEngine)engine).MovedPrecompiles = moves;
        state = accounts is null ? state : new OverrideState(state, accounts);
        block = fields?.ApplyTo(block) ?? block;
        return null;
    }

    /// <summary>The block's gas limit, or what the sender can pay for where the call has a gas price.</summary>
    private static ulong DefaultGas(CallRequest call, BlockContext block, IStateReader state)
    {
        var price = call.GasPrice ?? call.MaxFeePerGas ?? UInt256.Zero;
        if (price.IsZero)
        {
            return block.GasLimit;
        }

        state.ReadAccount(call.From ?? Address.Zero, out var sender);
        return Math.Min(block.GasLimit, GasEstimator.Affordable(sender.Balance, call.Value, price) ?? 0);
    }

    /// <summary>The call as a transaction, with the gas it names or may take.</summary>
    internal Transaction ToTransaction(CallRequest call, BlockContext block, IStateReader state) =>
        ToTransaction(call, call.Gas ?? DefaultGas(call, block, state), block);

    private Transaction ToTransaction(CallRequest call, ulong gas, BlockContext block)
    {
        var cap = call.GasPrice ?? call.MaxFeePerGas
            ?? (call.MaxPriorityFeePerGas is { } alone ? alone + block.BaseFee : UInt256.Zero);
        var tip = call.GasPrice ?? call.MaxPriorityFeePerGas ?? UInt256.Zero;
        return call.ToTransaction(node.Chain.ChainId, call.Nonce ?? 0, gas, cap, tip);
    }
}
