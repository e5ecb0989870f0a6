using SuperVm.Cli.Bench.Blocks;

namespace SuperVm.Cli.Bench;

/// <summary>Blocks of plain transfers executed in memory, without signatures, roots or a store.</summary>
internal sealed class TransferBenchmark : IBenchmark
{
    private const int TransfersPerBlock = 10_000;
    private const int BlocksPerRun = 10;
    private const int Accounts = 2_000;

    public string Name => "transfer";

    public string Description => "blocks of 10,000 plain transfers, one worker and more, in memory, no signatures";

    public Task RunAsync(BenchContext context)
    {
        var world = new TransferWorld(Accounts);
        var inputs = Enumerable.Range(0, BlocksPerRun).Select(i => world.Block(TransfersPerBlock, i)).ToArray();
        BlockRuns.Measure(context, "serial", inputs, world.State, BlockRuns.Serial());
        var figures = new Dictionary<int, double>();
        foreach (var workers in (int[])[1, 2, 4, 8])
        {
            figures[workers] = BlockRuns.Measure(
                context, $"workers_{workers}", inputs, world.State, BlockRuns.Workers(workers));
        }

        BlockRuns.Measure(context, "tuned", inputs, world.State, BlockRuns.Tuned());
        context.Report("two_workers_to_one", "x", figures[2] / figures[1]);
        return Task.CompletedTask;
    }
}
