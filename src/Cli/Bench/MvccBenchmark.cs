using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.Blocks;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench;

/// <summary>
/// The MVCC engine alone: transfers between accounts as plain closures, without signatures and without a VM.
/// </summary>
internal sealed class MvccBenchmark : IBenchmark
{
    private const int Transfers = 10_000;
    private const int BatchesPerRun = 20;
    private const long InitialBalance = 1_000_000_000;
    private const int ZipfAccounts = 1_000;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    /// <summary>How long blocks run before the tuner explains itself.</summary>
    private static readonly TimeSpan BlocksToExplain = TimeSpan.FromSeconds(4);

    private static readonly MvccOptions[] Choices =
        [new(1), new(2), new(2, BloomFilter: true), new(2, Batch: 8), new(2, ValidateAhead: true)];

    private readonly Option<bool> _explain = new("--explain")
    {
        Description = "bench mvcc: what the tuner chose for each load and for blocks, and why",
    };

    public string Name => "mvcc";

    public string Description => "10,000 transfers over 50 (low) and 5 (high) accounts, plain closures, transactions/s";

    public IReadOnlyList<Option> Options => [_explain];

    public Task RunAsync(BenchContext context)
    {
        foreach (var (load, accounts) in ((string, int)[])[("low", 50), ("high", 5)])
        {
            var batches = Enumerable.Range(0, BatchesPerRun).Select(i => Batch(accounts, i, lazy: false)).ToArray();
            var lazyBatches = Enumerable.Range(0, BatchesPerRun).Select(i => Batch(accounts, i, lazy: true)).ToArray();
            Measure(context, $"{load}_serial", accounts, batches, new MvccOptions(1));
            Measure(context, $"{load}_stm_2", accounts, batches, new MvccOptions(2, LazyAdditions: false));
            Measure(context, $"{load}_stm_2_batch_8", accounts, batches,
                new MvccOptions(2, LazyAdditions: false, Batch: 8));
            Measure(context, $"{load}_stm_2_bloom", accounts, batches,
                new MvccOptions(2, LazyAdditions: false, BloomFilter: true));
            Measure(context, $"{load}_stm_2_lazy", accounts, lazyBatches, new MvccOptions(2));
            MeasureTuned(context, $"{load}_tuned", accounts, lazyBatches);
        }

        foreach (var skew in (double[])[0, 0.3, 0.6, 0.9, 1.2])
        {
            var batches = Enumerable.Range(0, BatchesPerRun)
                .Select(i => Batch(ZipfAccounts, i, lazy: false, skew)).ToArray();
            var name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"zipf_{skew}");
            Measure(context, $"{name}_serial", ZipfAccounts, batches, new MvccOptions(1));
            Measure(context, $"{name}_stm_2", ZipfAccounts, batches, new MvccOptions(2, LazyAdditions: false));
        }

        if (context.Options.GetValue(_explain))
        {
            ExplainBlocks(context);
        }

        return Task.CompletedTask;
    }

    /// <summary>What the tuner of blocks chooses for transfers, and for tokens with some hot accounts.</summary>
    private static void ExplainBlocks(BenchContext context)
    {
        var runner = new TunedTransactionRunner(
            static () => new EvmEngine(), Environment.ProcessorCount, TimeProvider.System);
        var processor = new BlockProcessor(new EvmEngine(), runner);
        var (transfers, tokens) = (new TransferWorld(2_000), new Erc20World(2_000));
        var (plain, calls) = (transfers.Block(5_000, 1), tokens.Block(1_000, 30, 2));
        context.WarmUp(BlocksToExplain, () =>
        {
            BlockRuns.RunOne(processor, plain, transfers.State);
            BlockRuns.RunOne(processor, calls, tokens.State);
        });
        context.Progress.WriteLine(runner.Explain());
    }

    /// <summary>Everything on: the tuner takes serial execution or workers, with or without the Bloom filter.</summary>
    private void MeasureTuned(
        BenchContext context, string name, int accounts, MvccTransaction<int, Amount>[][] batches)
    {
        var engine = new MvccEngine<int, Amount>(Seeded(accounts));
        var tuner = new AutoTuner(
        [
            "serial", "2 workers", "2 workers, Bloom filter", "2 workers, 8 at a time", "2 workers, validating ahead",
        ]);
        context.WarmUp(WarmUp, Run);
        context.Measure(name, "tx/s", (double)Transfers * BatchesPerRun, Run);
        if (context.Options.GetValue(_explain))
        {
            context.Progress.WriteLine(tuner.Explain("µs/transfer"));
        }

        void Run()
        {
            foreach (var batch in batches)
            {
                var choice = tuner.Choose();
                var started = Stopwatch.GetTimestamp();
                engine.Execute(batch, Choices[choice]);
                tuner.Observe(choice, batch.Length, Stopwatch.GetElapsedTime(started).TotalMicroseconds);
            }
        }
    }

    private static MvccStore<int, Amount> Seeded(int accounts)
    {
        var store = new MvccStore<int, Amount>(clock: TimeProvider.System);
        for (var i = 0; i < accounts; i++)
        {
            store.Seed(i, new Amount(InitialBalance));
        }

        return store;
    }

    private static void Measure(
        BenchContext context, string name, int accounts, MvccTransaction<int, Amount>[][] batches, MvccOptions options)
    {
        var store = Seeded(accounts);
        var engine = new MvccEngine<int, Amount>(store);
        context.WarmUp(WarmUp, Run);
        context.Measure(name, "tx/s", (double)Transfers * BatchesPerRun, Run);
        ReportWaiting(context, name, engine, batches, options);
        ReportCollection(context, name, store, Run);

        var total = Enumerable.Range(0, accounts).Sum(i => store.Read(i).Value);
        if (total != InitialBalance * accounts)
        {
            throw new InvalidOperationException("The transfers made or lost money.");
        }

        void Run()
        {
            foreach (var batch in batches)
            {
                engine.Execute(batch, options);
            }
        }
    }

    /// <summary>What a run beside the measured ones counts, with the clock on.</summary>
    private static void ReportWaiting(
        BenchContext context, string name, MvccEngine<int, Amount> engine, MvccTransaction<int, Amount>[][] batches,
        MvccOptions options)
    {
        if (options.Workers == 1)
        {
            return;
        }

        var (aborts, falseConflicts, waited) = (0L, 0L, TimeSpan.Zero);
        var started = Stopwatch.GetTimestamp();
        foreach (var batch in batches)
        {
            engine.Execute(batch, options with { Clock = TimeProvider.System });
            aborts += engine.Statistics.Aborts;
            falseConflicts += engine.Statistics.FalseConflicts;
            waited += engine.Statistics.Waited;
        }

        var transactions = (double)Transfers * batches.Length;
        context.Report($"{name}_aborts", "%", 100 * aborts / transactions);
        context.Report($"{name}_false_conflicts", "%", 100 * falseConflicts / transactions);
        context.Report($"{name}_waiting", "%",
            100 * waited.TotalSeconds / (Stopwatch.GetElapsedTime(started).TotalSeconds * options.Workers));
    }

    private static void ReportCollection(
        BenchContext context, string name, MvccStore<int, Amount> store, Action run)
    {
        var before = store.CollectionTime;
        var started = Stopwatch.GetTimestamp();
        run();
        context.Report($"{name}_collection", "%",
            100 * (store.CollectionTime - before).TotalSeconds / Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>The account of a number in [0, 1) where the k-th account is chosen with weight 1 / k^skew.</summary>
    private static int[] Sample(int accounts, double skew, Random random)
    {
        var sums = new double[accounts];
        var sum = 0.0;
        for (var i = 0; i < accounts; i++)
        {
            sums[i] = sum += 1 / Math.Pow(i + 1, skew);
        }

        var chosen = new int[Transfers];
        for (var i = 0; i < Transfers; i++)
        {
            var place = Array.BinarySearch(sums, random.NextDouble() * sum);
            chosen[i] = Math.Min(place < 0 ? ~place : place, accounts - 1);
        }

        return chosen;
    }

    private static MvccTransaction<int, Amount>[] Batch(int accounts, int seed, bool lazy, double skew = 0)
    {
        var random = new Random(seed);
        var senders = Sample(accounts, skew, random);
        var batch = new MvccTransaction<int, Amount>[Transfers];
        for (var i = 0; i < Transfers; i++)
        {
            var from = senders[i];
            var to = (from + 1 + random.Next(accounts - 1)) % accounts;
            batch[i] = lazy ? view => LazyTransfer(view, from, to) : view => Transfer(view, from, to);
        }

        return batch;
    }

    private static void Transfer(MvccView<int, Amount> view, int from, int to)
    {
        var balance = view.Read(from);
        var other = view.Read(to);
        if (balance.Value >= 1)
        {
            view.Write(from, new Amount(balance.Value - 1));
            view.Write(to, new Amount(other.Value + 1));
        }
    }

    private static void LazyTransfer(MvccView<int, Amount> view, int from, int to)
    {
        var balance = view.Read(from);
        if (balance.Value >= 1)
        {
            view.Write(from, new Amount(balance.Value - 1));
            view.Add(to, new Amount(1));
        }
    }

    private readonly record struct Amount(long Value) : IAddable<Amount>
    {
        public static Amount Add(in Amount left, in Amount right) => new(left.Value + right.Value);
    }
}
