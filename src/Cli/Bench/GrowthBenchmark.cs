using SuperVm.Cli.Bench.Blocks;

namespace SuperVm.Cli.Bench;

/// <summary>How the cost of a transaction grows with accounts, with the size of a block and with workers.</summary>
internal sealed class GrowthBenchmark : IBenchmark
{
    private const int Transactions = 40_000;

    public string Name => "growth";

    public string Description =>
        "transfers and ERC-20 with 10 times the accounts, 10 times the transactions a block, 1 to 8 workers";

    public Task RunAsync(BenchContext context)
    {
        foreach (var accounts in (int[])[2_000, 20_000, 200_000])
        {
            Measure(context, $"accounts_{accounts}", accounts, 10_000, [0, 2]);
        }

        foreach (var size in (int[])[1_000, 10_000])
        {
            Measure(context, $"block_{size}", 20_000, size, [0, 2]);
        }

        Measure(context, "workers", 20_000, 4_000, [1, 2, 4, 8]);
        return Task.CompletedTask;
    }

    /// <param name="context">Where the figures go.</param>
    /// <param name="name">What grows.</param>
    /// <param name="accounts">Accounts, and holders.</param>
    /// <param name="size">Transactions a block.</param>
    /// <param name="workers">How many; 0 the serial runner.</param>
    private static void Measure(BenchContext context, string name, int accounts, int size, int[] workers)
    {
        var transfers = new TransferWorld(accounts);
        var tokens = new Erc20World(accounts);
        var blocks = Transactions / size;
        var plain = Enumerable.Range(0, blocks).Select(i => transfers.Block(size, i)).ToArray();
        var calls = Enumerable.Range(0, Math.Max(blocks / 4, 1)).Select(i => tokens.Block(size, 30, i)).ToArray();
        foreach (var count in workers)
        {
            var runner = count == 0 ? "serial" : $"workers_{count}";
            BlockRuns.Measure(context, $"transfer_{name}_{runner}", plain, transfers.State, RunnerOf(count));
            BlockRuns.Measure(context, $"erc20_{name}_{runner}", calls, tokens.State, RunnerOf(count));
        }
    }

    private static Core.Execution.ITransactionRunner RunnerOf(int workers) =>
        workers == 0 ? BlockRuns.Serial() : BlockRuns.Workers(workers);
}
