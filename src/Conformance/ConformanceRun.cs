using System.Diagnostics;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Execution.Evm.Compilation;
using SuperVm.Core.Parallel;

namespace SuperVm.Conformance;

/// <summary>What a run takes: files or folders, and what of them.</summary>
public sealed record ConformanceOptions
{
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Files at a time; 0 for one a core.</summary>
    public int Workers { get; init; }

    /// <summary>
    /// Threads that execute the transactions of one block; above 1 they run optimistically in parallel.
    /// </summary>
    public int TransactionWorkers { get; init; } = 1;

    /// <summary>Called with the worker at every point where workers of one block can meet; for tests.</summary>
    public Action<int>? Interleaving { get; init; }

    /// <summary>How hot code is compiled; eagerly, all that is jumped in runs as machine code.</summary>
    public CompilationMode Compilation { get; init; } = CompilationMode.Background;

    /// <summary>Only tests of this fork (the fixture's own name, "Cancun"); null for all.</summary>
    public string? Fork { get; init; }

    /// <summary>Only tests whose name or file contains this; null for all.</summary>
    public string? Filter { get; init; }

    /// <summary>Whether transactions run one after another, without any of what parallel execution needs.</summary>
    internal bool IsSerial => TransactionWorkers <= 1 && Interleaving is null;

    /// <summary>The runner of a block's transactions that <see cref="TransactionWorkers"/> asks for.</summary>
    internal ITransactionRunner CreateRunner() => IsSerial
        ? new SerialTransactionRunner(CreateEngine())
        : new ParallelTransactionRunner(CreateEngine, new ParallelRunnerOptions(
            TransactionWorkers, ValidateAhead: TransactionWorkers > 2, SerialBelow: 0, Interleaving: Interleaving));

    internal EvmEngine CreateEngine() => new() { Compilation = Compilation };
}

/// <summary>The counts of a run; the last line that the verb writes.</summary>
public sealed record ConformanceSummary(
    string Kind, long Total, long Passed, long Failed, long Skipped, long ElapsedMs);

/// <summary>Runs all files of a kind, several at a time.</summary>
public static class ConformanceRun
{
    private const int MaximumWorkers = 256;

    /// <param name="kind">One of <see cref="ConformanceKinds.All"/>.</param>
    /// <param name="options">What to run.</param>
    /// <param name="failures">Takes one line a failure.</param>
    /// <param name="cancellation">Ends the run between two files.</param>
    /// <exception cref="FileNotFoundException">A path that does not exist, or holds no file of this kind.</exception>
    public static ConformanceSummary Run(
        ConformanceKind kind, ConformanceOptions options, TextWriter failures, CancellationToken cancellation)
    {
        var files = Discover(kind, options);
        var clock = Stopwatch.StartNew();
        var report = new ConformanceReport(failures);
        var next = -1;
        var count = kind.IsSerial ? 1 : options.Workers > 0 ? options.Workers : Environment.ProcessorCount;
        var threads = new Thread[Math.Clamp(count, 1, Math.Clamp(files.Count, 1, MaximumWorkers))];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work);
            threads[i].Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }

        cancellation.ThrowIfCancellationRequested();
        return new ConformanceSummary(
            kind.Name, report.Passed + report.Failed + report.Skipped, report.Passed, report.Failed, report.Skipped,
            clock.ElapsedMilliseconds);

        void Work()
        {
            var worker = kind.CreateWorker(options);
            using var ending = worker as IDisposable;
            int index;
            while (!cancellation.IsCancellationRequested && (index = Interlocked.Increment(ref next)) < files.Count)
            {
                RunFile(worker, files[index], options, report);
            }
        }
    }

    private static void RunFile(
        IConformanceWorker worker, string file, ConformanceOptions options, ConformanceReport report)
    {
        var cases = new CaseReport(report, file, options);
        try
        {
            worker.RunFile(file, cases);
        }
        catch (Exception problem)
        {
            // Whatever a file does to its runner is that file's failure and no other's.
            cases.Fail(string.Empty, $"the file cannot be used: {CaseReport.Describe(problem)}");
        }
    }

    private static List<string> Discover(ConformanceKind kind, ConformanceOptions options)
    {
        var files = new List<string>();
        foreach (var path in options.Paths)
        {
            if (File.Exists(path))
            {
                files.Add(path);
            }
            else if (Directory.Exists(path))
            {
                files.AddRange(Directory
                    .EnumerateFiles(path, "*", SearchOption.AllDirectories)
                    .Where(kind.Takes)
                    .Order(StringComparer.Ordinal));
            }
            else
            {
                throw new FileNotFoundException($"There is no file or folder {path}.");
            }
        }

        return files.Count > 0
            ? files
            : throw new FileNotFoundException($"No file for '{kind.Name}' under {string.Join(", ", options.Paths)}.");
    }
}
