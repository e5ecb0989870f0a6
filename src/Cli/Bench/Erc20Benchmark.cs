using System.Text;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench;

/// <summary>Blocks of ERC-20 transfers, three in ten to one of four hot holders, executed in memory.</summary>
internal sealed class Erc20Benchmark : IBenchmark
{
    private const int TransfersPerBlock = 5_000;
    private const int BlocksPerRun = 5;
    private const int Holders = 2_000;
    private const int HotHolders = 4;
    private const int HotPercent = 30;

    private static readonly Address Token = Address.FromNumber(0x70);

    public string Name => "erc20";

    public string Description => "blocks of 5,000 ERC-20 transfers with 30 % hot keys, one worker and more, in memory";

    public Task RunAsync(BenchContext context)
    {
        var world = new MemoryState();
        world.Put(Token, 0, EvmContracts.Load()[EvmContracts.Token]);
        for (var i = 0; i < Holders; i++)
        {
            world.Put(HolderAt(i), 1_000_000_000_000_000_000);
            world.PutSlot(Token, BalanceSlot(HolderAt(i)), 1_000_000_000);
        }

        var inputs = Enumerable.Range(0, BlocksPerRun).Select(i => Block(world, i)).ToArray();
        Measure(context, "serial", inputs, world, new SerialTransactionRunner(new EvmEngine()));
        foreach (var workers in (int[])[2, 4])
        {
            var options = new ParallelRunnerOptions(workers, ValidateAhead: workers > 2);
            Measure(context, $"workers_{workers}", inputs, world,
                new ParallelTransactionRunner(() => new EvmEngine(), options));
        }

        Measure(context, "tuned", inputs, world,
            new TunedTransactionRunner(() => new EvmEngine(), Environment.ProcessorCount, TimeProvider.System));
        return Task.CompletedTask;
    }

    private static void Measure(
        BenchContext context, string name, BlockInput[] inputs, MemoryState world, ITransactionRunner runner)
    {
        var processor = new BlockProcessor(new EvmEngine(), runner);
        Run();
        Run();
        context.Measure(name, "tx/s", (double)TransfersPerBlock * BlocksPerRun, Run);

        void Run()
        {
            foreach (var input in inputs)
            {
                var outcome = processor.Execute(input, world);
                if (outcome.Receipts.Count(receipt => receipt.Succeeded) != TransfersPerBlock)
                {
                    throw new InvalidOperationException("A transfer failed.");
                }
            }
        }
    }

    private static Address HolderAt(int index) => Address.FromNumber(0x2000_0000 + (ulong)index);

    /// <summary>Where Solidity keeps the entry of the mapping at slot 0.</summary>
    private static UInt256 BalanceSlot(in Address holder) =>
        UInt256.FromBigEndian(Keccak256.Hash([.. holder.ToWord().ToBigEndian(), .. new byte[32]]).Bytes);

    private static BlockInput Block(MemoryState world, int seed)
    {
        var random = new Random(seed);
        var selector = Keccak256.Hash(Encoding.ASCII.GetBytes("transfer(address,uint256)")).Bytes[..4].ToArray();
        var nonces = new ulong[Holders];
        var transactions = new Transaction[TransfersPerBlock];
        for (var i = 0; i < transactions.Length; i++)
        {
            var sender = random.Next(Holders);
            var recipient = random.Next(100) < HotPercent ? random.Next(HotHolders) : random.Next(Holders);
            transactions[i] = new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = 1, Nonce = nonces[sender]++, GasLimit = 100_000,
                MaxFeePerGas = 20, MaxPriorityFeePerGas = 1, To = Token, Sender = HolderAt(sender),
                Data = (byte[])[
                    .. selector, .. HolderAt(recipient).ToWord().ToBigEndian(), .. UInt256.One.ToBigEndian()],
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
