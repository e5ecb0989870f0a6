using SuperVm.Cli.Bench.Blocks;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;

namespace SuperVm.Cli.Bench;

/// <summary>Swaps over two pairs of an exchange: in memory, and from a cold store at a distance.</summary>
internal sealed class UniswapBenchmark : IBenchmark
{
    private const int Swaps = 400;
    private const int Pairs = 100;
    private const int HotPairs = 3;

    public string Name => "uniswap";

    public string Description =>
        "swaps over two pairs: in memory, and from a cold store of 0.1 and 2 ms latency, bulk against one by one";

    public Task RunAsync(BenchContext context)
    {
        var world = new UniswapWorld(Pairs, Swaps);
        InMemory(context, "spread", world);
        InMemory(context, "hot", new UniswapWorld(HotPairs, Swaps));
        var input = world.Block(Swaps, 0);
        foreach (var (name, latency) in ((string, TimeSpan)[])[
            ("100us", TimeSpan.FromMicroseconds(100)), ("2ms", TimeSpan.FromMilliseconds(2))])
        {
            var serial = AtDistance(context, $"serial_{name}", world, input, latency, BlockRuns.Serial());
            var bulk = AtDistance(context, $"bulk_{name}", world, input, latency, BlockRuns.Workers(2));
            context.Report($"ratio_{name}", "x", bulk / serial);
        }

        return Task.CompletedTask;
    }

    private static void InMemory(BenchContext context, string name, UniswapWorld world)
    {
        var inputs = Enumerable.Range(0, 5).Select(seed => world.Block(Swaps, seed)).ToArray();
        BlockRuns.Measure(context, $"{name}_serial", inputs, world.State, BlockRuns.Serial());
        BlockRuns.Measure(context, $"{name}_workers_2", inputs, world.State, BlockRuns.Workers(2));
        BlockRuns.Measure(context, $"{name}_tuned", inputs, world.State, BlockRuns.Tuned());
    }

    private static double AtDistance(
        BenchContext context, string name, UniswapWorld world, BlockInput input, TimeSpan latency,
        ITransactionRunner runner)
    {
        var processor = new BlockProcessor(new EvmEngine(), runner);
        var before = context.Figures.Count;
        DistantState? distant = null;
        context.Measure(name, "tx/s", Swaps, () =>
        {
            distant = new DistantState(world.State, latency);
            BlockRuns.RunOne(processor, input, distant);
        });
        context.Report($"{name}_fetches", "1", distant!.Fetches);
        context.Report($"{name}_keys", "1", distant.Keys);
        return context.Figures[before].Median;
    }
}
