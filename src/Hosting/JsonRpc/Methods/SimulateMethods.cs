using System.Text.Json;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Node;
using SuperVm.Core.State;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.JsonRpc.Simulation;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>eth_simulateV1: blocks of calls that change nothing.</summary>
internal sealed class SimulateMethods(Node node, BlockResolver blocks) : IRpcModule
{
    /// <summary>Gas that all calls of a request may use together.</summary>
    private const ulong GasCap = 50_000_000;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods => [("eth_simulateV1", Simulate)];

    private RpcError? Simulate(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Simulation(out var request) || !parameters.OptionalBlock(out var reference)
            || !parameters.End())
        {
            return parameters.Error;
        }

        if (request.Blocks.Count == 0)
        {
            return RpcError.InvalidParams("empty input");
        }

        if (request.Blocks.Count > SimulationRequest.MaximumBlocks)
        {
            return SimulationErrors.BlocksExceeded;
        }

        if (TryParent(reference, out var parent, out var state) is { } error)
        {
            return error;
        }

        var engine = (EvmEngine)node.Calls.NewEngine();
        using var watch = node.Calls.Watch(engine);
        using var watched = watch.Begin(node.Calls.Begin());
        var simulator = new Simulator(node, parent, state, request);
        if (simulator.Run(engine, GasCap, out var results) is { } failure)
        {
            return watch.HasStopped ? CallErrors.TimedOut(node.Calls.Timeout) : failure;
        }

        Write(reply.Json, results, request.ReturnFullTransactions);
        return null;
    }

    private RpcError? TryParent(BlockReference reference, out ChainBlock parent, out IStateReader state)
    {
        parent = node.Chain.Head;
        if (reference.Kind == BlockReferenceKind.Pending)
        {
            reference = BlockReference.Latest;
        }

        if (blocks.TryStateOf(reference, out var number, out state) is { } error)
        {
            return error;
        }

        if (node.Chain.GetBlock(number) is not { } found)
        {
            return RpcError.Server("header not found");
        }

        parent = found;
        return null;
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyList<SimulationResult> results, bool wholeTransactions)
    {
        json.WriteStartArray();
        foreach (var (block, calls) in results)
        {
            json.WriteStartObject();
            BlockJson.WriteFields(json, block, wholeTransactions);
            json.WriteStartArray("calls"u8);
            for (var i = 0; i < calls.Count; i++)
            {
                Write(json, block, calls[i], i);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ChainBlock block, SimulatedCall call, int index)
    {
        json.WriteStartObject();
        json.WriteHex("returnData"u8, call.Output);
        json.WriteStartArray("logs"u8);
        foreach (var (log, number) in call.Logs)
        {
            ReceiptJson.WriteLog(json, log, block, index, number);
        }

        json.WriteEndArray();
        json.WriteQuantity("gasUsed"u8, call.GasUsed);
        json.WriteQuantity("maxUsedGas"u8, call.PeakGas);
        json.WriteQuantity("status"u8, call.Succeeded ? 1UL : 0UL);
        if (call.Error is { } error)
        {
            json.WriteStartObject("error"u8);
            json.WriteNumber("code"u8, error.Code);
            json.WriteString("message"u8, error.Message);
            if (error.Data is { } data)
            {
                json.WriteHex("data"u8, data.Span);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
