using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SuperVm.Cli.Bench.Cloud;
using SuperVm.Cli.Cloud;

namespace SuperVm.Cli.Bench;

/// <summary>
/// The emulated cloud under load, its four apps as processes: transactions a second, time to the receipt, and what a
/// transaction asks of queues, documents, tables and blobs.
/// </summary>
/// <remarks>
/// Accounts and tokens lie in the genesis. "Cold": the apps have just started, their caches are empty and none of their
/// code is compiled; "warm": a second load with other senders. Everything that is asked is counted, by apps and hosts,
/// from before the first submission until both queues are empty.
/// </remarks>
internal sealed class CloudBenchmark : IBenchmark
{
    private static readonly Option<int> Accounts = new("--accounts")
    {
        Description = "accounts with money and tokens", DefaultValueFactory = _ => 100_000,
    };

    private static readonly Option<int> Transactions = new("--transactions")
    {
        Description = "transactions of a load", DefaultValueFactory = _ => 10_000,
    };

    private static readonly Option<int> InRequest = new("--request")
    {
        Description = "transactions of a JSON-RPC request", DefaultValueFactory = _ => 200,
    };

    private static readonly Option<int> Window = new("--window")
    {
        Description = "transactions that may be on their way", DefaultValueFactory = _ => 4_000,
    };

    private static readonly Option<int> Validators = new("--validators")
    {
        Description = "validators, all on this machine; the load goes to all of them",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<int> Rest = new("--rest")
    {
        Description = "seconds without a request before memory is looked at", DefaultValueFactory = _ => 8,
    };

    private static readonly Option<int> Alone = new("--alone")
    {
        Description = "transactions sent one by one, seconds apart, after each load", DefaultValueFactory = _ => 0,
    };

    /// <summary>After that many seconds without a message a queue is looked at as rarely as it ever is.</summary>
    private static readonly TimeSpan BeforeOneAlone = TimeSpan.FromSeconds(3);

    public string Name => "cloud";

    public string Description => "the emulated cloud with many accounts: tx/s, time to receipt, requests, memory";

    public IReadOnlyList<Option> Options => [Accounts, Transactions, InRequest, Window, Validators, Rest, Alone];

    public async Task RunAsync(BenchContext context)
    {
        var accounts = new CloudAccounts(Math.Clamp(context.Options.GetValue(Accounts), 1_000, 1_000_000));
        var genesis = accounts.Genesis();
        context.Progress.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"    genesis of {genesis.Length >> 20} MiB"));
        var samples = new BenchSamples();
        for (var run = 0; run < context.Runs; run++)
        {
            accounts.Begin();
            var logs = Directory.CreateTempSubdirectory("supervm-bench-cloud-");
            var options = new CloudOptions
            {
                Root = CloudStack.RepositoryRoot(), Logs = logs.FullName, Genesis = genesis, Apps = [],
                Validators = Math.Clamp(context.Options.GetValue(Validators), 1, CloudStack.MostValidators),
            };
            var began = Stopwatch.GetTimestamp();
            await using (var stack = await CloudStack.StartAsync(options, context.Cancellation))
            {
                samples.Add("prepare", "s", Stopwatch.GetElapsedTime(began).TotalSeconds);
                foreach (var kind in Enum.GetValues<CloudLoadKind>())
                {
                    await LoadAsync(context, samples, stack, options, accounts, kind);
                }
            }

            logs.Delete(recursive: true);
        }

        samples.Report(context);
    }

    private static async Task LoadAsync(
        BenchContext context, BenchSamples samples, CloudStack stack, CloudOptions options,
        CloudAccounts accounts, CloudLoadKind kind)
    {
        var validator = stack.Validators[0];
        await Task.WhenAll(stack.Validators.SelectMany(one => CloudValidator.Apps.Select(app =>
            one.StartAppAsync(app, options, context.Cancellation))));
        var name = kind.ToString().ToLowerInvariant();
        foreach (var when in (string[])["cold", "warm"])
        {
            var inRequest = Math.Clamp(context.Options.GetValue(InRequest), 1, 1_000);
            var requests = accounts.Sign(kind, context.Options.GetValue(Transactions), inRequest);
            var before = await stack.CostsAsync(context.Cancellation);
            var time = AppTime.Of(stack);
            var window = Math.Max(context.Options.GetValue(Window), requests[0].Hashes.Count);
            var load = new CloudLoadRun([.. stack.Validators.Select(one => one.Rpc)], window)
                .Run(requests, context.Cancellation);
            foreach (var one in stack.Validators)
            {
                await DrainAsync(one, context.Cancellation);
            }

            var costs = await stack.CostsAsync(context.Cancellation) - before;
            var spent = AppTime.Describe(time, AppTime.Of(stack), requests.Sum(request => request.Hashes.Count));
            Take(samples, $"{name} {when}", load, costs, requests.Sum(request => request.Hashes.Count));
            context.Progress.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"    {name} {when}: {load.PerSecond:F0} tx/s in {load.Blocks} blocks, {load.Lost} lost; {costs}"));
            context.Progress.WriteLine($"      processor ms a transaction: {spent}");
        }

        await OneByOneAsync(context, samples, validator, accounts, kind);
        var busy = AppMemory.Of(validator);
        var rest = TimeSpan.FromSeconds(context.Options.GetValue(Rest));
        await Task.Delay(rest, context.Cancellation);
        foreach (var (app, idle) in AppMemory.Of(validator))
        {
            samples.Add($"{name} {app.ToLowerInvariant()} after load", "MiB", busy[app]);
            samples.Add($"{name} {app.ToLowerInvariant()} at rest", "MiB", idle);
            context.Progress.WriteLine($"    {await AppMemory.DescribeAsync(validator, app)}");
        }

        await Task.WhenAll(stack.Validators.SelectMany(one => CloudValidator.Apps.Select(one.StopAppAsync)));
    }

    /// <summary>What somebody waits who is alone: for the hosts' next looks at two queues, and for a block of
    /// one.</summary>
    private static async Task OneByOneAsync(
        BenchContext context, BenchSamples samples, CloudValidator validator, CloudAccounts accounts,
        CloudLoadKind kind)
    {
        for (var i = 0; i < context.Options.GetValue(Alone); i++)
        {
            await Task.Delay(BeforeOneAlone, context.Cancellation);
            var one = new CloudLoadRun([validator.Rpc], 1).Run(accounts.Sign(kind, 1, 1), context.Cancellation);
            samples.Add($"{kind.ToString().ToLowerInvariant()} alone", "ms", one.Median);
            await DrainAsync(validator, context.Cancellation);
        }
    }

    /// <summary>
    /// Until the queues are empty: completions are counted too. A replica's inbox holds its time-outs and never is.
    /// </summary>
    private static async Task DrainAsync(CloudValidator validator, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await validator.DepthsAsync(cancellation) is var depths
            && (depths.Batches > 0 || (depths.Inbox > 0 && validator.Seat.Validators is null)))
        {
            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    private static void Take(
        BenchSamples samples, string name, CloudLoadResult load, CloudCosts costs, double transactions)
    {
        samples.Add($"{name} rate", "tx/s", load.PerSecond);
        samples.Add($"{name} p50", "ms", load.Median);
        samples.Add($"{name} p99", "ms", load.High);
        samples.Add($"{name} lost", "1", load.Lost);
        samples.Add($"{name} a block", "tx", transactions / Math.Max(1, load.Blocks));
        samples.Add($"{name} queue", "1/tx", costs.Queue / transactions);
        samples.Add($"{name} documents", "1/tx", costs.Document / transactions);
        samples.Add($"{name} documents read", "KB/tx", costs.ReadBytes / 1_024 / transactions);
        samples.Add($"{name} documents written", "KB/tx", costs.WrittenBytes / 1_024 / transactions);
        samples.Add($"{name} units by size", "RU/tx", costs.EstimatedUnits / transactions);
        samples.Add($"{name} tables", "1/tx", costs.Table / transactions);
        samples.Add($"{name} blobs", "1/tx", costs.Blob / transactions);
    }
}
