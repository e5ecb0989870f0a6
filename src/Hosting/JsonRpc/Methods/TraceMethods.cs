using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.State;
using SuperVm.Hosting.JsonRpc.Tracing;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Transactions of the chain, executed again under a tracer, and calls under one.</summary>
internal sealed class TraceMethods(Node node, BlockResolver blocks, CallMethods calls) : IRpcModule
{
    private const string CallTracerName = "callTracer", PrestateTracerName = "prestateTracer";

    private readonly IChain _chain = node.Chain;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("debug_traceTransaction", TraceTransaction),
        ("debug_traceBlockByNumber", TraceBlock),
        ("debug_traceBlockByHash", TraceBlockByHash),
        ("debug_traceCall", TraceCall),
    ];

    private RpcError? TraceTransaction(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var hash) || !parameters.OptionalTraceOptions(out var options) || !parameters.End())
        {
            return parameters.Error;
        }

        if (_chain.FindTransaction(hash) is not { } place || _chain.GetBlock(place.BlockHash) is not { } block)
        {
            return RpcError.Server("transaction not found");
        }

        if (TryTrace(block, place.Index, options, reply.Limits, out var runner) is { } error)
        {
            return error;
        }

        var (transaction, tracer, outcome) = runner.Traces[0];
        tracer.Write(reply.Json, transaction, outcome);
        return null;
    }

    private RpcError? TraceBlock(ref RpcParams parameters, RpcReply reply) =>
        !parameters.Block(out var reference) || !parameters.OptionalTraceOptions(out var options) || !parameters.End()
            ? parameters.Error
            : reference.Kind == BlockReferenceKind.Pending
                ? RpcError.Server("tracing on top of pending is not supported")
                : Trace(blocks.Find(reference), options, reply);

    private RpcError? TraceBlockByHash(ref RpcParams parameters, RpcReply reply) =>
        !parameters.Hash(out var hash) || !parameters.OptionalTraceOptions(out var options) || !parameters.End()
            ? parameters.Error
            : Trace(_chain.GetBlock(hash), options, reply);

    private RpcError? Trace(ChainBlock? block, TraceOptions options, RpcReply reply)
    {
        if (block is null)
        {
            return RpcError.Server("block not found");
        }

        if (TryTrace(block, null, options, reply.Limits, out var runner) is { } error)
        {
            return error;
        }

        reply.Json.WriteStartArray();
        foreach (var (transaction, tracer, outcome) in runner.Traces)
        {
            reply.Json.WriteStartObject();
            reply.Json.WriteHash("txHash"u8, transaction.Hash);
            reply.Json.WritePropertyName("result"u8);
            tracer.Write(reply.Json, transaction, outcome);
            reply.Json.WriteEndObject();
        }

        reply.Json.WriteEndArray();
        return null;
    }

    private RpcError? TraceCall(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Call(out var call) || !parameters.OptionalBlock(out var reference)
            || !parameters.OptionalTraceOptions(out var options) || !parameters.End())
        {
            return parameters.Error;
        }

        if (TryTracer(options, reply.Limits, out var create) is { } unknown)
        {
            return unknown;
        }

        return calls.TryPlace(
            call, reference, options.StateOverrides, options.BlockOverrides, out var block, out var state,
            out var prepare) ?? Trace(call, block, state, prepare, create(), reply);
    }

    private RpcError? Trace(
        CallRequest call, BlockContext block, IStateReader state, Action<IExecutionEngine>? prepare,
        ITransactionTracer tracer, RpcReply reply)
    {
        var transaction = calls.ToTransaction(call, block, state);
        var outcome = node.Calls.Run(
            transaction, block, state, node.Calls.Begin(),
            engine =>
            {
                prepare?.Invoke(engine);
                ((EvmEngine)engine).Tracer = tracer;
            },
            world =>
            {
                var changes = new StateChanges();
                world.CollectChanges(changes);
                var after = new BlockState(state);
                tracer.OnExecuted(transaction, block, state);
                after.Apply(changes);
                tracer.OnApplied(after);
            });
        if (outcome.TimedOut || outcome.Error != TransactionError.None)
        {
            return calls.ErrorOf(outcome, transaction, block);
        }

        if (tracer.IsTooLarge)
        {
            return RpcError.ResponseTooLarge;
        }

        tracer.Write(reply.Json, transaction, TracedOutcome.Of(outcome.Status, outcome.GasUsed, outcome.Output));
        return null;
    }

    private static RpcError? TryTracer(TraceOptions options, RpcLimits limits, out Func<ITransactionTracer> create)
    {
        var most = limits.MaximumResponseBytes;
        create = options.Tracer switch
        {
            CallTracerName => () => new CallTracer(options, most),
            PrestateTracerName => () => new PrestateTracer(options, most),
            _ => () => new InstructionTracer(options, most),
        };
        return options.Tracer is null or "" or CallTracerName or PrestateTracerName
            ? null
            : RpcError.Server(
                $"there is no tracer of this name; those known are: {CallTracerName}, {PrestateTracerName}");
    }

    private RpcError? TryTrace(
        ChainBlock block, int? only, TraceOptions options, RpcLimits limits, out TracingRunner runner)
    {
        var engine = (EvmEngine)node.Calls.NewEngine();
        runner = null!;
        if (TryTracer(options, limits, out var create) is { } unknown)
        {
            return unknown;
        }

        runner = new TracingRunner(engine, only, create);
        if (block.Number == 0)
        {
            return RpcError.Server("genesis is not traceable");
        }

        if (!_chain.IsCanonical(block.Hash) || _chain.StateAt(block.Number - 1).State is not { } parent)
        {
            return RpcError.Server("the state before the block is not kept");
        }

        using var watch = node.Calls.Watch(engine);
        using var watched = watch.Begin(node.Calls.Begin());
        var header = block.Header;
        var input = new BlockInput
        {
            Context = BlockContexts.Of(node.Spec, header, _chain.BlockHashes),
            Transactions = block.Block.Transactions,
            ParentHash = header.ParentHash,
            ParentBeaconBlockRoot = header.ParentBeaconBlockRoot,
            DepositContract = node.Spec.DepositContract,
            IsDaoFork = node.Spec.DaoForkBlock == header.Number,
        };
        new BlockProcessor(engine, runner).Execute(input, parent);
        return watch.HasStopped ? CallErrors.TimedOut(node.Calls.Timeout)
            : runner.Traces.Exists(trace => trace.Tracer.IsTooLarge) ? RpcError.ResponseTooLarge
            : runner.IsBrokenOff ? RpcError.Internal
            : null;
    }
}
