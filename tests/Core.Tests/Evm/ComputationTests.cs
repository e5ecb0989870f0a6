using System.Numerics;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Evm;

public sealed class ComputationTests
{
    private static readonly UInt256[] Samples =
    [
        0, 1, 2, 31, 32, 255, 256, UInt256.MaxValue, UInt256.MaxValue - 1, UInt256.One << 255, (UInt256.One << 255) - 1,
        UInt256.One << 64, (UInt256.One << 128) - 1,
        UInt256.Parse("0x123456789abcdef0fedcba9876543210deadbeefcafebabe"),
    ];

    [Theory]
    [InlineData(Opcode.Add)]
    [InlineData(Opcode.Mul)]
    [InlineData(Opcode.Sub)]
    [InlineData(Opcode.Div)]
    [InlineData(Opcode.SDiv)]
    [InlineData(Opcode.Mod)]
    [InlineData(Opcode.SMod)]
    [InlineData(Opcode.Exp)]
    [InlineData(Opcode.SignExtend)]
    [InlineData(Opcode.Lt)]
    [InlineData(Opcode.Gt)]
    [InlineData(Opcode.SLt)]
    [InlineData(Opcode.SGt)]
    [InlineData(Opcode.Eq)]
    [InlineData(Opcode.And)]
    [InlineData(Opcode.Or)]
    [InlineData(Opcode.Xor)]
    [InlineData(Opcode.Byte)]
    [InlineData(Opcode.Shl)]
    [InlineData(Opcode.Shr)]
    [InlineData(Opcode.Sar)]
    public void An_operation_on_two_words_agrees_with_big_integers(Opcode op)
    {
        var world = new EvmWorld();
        foreach (var a in Samples)
        {
            foreach (var b in Samples)
            {
                var word = world.WordOf(new Assembler().Push(b).Push(a).Op(op));
                Assert.Equal(Expected(op, a, b), word);
            }
        }
    }

    [Fact]
    public void Operations_on_one_and_three_words_agree_with_big_integers()
    {
        var world = new EvmWorld();
        foreach (var a in Samples)
        {
            Assert.Equal(a.IsZero ? UInt256.One : 0, world.WordOf(new Assembler().Push(a).Op(Opcode.IsZero)));
            Assert.Equal(~a, world.WordOf(new Assembler().Push(a).Op(Opcode.Not)));
            Assert.Equal((ulong)(256 - (int)((BigInteger)a).GetBitLength()),
                world.WordOf(new Assembler().Push(a).Op(Opcode.Clz)));
            foreach (var m in Samples)
            {
                var (x, y, z) = ((BigInteger)a, (BigInteger)UInt256.MaxValue, (BigInteger)m);
                var sum = z.IsZero ? 0 : (x + y) % z;
                var product = z.IsZero ? 0 : (x * y) % z;
                Assert.Equal((UInt256)sum,
                    world.WordOf(new Assembler().Push(m).Push(UInt256.MaxValue).Push(a).Op(Opcode.AddMod)));
                Assert.Equal((UInt256)product,
                    world.WordOf(new Assembler().Push(m).Push(UInt256.MaxValue).Push(a).Op(Opcode.MulMod)));
            }
        }
    }

    [Fact]
    public void A_push_takes_its_bytes_and_zeros_behind_the_end_of_the_code()
    {
        var world = new EvmWorld();
        for (var n = 1; n <= 32; n++)
        {
            var bytes = Enumerable.Range(1, n).Select(i => (byte)(i * 7)).ToArray();
            Assert.Equal(UInt256.FromBigEndian(bytes), world.WordOf(new Assembler().PushBytes(bytes)));
        }

        Assert.Equal(ExecutionStatus.Success, world.Run(new Assembler().Raw(0x7F, 0x01)).Status);
    }

    [Fact]
    public void Dup_and_swap_reach_sixteen_deep()
    {
        var world = new EvmWorld();
        for (var n = 1; n <= 16; n++)
        {
            var program = new Assembler();
            for (ulong i = 0; i <= 16; i++)
            {
                program.Push(i);
            }

            Assert.Equal((ulong)(17 - n), world.WordOf(program.Dup(n)));
            program = new Assembler();
            for (ulong i = 0; i <= 16; i++)
            {
                program.Push(i);
            }

            Assert.Equal((ulong)(16 - n), world.WordOf(program.Swap(n)));
        }
    }

    [Fact]
    public void Memory_is_read_back_and_counted_in_words()
    {
        var world = new EvmWorld();
        var program = new Assembler().Push(0xAB).Push(33).Op(Opcode.MStore8).Op(Opcode.MSize);
        Assert.Equal(64UL, world.WordOf(program));
        program = new Assembler().Push(0xABCD).Push(5).Op(Opcode.MStore).Push(6).Op(Opcode.MLoad);
        Assert.Equal(0xABCD00UL, world.WordOf(program));
        program = new Assembler().Memory(0, [1, 2, 3, 4]).Push(4).Push(0).Push(2).Op(Opcode.MCopy)
            .Push(0).Op(Opcode.MLoad);
        Assert.Equal(UInt256.FromBigEndian([1, 2, 1, 2, 3, 4]) << (8 * 26), world.WordOf(program));
    }

    [Fact]
    public void Memory_costs_three_a_word_and_the_square_over_512()
    {
        var world = new EvmWorld();
        var program = new Assembler().Push((1024 * 32) - 32).Op(Opcode.MLoad);
        Assert.Equal(3UL + 3 + (3 * 1024) + (1024 * 1024 / 512), world.GasOf(program));
        Assert.Equal(ExecutionStatus.OutOfGas,
            world.Run(new Assembler().Push(UInt256.MaxValue).Op(Opcode.MLoad)).Status);
        Assert.Equal(ExecutionStatus.OutOfGas,
            world.Run(new Assembler().Push(1UL << 63).Push(1UL << 63).Op(Opcode.Return)).Status);
        Assert.Equal(ExecutionStatus.Success,
            world.Run(new Assembler().Push(0).Push(UInt256.MaxValue).Op(Opcode.Return)).Status);
    }

    [Fact]
    public void Keccak_hashes_memory()
    {
        var digest = Keccak256.Hash([1, 2, 3]);
        var program = new Assembler().Memory(0, [1, 2, 3]).Push(3).Push(0).Op(Opcode.Keccak256);
        Assert.Equal(UInt256.FromBigEndian(digest.Bytes), new EvmWorld().WordOf(program));
    }

    [Fact]
    public void A_hash_of_64_bytes_is_the_same_the_second_time_and_after_others()
    {
        var world = new EvmWorld();
        for (var round = 0; round < 2; round++)
        {
            for (ulong i = 0; i < 1_500; i++)
            {
                var input = (byte[])[.. new UInt256(i % 5).ToBigEndian(), .. new UInt256(i * i).ToBigEndian()];
                var program = new Assembler().Memory(0, input).Push(64).Push(0).Op(Opcode.Keccak256);
                Assert.Equal(UInt256.FromBigEndian(Keccak256.Hash(input).Bytes), world.WordOf(program));
            }
        }
    }

    [Fact]
    public void A_loop_jumps_until_its_counter_is_zero()
    {
        var program = new Assembler().Push(10).Push(0).Label("loop")
            .Dup(2).Op(Opcode.Add).Swap(1).Push(1).Swap(1).Op(Opcode.Sub).Swap(1)
            .Dup(2).JumpIf("loop");
        Assert.Equal(55UL, new EvmWorld().WordOf(program));
    }

    [Theory]
    [InlineData("600456", ExecutionStatus.InvalidJump)]
    [InlineData("6003565b", ExecutionStatus.Success)]
    [InlineData("600456605b", ExecutionStatus.InvalidJump)]
    [InlineData(
        "7f00000000000000000000000000000000000000000000000100000000000000225600005b", ExecutionStatus.InvalidJump)]
    [InlineData("01", ExecutionStatus.StackUnderflow)]
    [InlineData("5b5f600056", ExecutionStatus.StackOverflow)]
    [InlineData("fe", ExecutionStatus.InvalidOpcode)]
    [InlineData("0c", ExecutionStatus.InvalidOpcode)]
    [InlineData("5b600056", ExecutionStatus.OutOfGas)]
    [InlineData("60006000fd", ExecutionStatus.Revert)]
    [InlineData("60013d60003e", ExecutionStatus.ReturnDataOutOfBounds)]
    public void Code_ends_as_it_must(string code, ExecutionStatus expected)
    {
        var result = new EvmWorld().Run(new Assembler().Raw(Hex.Decode(code)));
        Assert.Equal(expected, result.Status);
        if (expected is not (ExecutionStatus.Success or ExecutionStatus.Revert))
        {
            Assert.Equal(0UL, result.GasLeft);
        }
    }

    [Theory]
    [InlineData(Opcode.DelegateCall, Fork.Homestead)]
    [InlineData(Opcode.Revert, Fork.Byzantium)]
    [InlineData(Opcode.ReturnDataSize, Fork.Byzantium)]
    [InlineData(Opcode.StaticCall, Fork.Byzantium)]
    [InlineData(Opcode.Shl, Fork.Constantinople)]
    [InlineData(Opcode.Create2, Fork.Constantinople)]
    [InlineData(Opcode.ExtCodeHash, Fork.Constantinople)]
    [InlineData(Opcode.ChainId, Fork.Istanbul)]
    [InlineData(Opcode.SelfBalance, Fork.Istanbul)]
    [InlineData(Opcode.BaseFee, Fork.London)]
    [InlineData(Opcode.Push0, Fork.Shanghai)]
    [InlineData(Opcode.TLoad, Fork.Cancun)]
    [InlineData(Opcode.MCopy, Fork.Cancun)]
    [InlineData(Opcode.BlobHash, Fork.Cancun)]
    [InlineData(Opcode.BlobBaseFee, Fork.Cancun)]
    [InlineData(Opcode.Clz, Fork.Osaka)]
    public void An_instruction_exists_from_its_fork_on(Opcode op, Fork first)
    {
        foreach (var fork in Enum.GetValues<Fork>())
        {
            Assert.Equal(fork >= first, InstructionTable.For(ForkRules.Of(fork)).Has(op));
        }
    }

    private static UInt256 Expected(Opcode op, UInt256 a, UInt256 b)
    {
        var (x, y) = ((BigInteger)a, (BigInteger)b);
        var (signedX, signedY) = (Signed(x), Signed(y));
        return (UInt256)(op switch
        {
            Opcode.Add => x + y,
            Opcode.Mul => x * y,
            Opcode.Sub => x - y,
            Opcode.Div => y.IsZero ? 0 : x / y,
            Opcode.SDiv => y.IsZero ? 0 : signedX / signedY,
            Opcode.Mod => y.IsZero ? 0 : x % y,
            Opcode.SMod => y.IsZero ? 0 : BigInteger.Remainder(signedX, signedY),
            Opcode.Exp => BigInteger.ModPow(x, y, BigInteger.One << 256),
            Opcode.SignExtend => x >= 31 ? y : Extend(y, (int)x),
            Opcode.Lt => x < y ? 1 : 0,
            Opcode.Gt => x > y ? 1 : 0,
            Opcode.SLt => signedX < signedY ? 1 : 0,
            Opcode.SGt => signedX > signedY ? 1 : 0,
            Opcode.Eq => x == y ? 1 : 0,
            Opcode.And => x & y,
            Opcode.Or => x | y,
            Opcode.Xor => x ^ y,
            Opcode.Byte => x > 31 ? 0 : (y >> (8 * (31 - (int)x))) & 0xFF,
            Opcode.Shl => x > 255 ? 0 : y << (int)x,
            Opcode.Shr => x > 255 ? 0 : y >> (int)x,
            Opcode.Sar => x > 255 ? (signedY < 0 ? -1 : 0) : signedY >> (int)x,
            _ => throw new ArgumentOutOfRangeException(nameof(op)),
        });
    }

    private static BigInteger Signed(BigInteger value) =>
        value >> 255 == 1 ? value - (BigInteger.One << 256) : value;

    private static BigInteger Extend(BigInteger value, int byteIndex)
    {
        var bits = 8 * (byteIndex + 1);
        var low = value & ((BigInteger.One << bits) - 1);
        return low >> (bits - 1) == 1 ? low - (BigInteger.One << bits) : low;
    }
}
