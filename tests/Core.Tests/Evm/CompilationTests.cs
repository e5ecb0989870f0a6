using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Execution.Evm.Compilation;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Evm;

/// <summary>
/// The interpreter is the oracle: compiled code must end in the same way, with the same gas and state.
/// </summary>
public sealed class CompilationTests
{
    [Fact]
    public void Random_programs_end_alike_interpreted_and_compiled() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(150),
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var code = new RandomPrograms(seed).Next();
            foreach (var gas in (ulong[])[60_000, 60_000 + (ulong)(seed % 997), 3_000])
            {
                AssertAlike(code, gas);
            }
        }));

    [Fact]
    public void A_loop_runs_out_of_gas_at_the_same_instruction_for_every_amount_of_gas()
    {
        var program = new Assembler().Push(0).Label("loop")
            .Push(1).Op(Opcode.Add).Dup(1).Push(64).Op(Opcode.Mul).Dup(2).Swap(1).Op(Opcode.MStore)
            .Dup(1).Push(3).Op(Opcode.SStore).Jump("loop").ToCode();
        for (var gas = 30_000UL; gas < 30_400; gas++)
        {
            AssertAlike(program, gas);
        }
    }

    [Fact]
    public void Recursion_within_a_contract_and_calls_of_itself_end_alike()
    {
        // f(n): n < 2 ? n : f(n - 1) + f(n - 2), with the return address under n.
        var program = new Assembler().PushLabel("end").Push(0).Op(Opcode.CallDataLoad).Jump("f")
            .Label("end").Push(0).Op(Opcode.MStore).Push(32).Push(0).Op(Opcode.Return)
            .Label("f").Dup(1).Push(2).Op(Opcode.Gt).JumpIf("small")
            .PushLabel("one").Push(1).Dup(3).Op(Opcode.Sub).Jump("f")
            .Label("one").Swap(1).PushLabel("two").Push(2).Dup(3).Op(Opcode.Sub).Jump("f")
            .Label("two").Swap(1).Op(Opcode.Pop, Opcode.Add).Swap(1).Op(Opcode.Jump)
            .Label("small").Swap(1).Op(Opcode.Jump).ToCode();
        var world = new EvmWorld().Put(EvmWorld.Contract, program);
        world.Engine.Compilation = CompilationMode.Eager;
        for (var i = 0; i < 3; i++)
        {
            var result = world.Call(EvmWorld.Contract, 10_000_000, new UInt256(15).ToBigEndian());
            Assert.Equal(610UL, UInt256.FromBigEndian(result.Output.Span));
            Assert.True(CodeAnalysis.Of(CodeOf(world)).Tier.UnitCount > 0);
        }
    }

    [Fact]
    public void Code_that_is_compiled_in_the_background_gives_the_same_while_that_goes_on()
    {
        var program = new Assembler().Push(0).Label("loop")
            .Push(1).Op(Opcode.Add).Push(20_000).Dup(2).Op(Opcode.Lt).JumpIf("loop").ReturnTop().ToCode();
        var world = new EvmWorld().Put(EvmWorld.Contract, program);
        for (var i = 0; i < 20; i++)
        {
            var result = world.Call(EvmWorld.Contract, 10_000_000);
            Assert.Equal(20_000UL, UInt256.FromBigEndian(result.Output.Span));
        }
    }

    [Fact]
    public void Threads_that_share_code_get_the_same_while_it_is_compiled_under_them()
    {
        // The same code object in all worlds, so that profile and units are shared; results come from the interpreter.
        var code = new Code(new RandomPrograms(4711).Next());
        var calm = new EvmWorld().Put(EvmWorld.Contract, code, nonce: 1);
        calm.Engine.Compilation = CompilationMode.Off;
        var expected = Enumerable.Range(0, 40).Select(i => GasLeftAfter(calm, i)).ToArray();
        System.Threading.Tasks.Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            var world = new EvmWorld().Put(EvmWorld.Contract, code, nonce: 1);
            world.Engine.Compilation = worker % 2 == 0 ? CompilationMode.Eager : CompilationMode.Background;
            for (var i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i], GasLeftAfter(world, i));
            }
        });
    }

    [Fact]
    public void A_read_that_is_not_loaded_suspends_compiled_code_too()
    {
        var missing = Address.FromNumber(0x77);
        var program = new Assembler().Push(0).Label("loop").Push(1).Op(Opcode.Add)
            .Push(missing).Op(Opcode.Balance, Opcode.Pop).Push(50).Dup(2).Op(Opcode.Lt).JumpIf("loop").ToCode();
        var world = new EvmWorld().Put(EvmWorld.Contract, program, nonce: 1);
        world.Engine.Compilation = CompilationMode.Eager;
        Assert.True(world.Call(EvmWorld.Contract).Succeeded);
        Assert.True(world.Call(EvmWorld.Contract).Succeeded);
        world.NotLoaded.Add(missing);
        Assert.Equal(ExecutionStatus.NotLoaded, world.Call(EvmWorld.Contract).Status);
        Assert.Equal(missing, Assert.Single(world.State.Missing).Address);
    }

    [Fact]
    public void Compiled_code_is_not_used_under_other_rules()
    {
        var program = new Assembler().Push(0).Label("loop").Push(7).Op(Opcode.SLoad, Opcode.Pop)
            .Push(1).Op(Opcode.Add).Push(30).Dup(2).Op(Opcode.Lt).JumpIf("loop").ToCode();
        var code = new Code(program);
        ulong GasOf(Fork fork, CompilationMode mode)
        {
            var world = new EvmWorld(fork).Put(EvmWorld.Contract, code);
            world.Engine.Compilation = mode;
            return world.Call(EvmWorld.Contract).GasLeft;
        }

        foreach (var fork in (Fork[])[Fork.Osaka, Fork.Istanbul, Fork.Osaka, Fork.Frontier])
        {
            Assert.Equal(GasOf(fork, CompilationMode.Off), GasOf(fork, CompilationMode.Eager));
        }
    }

    private static ulong GasLeftAfter(EvmWorld world, int i) =>
        world.Call(EvmWorld.Contract, 40_000 + ((ulong)i * 37)).GasLeft;

    private static void AssertAlike(byte[] code, ulong gas)
    {
        var interpreted = new EvmWorld();
        var compiled = new EvmWorld();
        interpreted.Engine.Compilation = CompilationMode.Off;
        compiled.Engine.Compilation = CompilationMode.Eager;
        foreach (var world in (EvmWorld[])[interpreted, compiled])
        {
            world.Put(EvmWorld.Contract, code, balance: 100, nonce: 1).Put(EvmWorld.Other, code, balance: 5);
            world.PutSlot(EvmWorld.Contract, 1, 1).PutSlot(EvmWorld.Contract, 64, 5);
        }

        // The first runs make the profile, the later ones run what came of it.
        for (var i = 0; i < 4; i++)
        {
            var expected = interpreted.Call(EvmWorld.Contract, gas, [1, 2, 3, 4]);
            var actual = compiled.Call(EvmWorld.Contract, gas, [1, 2, 3, 4]);
            Assert.Equal(expected.Status, actual.Status);
            Assert.Equal(expected.GasLeft, actual.GasLeft);
            Assert.Equal(expected.Output.ToArray(), actual.Output.ToArray());
            Assert.Equal(interpreted.State.Refund, compiled.State.Refund);
            Assert.Equal(interpreted.State.Logs.Count, compiled.State.Logs.Count);
            var (before, after) = (new StateChanges(), new StateChanges());
            interpreted.State.CollectChanges(before);
            compiled.State.CollectChanges(after);
            Assert.Equal(before.Slots, after.Slots);
            Assert.Equal(before.Accounts.Select(change => (change.Address, change.Account)),
                after.Accounts.Select(change => (change.Address, change.Account)));
        }
    }

    private static Code CodeOf(EvmWorld world)
    {
        Assert.True(world.State.TryGetCode(world.Open(EvmWorld.Contract), out var code));
        return code;
    }
}
