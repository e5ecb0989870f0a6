using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using SuperVm.Conformance;
using SuperVm.Core.Execution.Evm.Compilation;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm conformance KIND PATH…`: runs public conformance data, names each failure, counts.</summary>
internal sealed partial class ConformanceCommand : ICommandModule
{
    private const int Failed = 1;
    private const int WrongUse = 2;

    private readonly Argument<string> _kind = new("KIND")
    {
        Description = "One of: " + string.Join(", ", ConformanceKinds.All.Select(kind => kind.Name)),
    };

    private readonly Argument<string[]> _paths = new("PATH")
    {
        Description = "Files, or folders that are searched for files of the kind",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "Nothing but the line of JSON on standard output",
    };

    private readonly Option<int> _workers = new("--workers") { Description = "Files at a time (default: one a core)" };

    private readonly Option<int> _transactionWorkers = new("--transaction-workers")
    {
        Description = "Threads that execute one block's transactions in parallel (default: 1, serially)",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<CompilationMode> _compilation = new("--compilation")
    {
        Description = "How hot contract code is compiled",
        DefaultValueFactory = _ => CompilationMode.Background,
    };

    private readonly Option<string?> _fork = new("--fork") { Description = "Only tests of this fork, as in Cancun" };

    private readonly Option<string?> _filter = new("--filter")
    {
        Description = "Only tests with this text in their name or file",
    };

    public Command Create()
    {
        var command = new Command("conformance", "Run public conformance data: conformance KIND PATH...")
        {
            _kind, _paths, _json, _workers, _transactionWorkers, _compilation, _fork, _filter,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var name = parsed.GetValue(_kind) ?? string.Empty;
        if (ConformanceKinds.Find(name) is not { } kind)
        {
            Console.Error.WriteLine($"conformance: '{name}' is no kind; {_kind.Description}");
            return WrongUse;
        }

        if (!kind.IsAvailable)
        {
            Console.Error.WriteLine($"conformance: '{kind.Name}' is not available yet.");
            return WrongUse;
        }

        var options = new ConformanceOptions
        {
            Paths = parsed.GetValue(_paths) ?? [],
            Workers = parsed.GetValue(_workers),
            TransactionWorkers = Math.Clamp(parsed.GetValue(_transactionWorkers), 1, 64),
            Compilation = parsed.GetValue(_compilation),
            Fork = parsed.GetValue(_fork),
            Filter = parsed.GetValue(_filter),
        };
        try
        {
            var summary = ConformanceRun.Run(kind, options, Console.Error, cancellation);
            if (!parsed.GetValue(_json))
            {
                Console.Out.WriteLine(
                    $"conformance {kind.Name}: {summary.Passed} of {summary.Total} passed, {summary.Failed} failed, "
                    + $"{summary.Skipped} skipped in {summary.ElapsedMs / 1000.0:0.0} s");
            }

            Console.Out.WriteLine(JsonSerializer.Serialize(summary, SummaryJson.Default.ConformanceSummary));
            return summary.Failed == 0 ? 0 : Failed;
        }
        catch (FileNotFoundException missing)
        {
            Console.Error.WriteLine($"conformance: {missing.Message}");
            return WrongUse;
        }
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(ConformanceSummary))]
    private sealed partial class SummaryJson : JsonSerializerContext;
}
