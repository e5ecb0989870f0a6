using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Evm;

public sealed class NeighbourTests
{
    [Fact]
    public void A_tracer_sees_every_instruction_and_every_message()
    {
        var world = new EvmWorld().Put(EvmWorld.Other, new Assembler().Push(7).ReturnTop().ToCode());
        var tracer = new RecordingTracer();
        world.Engine.Tracer = tracer;
        var program = new Assembler().Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Op(Opcode.Gas)
            .Op(Opcode.StaticCall).Push(0).Push(0).Push(0).Push(0).Push(4).Push(100).Op(Opcode.StaticCall, Opcode.Stop);
        Assert.True(world.Run(program).Succeeded);
        Assert.Equal(["call 0", "call 1", "end Success", "call 1", "end Success", "end Success"], tracer.Messages);
        Assert.Equal(15 + 6, tracer.Steps.Count);
        Assert.Equal((0, Opcode.Push1, 0), tracer.Steps[0]);
        Assert.Equal((0, Opcode.Push1, 1), tracer.Steps[7]);
        Assert.Equal(Opcode.Stop, tracer.Steps[^1].Op);
    }

    [Fact]
    public void Code_of_another_engine_is_handed_to_it_with_its_message()
    {
        var foreign = new ForeignEngine();
        var engine = new EvmEngine(foreign);
        var world = new EvmWorld().Put(EvmWorld.Other, [0x00, (byte)'a', (byte)'s', (byte)'m', 1], balance: 3);
        var program = new Assembler().Push(32).Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other)
            .Push(50_000).Op(Opcode.Call, Opcode.Pop).Push(0).Op(Opcode.MLoad).ReturnTop();
        world.Put(EvmWorld.Contract, program.ToCode(), nonce: 1);
        var result = engine.Execute(
            new Message
            {
                Kind = MessageKind.Call, Caller = EvmWorld.Sender, Recipient = EvmWorld.Contract,
                CodeAddress = EvmWorld.Contract, Gas = 100_000,
            },
            new TransactionContext { Origin = EvmWorld.Sender, BlobHashes = [] }, world.Block, world.State);
        Assert.True(result.Succeeded);
        Assert.Equal(0xF0UL, UInt256.FromBigEndian(result.Output.Span));
        Assert.Equal((EvmWorld.Contract, EvmWorld.Other, 1, 50_000UL), foreign.Seen);
    }

    private sealed class ForeignEngine : IExecutionEngine
    {
        internal (Address Caller, Address Recipient, int Depth, ulong Gas) Seen { get; private set; }

        public ExecutionResult Execute(
            in Message message, in TransactionContext transaction, BlockContext block, WorldState state)
        {
            Seen = (message.Caller, message.Recipient, message.Depth, message.Gas);
            return new ExecutionResult
            {
                Status = ExecutionStatus.Success, GasLeft = message.Gas - 10, Output = new UInt256(0xF0).ToBigEndian(),
            };
        }
    }

    private sealed class RecordingTracer : IEvmTracer
    {
        internal List<(int Pc, Opcode Op, int Depth)> Steps { get; } = [];

        internal List<string> Messages { get; } = [];

        public void OnStep(in EvmStep step) => Steps.Add((step.Pc, step.Opcode, step.Depth));

        public void OnEnter(in Message message) => Messages.Add($"call {message.Depth}");

        public void OnExit(in ExecutionResult result) => Messages.Add($"end {result.Status}");

        public void OnSelfDestruct(in Address contract, in Address beneficiary, in UInt256 balance) =>
            Messages.Add("self-destruct");
    }
}
