using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.Cloud;
using SuperVm.Cli.Bench.EndToEnd;
using SuperVm.Cli.Cloud;
using SuperVm.Hosting.Proving;
using SuperVm.Local.Functions;

namespace SuperVm.Cli.Bench;

/// <summary>
/// Each app alone, from the start of its process to the answer of its first invocation, and its memory when it rests.
/// </summary>
/// <remarks>
/// The invocation is a real one: a transaction to order, a batch to execute, a proof job. A message
/// lies in its queue before the app starts, and the host takes it as soon as the handler answers. The chain has its
/// first block by then, as it is written once in a chain's life.
/// </remarks>
internal sealed class CloudStartBenchmark : IBenchmark
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly Option<int> Accounts = new("--accounts")
    {
        Description = "accounts with money and tokens in the genesis", DefaultValueFactory = _ => 1_000,
    };

    private static readonly Option<int> Rest = new("--rest")
    {
        Description = "seconds without a request before memory is looked at", DefaultValueFactory = _ => 8,
    };

    public string Name => "cloud-start";

    public string Description => "each function app alone: process start to first answer, and memory at rest";

    public IReadOnlyList<Option> Options => [Accounts, Rest];

    public async Task RunAsync(BenchContext context)
    {
        var accounts = new CloudAccounts(Math.Clamp(context.Options.GetValue(Accounts), 100, 1_000_000));
        var logs = Directory.CreateTempSubdirectory("supervm-bench-cloud-start-");
        var ended = new InvocationWatch();
        var options = new CloudOptions
        {
            Root = CloudStack.RepositoryRoot(), Logs = logs.FullName, Genesis = accounts.Genesis(), Apps = [],
            Observe = ended.Observe,
        };
        var samples = new BenchSamples();
        var rest = TimeSpan.FromSeconds(context.Options.GetValue(Rest));
        await using (var stack = await CloudStack.StartAsync(options, context.Cancellation))
        {
            var validator = stack.Validators[0];
            var began = Stopwatch.GetTimestamp();
            await validator.Roles().OpenChainAsync();
            samples.Add("first block written", "ms", Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            for (var run = 0; run < context.Runs; run++)
            {
                // In this order one app leaves in its queue what the next one finds there.
                foreach (var app in (string[])[
                    CloudValidator.Ingest, CloudValidator.Consensus, CloudValidator.Execute, CloudValidator.Prover])
                {
                    if (app == CloudValidator.Prover)
                    {
                        await SendJobAsync(validator, run);
                    }

                    var (ready, answered) = await StartAsync(validator, app, options, accounts, ended, context);
                    var name = app.ToLowerInvariant();
                    samples.Add($"{name} ready", "ms", ready.TotalMilliseconds);
                    samples.Add($"{name} first answer", "ms", answered.TotalMilliseconds);
                    samples.Add($"{name} started", "MiB", AppMemory.Of(validator, app));
                    await Task.Delay(rest, context.Cancellation);
                    samples.Add($"{name} at rest", "MiB", AppMemory.Of(validator, app));
                    await validator.StopAppAsync(app);
                }
            }
        }

        logs.Delete(recursive: true);
        samples.Report(context);
    }

    private static async Task<(TimeSpan Ready, TimeSpan Answered)> StartAsync(
        CloudValidator validator, string app, CloudOptions options, CloudAccounts accounts, InvocationWatch ended,
        BenchContext context)
    {
        var first = ended.Next();
        var began = Stopwatch.GetTimestamp();
        await validator.StartAppAsync(app, options, context.Cancellation);
        var ready = Stopwatch.GetElapsedTime(began);
        if (app == CloudValidator.Ingest)
        {
            using var socket = new RpcSocket(validator.Rpc);
            var request = accounts.Sign(CloudLoadKind.Transfers, 1, 1)[0];
            if (socket.Post(request.Body).IndexOf("\"result\":\"0x"u8) < 0)
            {
                throw new InvalidOperationException("The first transaction was refused.");
            }
        }

        var end = await first.WaitAsync(Patience, context.Cancellation);
        var answered = Stopwatch.GetElapsedTime(began);
        return end.Failure is null
            ? (ready, answered)
            : throw new InvalidOperationException($"{app}: {end.Failure}");
    }

    /// <summary>A job for a circuit that nobody deployed: it is answered with a record that says so.</summary>
    private static Task SendJobAsync(CloudValidator validator, int run) => validator.Bus.SendAsync(
        Azure.CloudNames.Queues.Proofs, new ProofJob($"start-{run}", "nobody", new byte[] { 1 }).Write());

    /// <summary>Waits for the next invocation that ends.</summary>
    private sealed class InvocationWatch
    {
        private TaskCompletionSource<InvocationEnd> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<InvocationEnd> Next()
        {
            _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _next.Task;
        }

        internal void Observe(InvocationEnd end) => _next.TrySetResult(end);
    }
}
