using SuperVm.Cli.Bench.Blocks;

namespace SuperVm.Cli.Bench;

/// <summary>Blocks of ERC-20 transfers, three in ten to one of four hot holders, executed in memory.</summary>
internal sealed class Erc20Benchmark : IBenchmark
{
    private const int TransfersPerBlock = 5_000;
    private const int BlocksPerRun = 5;
    private const int Holders = 2_000;
    private const int HotPercent = 30;

    public string Name => "erc20";

    public string Description => "blocks of 5,000 ERC-20 transfers with 30 % hot keys, one worker and more, in memory";

    public Task RunAsync(BenchContext context)
    {
        var world = new Erc20World(Holders);
        var inputs = Enumerable.Range(0, BlocksPerRun)
            .Select(i => world.Block(TransfersPerBlock, HotPercent, i)).ToArray();
        var serial = BlockRuns.Measure(context, "serial", inputs, world.State, BlockRuns.Serial());
        var two = BlockRuns.Measure(context, "workers_2", inputs, world.State, BlockRuns.Workers(2));
        BlockRuns.Measure(context, "workers_4", inputs, world.State, BlockRuns.Workers(4));
        BlockRuns.Measure(context, "tuned", inputs, world.State, BlockRuns.Tuned());
        context.Report("two_workers_to_serial", "x", two / serial);
        return Task.CompletedTask;
    }
}
