using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Node;
using SuperVm.Hosting.JsonRpc.Tracing;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Transactions of the chain, executed again under a tracer.</summary>
internal sealed class TraceMethods(Node node, BlockResolver blocks) : IRpcModule
{
    private const string CallTracerName = "callTracer";

    private readonly IChain _chain = node.Chain;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("debug_traceTransaction", TraceTransaction),
        ("debug_traceBlockByNumber", TraceBlock),
        ("debug_traceBlockByHash", TraceBlockByHash),
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

    private RpcError? TryTrace(
        ChainBlock block, int? only, TraceOptions options, RpcLimits limits, out TracingRunner runner)
    {
        var engine = (EvmEngine)node.Calls.NewEngine();
        var isCalls = options.Tracer == CallTracerName;
        runner = new TracingRunner(engine, only, () => isCalls
            ? new CallTracer(options, limits.MaximumResponseBytes)
            : new InstructionTracer(options, limits.MaximumResponseBytes));
        if (!isCalls && !string.IsNullOrEmpty(options.Tracer))
        {
            return RpcError.Server($"there is no tracer of this name; those known are: {CallTracerName}");
        }

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
