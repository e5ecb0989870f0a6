using SuperVm.Cli.Bench.Blocks;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench;

/// <summary>A store at a distance: every fetch pays the latency and brings at most 100 keys; caches are cold.</summary>
/// <remarks>
/// Each transaction follows a chain of eight slots, where a slot's value is the next slot's key, so that no key but the
/// first can be known before its predecessor was read.
/// </remarks>
internal sealed class LatencyBenchmark : IBenchmark
{
    private const int Transactions = 400;
    private const int ChainLength = 8;

    private static readonly Address Follower = Address.FromNumber(0xF0110);

    public string Name => "latency";

    public string Description =>
        "dependent reads from a store of 0.1 and 2 ms latency: bulk fetches against one by one";

    public Task RunAsync(BenchContext context)
    {
        var world = new MemoryState();
        world.Put(Follower, 0, FollowerCode());
        for (ulong i = 0; i < Transactions; i++)
        {
            world.Put(SenderAt(i), 1_000_000_000_000);
            for (ulong step = 0; step < ChainLength; step++)
            {
                world.PutSlot(Follower, (i * 1000) + step + 1, (i * 1000) + step + 2);
            }
        }

        var input = Block(world);
        foreach (var (name, latency) in ((string, TimeSpan)[])[
            ("100us", TimeSpan.FromMicroseconds(100)), ("2ms", TimeSpan.FromMilliseconds(2))])
        {
            var serial = Measure(context, $"serial_{name}", input, world, latency,
                new SerialTransactionRunner(new EvmEngine()));
            var bulk = Measure(context, $"bulk_{name}", input, world, latency, new ParallelTransactionRunner(
                () => new EvmEngine(), new ParallelRunnerOptions(2)));
            context.Report($"ratio_{name}", "x", bulk / serial);
        }

        return Task.CompletedTask;
    }

    private static double Measure(
        BenchContext context, string name, BlockInput input, MemoryState world, TimeSpan latency,
        ITransactionRunner runner)
    {
        var processor = new BlockProcessor(new EvmEngine(), runner);
        var before = context.Figures.Count;
        context.Measure(name, "tx/s", Transactions, () =>
        {
            var outcome = processor.Execute(input, new DistantState(world, latency));
            if (outcome.Receipts.Count(receipt => receipt.Succeeded) != Transactions)
            {
                throw new InvalidOperationException("A transaction failed.");
            }
        });
        return context.Figures[before].Median;
    }

    private static Address SenderAt(ulong index) => Address.FromNumber(0x3000_0000 + index);

    /// <summary>key = calldata; eight times key = sload(key); then sstore(caller, key).</summary>
    private static byte[] FollowerCode()
    {
        byte[] start = [(byte)Opcode.Push0, (byte)Opcode.CallDataLoad];
        var steps = Enumerable.Repeat((byte)Opcode.SLoad, ChainLength);
        return [.. start, .. steps, (byte)Opcode.Caller, (byte)Opcode.SStore, (byte)Opcode.Stop];
    }

    private static BlockInput Block(MemoryState world)
    {
        var transactions = new Transaction[Transactions];
        for (ulong i = 0; i < Transactions; i++)
        {
            transactions[i] = new Transaction
            {
                Type = TransactionType.Legacy, Nonce = 0, GasLimit = 200_000, MaxFeePerGas = 10,
                MaxPriorityFeePerGas = 10, To = Follower, Sender = SenderAt(i),
                Data = new UInt256((i * 1000) + 1).ToBigEndian(),
            };
        }

        return new BlockInput
        {
            Context = new BlockContext
            {
                Rules = ForkRules.Of(Fork.Osaka), ChainId = 1, Number = 1, GasLimit = 1_000_000_000, BaseFee = 10,
                Coinbase = Address.FromNumber(0xC01), BlockHashes = world,
            },
            Transactions = transactions, ParentHash = Hash256.Zero, SkipStatelessChecks = true,
        };
    }
}
