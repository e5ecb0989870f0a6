using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using static SuperVm.Core.Tests.Parallel.BlockComparison;

namespace SuperVm.Core.Tests.Parallel;

public sealed class ParallelRunnerTests
{
    private static readonly bool All = Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") == "1";

    public static TheoryData<int, Fork, int, bool> Cases
    {
        get
        {
            var cases = new TheoryData<int, Fork, int, bool>();
            for (var seed = 0; seed < 24; seed++)
            {
                cases.Add(seed, seed % 3 == 0 ? Fork.Shanghai : seed % 3 == 1 ? Fork.Osaka : Fork.Byzantium,
                    ((int[])[2, 4, 8])[seed % 3], seed % 2 == 0);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_parallel_block_equals_the_serial_block(int seed, Fork fork, int workers, bool validateAhead)
    {
        for (var round = 0; round < 6; round++)
        {
            var world = new ConflictWorld(fork, hasCoinbase: round % 3 != 0);
            var transactions = world.RandomBlock(new Random((seed * 100) + round), 120);
            var serial = new SerialTransactionRunner(new EvmEngine());
            var options = new ParallelRunnerOptions(
                workers, validateAhead, SerialBelow: round % 3 == 1 ? 8 : 0, Batch: 1 + (round % 4),
                Interleaving: round % 2 == 0 ? null : Disturbance.Of(seed));
            var parallel = new ParallelTransactionRunner(() => new EvmEngine(), options);
            Assert.Equal(Describe(world, transactions, serial, false), Describe(world, transactions, parallel, false));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Keys_that_are_not_loaded_are_fetched_in_bulk_and_change_nothing(int workers)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var world = new ConflictWorld(Fork.Osaka);
            var transactions = world.RandomBlock(new Random(seed), 100);
            var serial = new SerialTransactionRunner(new EvmEngine());
            var parallel = new ParallelTransactionRunner(
                () => new EvmEngine(), new ParallelRunnerOptions(workers, SerialBelow: 0));
            Assert.Equal(Describe(world, transactions, serial, false), Describe(world, transactions, parallel, true));
            Assert.Equal(Describe(world, transactions, serial, true), Describe(world, transactions, parallel, false));
        }
    }

    [Fact]
    public void An_import_stops_at_the_transaction_at_which_the_serial_runner_stops()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var world = new ConflictWorld(Fork.Osaka);
            var transactions = world.RandomBlock(new Random(seed), 60);
            var serial = Run(world, transactions, new SerialTransactionRunner(new EvmEngine()), false, strict: true);
            var parallel = Run(world, transactions, new ParallelTransactionRunner(
                () => new EvmEngine(), new ParallelRunnerOptions(2, SerialBelow: 0)), false, strict: true);
            Assert.Equal(serial.Error, parallel.Error);
            Assert.Equal(serial.LeftOut, parallel.LeftOut);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Runs_of_transfers_equal_the_serial_block(int workers)
    {
        for (var seed = 0; seed < 30; seed++)
        {
            var world = new ConflictWorld(seed % 3 == 0 ? Fork.Byzantium : Fork.Osaka, hasCoinbase: seed % 4 != 0,
                gasLimit: seed % 6 == 5 ? 80_000_000UL : 12_000_000UL);
            var transactions = ConflictWorld.TransferBlock(
                new Random(seed), seed % 6 == 5 ? 2_600 : 700, ((int[])[20, 300, 10_000])[seed % 3],
                ofRecipient: seed % 12 != 5);
            var serial = new SerialTransactionRunner(new EvmEngine());
            var parallel = new ParallelTransactionRunner(
                () => new EvmEngine(), new ParallelRunnerOptions(workers, SerialBelow: seed % 2 == 0 ? 0 : 8));
            var lazily = seed % 5 == 0;
            Assert.Equal(Describe(world, transactions, serial, false), Describe(world, transactions, parallel, lazily));
            var strict = Run(world, transactions, serial, false, strict: true);
            var strictInParallel = Run(world, transactions, parallel, lazily, strict: true);
            Assert.Equal(strict.LeftOut, strictInParallel.LeftOut);
            Assert.Equal(strict.Error, strictInParallel.Error);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Long_runs_that_end_early_equal_the_serial_block(int workers)
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var world = new ConflictWorld(Fork.Osaka, hasCoinbase: seed % 4 != 0, gasLimit: 200_000_000);
            var transactions = ConflictWorld.TransferBlock(
                new Random(seed), 3_000, ((int[])[700, 1_500, 3_000])[seed % 3], ofRecipient: seed % 6 == 5);
            var parallel = new ParallelTransactionRunner(() => new EvmEngine(), new ParallelRunnerOptions(workers));
            var described = Describe(world, transactions, parallel, lazily: seed % 5 == 0);
            Assert.Equal(Describe(
                world, transactions, new SerialTransactionRunner(new EvmEngine()), lazily: false), described);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void A_chain_of_dependencies_ends_as_the_serial_block(int workers)
    {
        var world = new ConflictWorld(Fork.Osaka, hasCoinbase: true);
        var transactions = ConflictWorld.ChainBlock(400);
        var parallel = new ParallelTransactionRunner(
            () => new EvmEngine(), new ParallelRunnerOptions(workers, Batch: 1, Interleaving: Disturbance.Of(workers)));
        var described = Describe(world, transactions, parallel, false);
        Assert.Equal(Describe(world, transactions, new SerialTransactionRunner(new EvmEngine()), false), described);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void Any_graph_of_conflicts_gives_the_serial_block(int workers) => Prop.ForAll(
        ArbMap.Default.ArbFor<int[]>(), seeds =>
        {
            var world = new ConflictWorld(Fork.Osaka, hasCoinbase: seeds.Length % 2 == 0);
            var transactions = ConflictWorld.BlockOf(seeds);
            var serial = new SerialTransactionRunner(new EvmEngine());
            var parallel = new ParallelTransactionRunner(() => new EvmEngine(), new ParallelRunnerOptions(
                workers, ValidateAhead: workers > 2, SerialBelow: 0, Batch: 1 + (seeds.Length % 3),
                Interleaving: Disturbance.Of(seeds.Length)));
            Assert.Equal(Describe(world, transactions, serial, false), Describe(world, transactions, parallel, false));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(All ? 5_000 : 150).WithEndSize(120));
}
