using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Evm;

public sealed class StorageTests
{
    // The table of EIP-2200 (Istanbul) and of EIP-3529 (London): code, original value, gas used, refund.
    [Theory]
    [InlineData(Fork.Istanbul, "60006000556000600055", 0, 1612, 0)]
    [InlineData(Fork.Istanbul, "60006000556001600055", 0, 20812, 0)]
    [InlineData(Fork.Istanbul, "60016000556000600055", 0, 20812, 19200)]
    [InlineData(Fork.Istanbul, "60016000556002600055", 0, 20812, 0)]
    [InlineData(Fork.Istanbul, "60006000556000600055", 1, 5812, 15000)]
    [InlineData(Fork.Istanbul, "60006000556001600055", 1, 5812, 4200)]
    [InlineData(Fork.Istanbul, "60006000556002600055", 1, 5812, 0)]
    [InlineData(Fork.Istanbul, "60026000556001600055", 1, 5812, 4200)]
    [InlineData(Fork.Istanbul, "600160005560006000556001600055", 0, 40818, 19200)]
    [InlineData(Fork.Istanbul, "600060005560016000556000600055", 1, 10818, 19200)]
    [InlineData(Fork.London, "60006000556000600055", 0, 2312, 0)]
    [InlineData(Fork.London, "60016000556000600055", 0, 22212, 19900)]
    [InlineData(Fork.London, "60006000556000600055", 1, 5112, 4800)]
    [InlineData(Fork.London, "60006000556001600055", 1, 5112, 2800)]
    [InlineData(Fork.London, "600060005560016000556000600055", 1, 8018, 7600)]
    [InlineData(Fork.Constantinople, "60006000556001600055", 1, 5212, 4800)]
    [InlineData(Fork.Petersburg, "60006000556001600055", 1, 25012, 15000)]
    public void A_store_costs_and_refunds_by_original_current_and_new_value(
        Fork fork, string code, int original, int gas, int refund)
    {
        var world = new EvmWorld(fork).Put(EvmWorld.Contract);
        if (original != 0)
        {
            world.PutSlot(EvmWorld.Contract, 0, (ulong)original);
        }

        Assert.Equal((ulong)gas, world.GasOf(new Assembler().Raw(Hex.Decode(code))));
        Assert.Equal(refund, world.State.Refund);
    }

    [Fact]
    public void A_store_with_no_more_than_the_stipend_runs_out_of_gas()
    {
        var program = new Assembler().Push(1).Push(0).Op(Opcode.SStore);
        var world = new EvmWorld(Fork.Istanbul).Put(EvmWorld.Contract).PutSlot(EvmWorld.Contract, 0, 1);
        Assert.Equal(ExecutionStatus.OutOfGas, world.Run(program, gas: 2_306).Status);
        Assert.Equal(ExecutionStatus.Success, world.Run(program, gas: 2_307).Status);
    }

    [Theory]
    [InlineData(Fork.Frontier, 50, 50)]
    [InlineData(Fork.TangerineWhistle, 200, 200)]
    [InlineData(Fork.Istanbul, 800, 800)]
    [InlineData(Fork.Berlin, 2100, 100)]
    public void A_load_is_dearer_the_first_time_from_EIP_2929_on(Fork fork, int first, int second)
    {
        var program = new Assembler().Push(7).Op(Opcode.SLoad, Opcode.Pop).Push(7).Op(Opcode.SLoad, Opcode.Pop);
        Assert.Equal((ulong)(first + second + 10), new EvmWorld(fork).GasOf(program));
    }

    [Fact]
    public void Transient_storage_is_read_back_and_belongs_to_the_account()
    {
        var program = new Assembler().Push(5).Push(1).Op(Opcode.TStore).Push(1).Op(Opcode.TLoad);
        var world = new EvmWorld().Put(EvmWorld.Other, new Assembler().Push(1).Op(Opcode.TLoad).ReturnTop().ToCode());
        Assert.Equal(5UL, world.WordOf(program));
        program = new Assembler().Push(5).Push(1).Op(Opcode.TStore)
            .Push(32).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Op(Opcode.Gas, Opcode.StaticCall, Opcode.Pop)
            .Push(0).Op(Opcode.MLoad);
        Assert.Equal(0UL, world.WordOf(program));
    }

    [Fact]
    public void A_log_has_its_address_topics_and_data()
    {
        var world = new EvmWorld();
        var program = new Assembler().Memory(0, [9, 8, 7]).Push(2).Push(1).Push(3).Push(0).Op(Opcode.Log2);
        Assert.Equal(3UL + 3 + 3 + 3 + (4 * 3) + 375 + (2 * 375) + (3 * 8), world.GasOf(program));
        var log = Assert.Single(world.State.Logs);
        Assert.Equal(EvmWorld.Contract, log.Address);
        Assert.Equal([9, 8, 7], log.Data);
        Assert.Equal([1UL, 2UL], log.Topics.Select(topic => UInt256.FromBigEndian(topic.Bytes).U0));
    }

    [Fact]
    public void Code_reads_its_message_its_transaction_and_its_block()
    {
        var world = new EvmWorld { BlobHashes = [Hash256.Zero, BlobHash] };
        UInt256 Read(params Opcode[] ops) => world.WordOf(new Assembler().Op(ops));
        Assert.Equal(EvmWorld.Contract.ToWord(), Read(Opcode.Address));
        Assert.Equal(EvmWorld.Sender.ToWord(), Read(Opcode.Origin));
        Assert.Equal(EvmWorld.Sender.ToWord(), Read(Opcode.Caller));
        Assert.Equal(0UL, Read(Opcode.CallValue));
        Assert.Equal(11UL, Read(Opcode.GasPrice));
        Assert.Equal(world.Block.Coinbase.ToWord(), Read(Opcode.Coinbase));
        Assert.Equal(12_345UL, Read(Opcode.Timestamp));
        Assert.Equal(1000UL, Read(Opcode.Number));
        Assert.Equal(99UL, Read(Opcode.PrevRandao));
        Assert.Equal(30_000_000UL, Read(Opcode.GasLimit));
        Assert.Equal(1337UL, Read(Opcode.ChainId));
        Assert.Equal(7UL, Read(Opcode.BaseFee));
        Assert.Equal(3UL, Read(Opcode.BlobBaseFee));
        UInt256 Of(UInt256 operand, Opcode op) => world.WordOf(new Assembler().Push(operand).Op(op));
        Assert.Equal(999UL + 0xB10C, Of(999, Opcode.BlockHash));
        Assert.Equal(744UL + 0xB10C, Of(744, Opcode.BlockHash));
        Assert.Equal(0UL, Of(743, Opcode.BlockHash));
        Assert.Equal(0UL, Of(1000, Opcode.BlockHash));
        Assert.Equal(UInt256.FromBigEndian(BlobHash.Bytes), Of(1, Opcode.BlobHash));
        Assert.Equal(0UL, Of(2, Opcode.BlobHash));
        Assert.Equal(1_000_000UL, Of(EvmWorld.Sender.ToWord(), Opcode.Balance));
    }

    private static readonly Hash256 BlobHash = Hash256.Parse(new string('7', 64));

    [Fact]
    public void Call_data_is_padded_with_zeros()
    {
        var world = new EvmWorld();
        byte[] input = [1, 2, 3];
        UInt256 Load(UInt256 offset) => world.WordOf(new Assembler().Push(offset).Op(Opcode.CallDataLoad), input);
        Assert.Equal(UInt256.FromBigEndian([1, 2, 3]) << 232, Load(0));
        Assert.Equal((UInt256)3 << 248, Load(2));
        Assert.Equal(0UL, Load(3));
        Assert.Equal(0UL, Load(UInt256.MaxValue));
        var copy = new Assembler().Push(UInt256.MaxValue).Push(0).Op(Opcode.MStore)
            .Push(32).Push(1).Push(0).Op(Opcode.CallDataCopy).Push(0).Op(Opcode.MLoad);
        Assert.Equal(UInt256.FromBigEndian([2, 3]) << 240, world.WordOf(copy, input));
    }
}
