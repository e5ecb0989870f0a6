using System.CommandLine;
using SuperVm.Cli.Bench;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm bench NAME`: measures, shows a table and ends with one line of JSON.</summary>
internal sealed class BenchCommand : ICommandModule
{
    private const int MaximumRuns = 1000;

    private readonly Option<bool> _json = new("--json")
    {
        Description = "Nothing but one line of JSON on standard output; progress goes to standard error",
        Recursive = true,
    };

    private readonly Option<int> _runs = new("--runs")
    {
        Description = "Measured runs of each figure, after a warm-up",
        DefaultValueFactory = _ => 5,
        Recursive = true,
    };

    private readonly Option<bool> _list = new("--list") { Description = "The benchmarks, one a line" };

    public Command Create()
    {
        _runs.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MaximumRuns)
            {
                result.AddError($"--runs takes 1 to {MaximumRuns}");
            }
        });
        var command = new Command("bench", "Measure a part of the system: bench NAME, bench --list")
        {
            _json, _runs, _list,
        };
        foreach (var benchmark in BenchmarkList.All)
        {
            var verb = new Command(benchmark.Name, benchmark.Description);
            foreach (var option in benchmark.Options)
            {
                verb.Options.Add(option);
            }

            verb.SetAction((parsed, cancellation) => RunAsync(benchmark, parsed, cancellation));
            command.Subcommands.Add(verb);
        }

        command.SetAction(ListOrRefuse);
        return command;
    }

    private int ListOrRefuse(ParseResult parsed)
    {
        var listed = parsed.GetValue(_list);
        var output = listed ? Console.Out : Console.Error;
        if (!listed)
        {
            output.WriteLine("bench needs the name of a benchmark:");
        }

        foreach (var benchmark in BenchmarkList.All)
        {
            output.WriteLine($"{benchmark.Name,-12} {benchmark.Description}");
        }

        return listed ? 0 : 2;
    }

    private async Task<int> RunAsync(IBenchmark benchmark, ParseResult parsed, CancellationToken cancellation)
    {
        var progress = parsed.GetValue(_json) ? Console.Error : Console.Out;
        var context = new BenchContext(parsed, parsed.GetValue(_runs), progress, cancellation);
        progress.WriteLine($"bench {benchmark.Name}: {benchmark.Description}");
        await benchmark.RunAsync(context);
        await progress.FlushAsync(cancellation);
        Console.Out.WriteLine(BenchReport.Of(benchmark.Name, context.Figures).ToJson());
        return 0;
    }
}
