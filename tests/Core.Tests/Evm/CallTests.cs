using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Evm;

public sealed class CallTests
{
    [Fact]
    public void Value_moves_with_a_call_and_comes_back_when_it_fails()
    {
        var world = new EvmWorld().Put(EvmWorld.Contract, new Assembler().Op(Opcode.Stop).ToCode());
        Assert.True(world.Call(EvmWorld.Contract, value: 5).Succeeded);
        Assert.Equal(5UL, world.State.Balance(world.Open(EvmWorld.Contract)));
        world.Put(EvmWorld.Contract, [0xFE]);
        Assert.Equal(ExecutionStatus.InvalidOpcode, world.Call(EvmWorld.Contract, value: 5).Status);
        Assert.Equal(0UL, world.State.Balance(world.Open(EvmWorld.Contract)));
        Assert.Equal(1_000_000UL, world.State.Balance(world.Open(EvmWorld.Sender)));
    }

    [Fact]
    public void A_message_without_the_funds_for_its_value_is_not_started()
    {
        var result = new EvmWorld().Call(EvmWorld.Contract, value: 2_000_000);
        Assert.Equal(ExecutionStatus.InsufficientBalance, result.Status);
        Assert.Equal(1_000_000UL, result.GasLeft);
    }

    [Fact]
    public void A_callee_sees_its_input_and_its_output_reaches_the_caller()
    {
        var callee = new Assembler().Push(0).Op(Opcode.CallDataLoad).Push(1).Op(Opcode.Add).ReturnTop();
        var world = new EvmWorld().Put(EvmWorld.Other, callee.ToCode());
        var program = new Assembler().Push(41).Push(0).Op(Opcode.MStore)
            .Push(32).Push(64).Push(32).Push(0).Push(0).Push(EvmWorld.Other).Op(Opcode.Gas, Opcode.Call)
            .Op(Opcode.Pop).Push(64).Op(Opcode.MLoad);
        Assert.Equal(42UL, world.WordOf(program));
    }

    [Fact]
    public void Output_is_cut_to_the_room_for_it_and_return_data_keeps_the_whole()
    {
        var callee = new Assembler().Push(UInt256.MaxValue).ReturnTop();
        var world = new EvmWorld().Put(EvmWorld.Other, callee.ToCode());
        var program = new Assembler()
            .Push(1).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Push(50_000).Op(Opcode.StaticCall, Opcode.Pop)
            .Push(0).Op(Opcode.MLoad);
        Assert.Equal((UInt256)255 << 248, world.WordOf(program));
        program = new Assembler()
            .Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Push(50_000).Op(Opcode.StaticCall, Opcode.Pop)
            .Push(32).Push(0).Push(32).Op(Opcode.ReturnDataCopy).Push(32).Op(Opcode.MLoad);
        Assert.Equal(UInt256.MaxValue, world.WordOf(program));
    }

    [Fact]
    public void A_delegate_call_runs_in_the_name_of_the_caller()
    {
        var callee = new Assembler().Op(Opcode.Caller).Push(1).Op(Opcode.SStore).Op(Opcode.Address).ReturnTop();
        var world = new EvmWorld().Put(EvmWorld.Other, callee.ToCode());
        var program = new Assembler()
            .Push(32).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Op(Opcode.Gas, Opcode.DelegateCall)
            .Op(Opcode.Pop).Push(0).Op(Opcode.MLoad);
        Assert.Equal(EvmWorld.Contract.ToWord(), world.WordOf(program));
        Assert.Equal(EvmWorld.Sender.ToWord(), world.Slot(EvmWorld.Contract, 1));
    }

    [Fact]
    public void A_call_code_works_on_the_callers_account_but_is_called_by_it()
    {
        var callee = new Assembler().Op(Opcode.Caller).Push(1).Op(Opcode.SStore);
        var world = new EvmWorld().Put(EvmWorld.Other, callee.ToCode());
        var program = new Assembler()
            .Push(0).Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Op(Opcode.Gas, Opcode.CallCode);
        Assert.Equal(1UL, world.WordOf(program));
        Assert.Equal(EvmWorld.Contract.ToWord(), world.Slot(EvmWorld.Contract, 1));
    }

    [Theory]
    [InlineData("6001600055")]
    [InlineData("60006000a0")]
    [InlineData("600060006000f0")]
    [InlineData("6000ff")]
    [InlineData("600160005d")]
    [InlineData("60006000600060006001600561fffff1")]
    public void A_static_call_refuses_changes(string code)
    {
        var world = new EvmWorld().Put(EvmWorld.Other, Hex.Decode(code), balance: 10);
        var program = new Assembler()
            .Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Push(50_000).Op(Opcode.StaticCall);
        Assert.Equal(0UL, world.WordOf(program));
        Assert.Empty(world.State.Logs);
    }

    [Fact]
    public void Calls_nest_1024_deep_and_no_deeper()
    {
        // Counts its depth in storage and calls itself with all gas but a little.
        var program = new Assembler().Push(0).Op(Opcode.SLoad).Push(1).Op(Opcode.Add).Push(0).Op(Opcode.SStore)
            .Push(0).Push(0).Push(0).Push(0).Push(0).Op(Opcode.Address, Opcode.Gas, Opcode.Call);
        var world = new EvmWorld().Put(EvmWorld.Contract, program.ToCode(), nonce: 1);
        Assert.True(world.Call(EvmWorld.Contract, gas: 100_000_000_000_000).Succeeded);
        Assert.Equal(1025UL, world.Slot(EvmWorld.Contract, 0));
    }

    [Fact]
    public void A_call_keeps_one_64th_of_the_gas_from_EIP_150_on()
    {
        var world = new EvmWorld().Put(EvmWorld.Other, new Assembler().Op(Opcode.Gas).ReturnTop().ToCode());
        var program = new Assembler()
            .Push(32).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Push(UInt256.MaxValue).Op(Opcode.StaticCall)
            .Op(Opcode.Pop).Push(0).Op(Opcode.MLoad);
        // 18 for the pushes, 3 for memory, 2,600 for the cold account; GAS counts its own 2.
        var left = 1_000_000UL - 18 - 3 - 2_600;
        Assert.Equal(left - (left / 64) - 2, world.WordOf(program));
        var old = new EvmWorld(Fork.Homestead).Put(EvmWorld.Other, [0]);
        program = new Assembler()
            .Push(0).Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Push(UInt256.MaxValue).Op(Opcode.Call);
        Assert.Equal(ExecutionStatus.OutOfGas, old.Run(program).Status);
    }

    [Theory]
    [InlineData(Fork.Frontier, 40 + 9_000 + 25_000)]
    [InlineData(Fork.TangerineWhistle, 700 + 9_000 + 25_000)]
    [InlineData(Fork.SpuriousDragon, 700 + 9_000 + 25_000)]
    [InlineData(Fork.Berlin, 2_600 + 9_000 + 25_000)]
    public void A_call_with_value_to_nobody_pays_for_the_account(Fork fork, int price)
    {
        var world = new EvmWorld(fork).Put(EvmWorld.Contract, balance: 10);
        var program = new Assembler()
            .Push(0).Push(0).Push(0).Push(0).Push(1).Push(EvmWorld.Other).Push(0).Op(Opcode.Call, Opcode.Pop);
        // The callee has no code, so its stipend comes back.
        Assert.Equal((ulong)price - 2_300 + 21 + 2, world.GasOf(program));
        Assert.Equal(1UL, world.State.Balance(world.Open(EvmWorld.Other)));
    }

    [Fact]
    public void A_delegated_account_runs_the_code_of_its_delegate_and_shows_its_designator()
    {
        var implementation = Address.FromNumber(0x1111);
        var world = new EvmWorld()
            .Put(implementation, new Assembler().Op(Opcode.Address).ReturnTop().ToCode())
            .Put(EvmWorld.Other, Code.DelegationTo(implementation).Bytes.ToArray());
        var result = world.Call(EvmWorld.Other);
        Assert.Equal(EvmWorld.Other.ToWord(), UInt256.FromBigEndian(result.Output.Span));
        Assert.False(world.State.WarmAccount(world.Open(implementation)));
        Assert.Equal(23UL, world.WordOf(new Assembler().Push(EvmWorld.Other).Op(Opcode.ExtCodeSize)));
        var call = new Assembler()
            .Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Op(Opcode.Gas, Opcode.StaticCall, Opcode.Pop);
        // Both accounts are cold; 15 gas in the callee (ADDRESS, PUSH, MSTORE, memory, PUSH, PUSH).
        Assert.Equal(17UL + 2 + 2_600 + 2_600 + 17, world.GasOf(call));
    }

    [Fact]
    public void A_created_contract_has_the_code_that_its_init_code_returned()
    {
        var world = new EvmWorld();
        // MSTORE8(0, 0x42) RETURN(0, 1)
        var initCode = Hex.Decode("60426000536001_6000f3".Replace("_", "", StringComparison.Ordinal));
        var program = new Assembler().Memory(0, initCode)
            .Push((ulong)initCode.Length).Push(0).Push(0).Op(Opcode.Create);
        var address = ContractAddress.OfCreate(EvmWorld.Contract, 1);
        Assert.Equal(address.ToWord(), world.WordOf(program));
        var account = world.Open(address);
        Assert.True(world.State.TryGetCode(account, out var code));
        Assert.Equal([0x42], code.Bytes.ToArray());
        Assert.Equal(1UL, world.State.Nonce(account));
        Assert.Equal(2UL, world.State.Nonce(world.Open(EvmWorld.Contract)));
        program = new Assembler().Memory(0, initCode)
            .Push(77).Push((ulong)initCode.Length).Push(0).Push(0).Op(Opcode.Create2);
        Assert.Equal(ContractAddress.OfCreate2(EvmWorld.Contract, 77, initCode).ToWord(), world.WordOf(program));
    }

    [Fact]
    public void A_deposit_that_cannot_be_paid_leaves_an_empty_contract_in_Frontier_and_fails_in_Homestead()
    {
        // RETURN(0, 1000): 200,000 gas for the deposit.
        var initCode = new Assembler().Push(1000).Push(0).Op(Opcode.Return).ToCode();
        var frontier = new EvmWorld(Fork.Frontier).Create(EvmWorld.Other, initCode, gas: 50_000);
        Assert.Equal(ExecutionStatus.Success, frontier.Status);
        Assert.True(frontier.GasLeft > 40_000);
        var homestead = new EvmWorld(Fork.Homestead).Create(EvmWorld.Other, initCode, gas: 50_000);
        Assert.Equal(ExecutionStatus.OutOfGas, homestead.Status);
        Assert.Equal(0UL, homestead.GasLeft);
    }

    [Fact]
    public void New_code_is_refused_for_its_prefix_its_length_and_for_what_lies_at_its_address()
    {
        var world = new EvmWorld();
        Assert.Equal(ExecutionStatus.InvalidCodePrefix,
            world.Create(EvmWorld.Other, Hex.Decode("60ef60005360016000f3")).Status);
        var large = new Assembler().Push(24_577).Push(0).Op(Opcode.Return).ToCode();
        Assert.Equal(ExecutionStatus.CodeTooLarge, world.Create(EvmWorld.Other, large, gas: 10_000_000).Status);
        world.Put(EvmWorld.Other, nonce: 1);
        Assert.Equal(ExecutionStatus.CreateCollision, world.Create(EvmWorld.Other, [0]).Status);
        world.Put(EvmWorld.Other).PutSlot(EvmWorld.Other, 1, 1);
        Assert.Equal(ExecutionStatus.CreateCollision, world.Create(EvmWorld.Other, [0]).Status);
        var program = new Assembler().Push(49_153).Push(0).Push(0).Op(Opcode.Create);
        Assert.Equal(ExecutionStatus.InitCodeTooLarge, world.Run(program).Status);
    }

    [Fact]
    public void A_creator_whose_nonce_is_at_its_end_gets_zero_and_its_gas_back()
    {
        var world = new EvmWorld().Put(EvmWorld.Contract, nonce: ulong.MaxValue);
        Assert.Equal(0UL, world.WordOf(new Assembler().Push(0).Push(0).Push(0).Op(Opcode.Create)));
        Assert.Equal(ulong.MaxValue, world.State.Nonce(world.Open(EvmWorld.Contract)));
    }

    [Fact]
    public void A_failed_call_undoes_its_changes_and_takes_its_gas_and_a_revert_gives_data()
    {
        var failing = new Assembler().Push(1).Push(0).Op(Opcode.SStore, Opcode.Invalid);
        var reverting = new Assembler().Push(1).Push(0).Op(Opcode.SStore)
            .Push(0xBAD).Push(0).Op(Opcode.MStore).Push(32).Push(0).Op(Opcode.Revert);
        var world = new EvmWorld().Put(EvmWorld.Other, failing.ToCode());
        var program = new Assembler()
            .Push(32).Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Push(50_000).Op(Opcode.Call)
            .Op(Opcode.ReturnDataSize, Opcode.Add, Opcode.Pop);
        Assert.True(world.GasOf(program) > 50_000);
        Assert.Equal(0UL, world.Slot(EvmWorld.Other, 0));
        world.Put(EvmWorld.Other, reverting.ToCode());
        Assert.Equal(0xBADUL, world.WordOf(new Assembler()
            .Push(32).Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Push(50_000).Op(Opcode.Call)
            .Push(0).Op(Opcode.MLoad, Opcode.Add)));
        Assert.Equal(0UL, world.Slot(EvmWorld.Other, 0));
    }

    [Theory]
    [InlineData(Fork.Shanghai, true)]
    [InlineData(Fork.Cancun, false)]
    public void Self_destruct_moves_the_balance_and_removes_only_before_EIP_6780(Fork fork, bool removes)
    {
        var world = new EvmWorld(fork).Put(EvmWorld.Contract, balance: 9);
        Assert.True(world.Run(new Assembler().Push(EvmWorld.Other).Op(Opcode.SelfDestruct)).Succeeded);
        Assert.Equal(9UL, world.State.Balance(world.Open(EvmWorld.Other)));
        Assert.Equal(0UL, world.State.Balance(world.Open(EvmWorld.Contract)));
        Assert.Equal(removes, world.State.IsDestroyed(world.Open(EvmWorld.Contract)));
        Assert.True(world.Run(new Assembler().Op(Opcode.Address, Opcode.SelfDestruct)).Succeeded);
        Assert.Equal(removes ? 0UL : 9UL, world.State.Balance(world.Open(EvmWorld.Contract)));
    }

    [Fact]
    public void A_read_that_is_not_loaded_suspends_the_whole_message()
    {
        var world = new EvmWorld().Put(EvmWorld.Other, new Assembler().Push(0x77).Op(Opcode.Balance).ToCode());
        world.NotLoaded.Add(Address.FromNumber(0x77));
        var program = new Assembler()
            .Push(0).Push(0).Push(0).Push(0).Push(EvmWorld.Other).Op(Opcode.Gas, Opcode.StaticCall);
        Assert.Equal(ExecutionStatus.NotLoaded, world.Run(program).Status);
        Assert.Equal(Address.FromNumber(0x77), Assert.Single(world.State.Missing).Address);
        world.NotLoaded.Clear();
        Assert.Equal(1UL, world.WordOf(program));
    }

    [Fact]
    public void A_precompile_answers_and_its_failure_takes_the_gas()
    {
        var world = new EvmWorld();
        var program = new Assembler().Push(0x1234).Push(0).Op(Opcode.MStore)
            .Push(32).Push(32).Push(32).Push(0).Push(4).Push(1000).Op(Opcode.StaticCall, Opcode.Pop)
            .Push(32).Op(Opcode.MLoad);
        Assert.Equal(0x1234UL, world.WordOf(program));
        program = new Assembler()
            .Push(0).Push(0).Push(1).Push(0).Push(9).Push(50_000).Op(Opcode.StaticCall, Opcode.Pop);
        Assert.True(world.GasOf(program) > 50_000);
    }
}
