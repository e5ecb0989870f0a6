using System.CommandLine;
using SuperVm.Cli.Commands;

namespace SuperVm.Cli;

/// <summary>The `supervm` program: one verb a file under Commands, registered in <see cref="CommandList"/>.</summary>
internal static class Program
{
    private const int WrongUse = 2;

    private static async Task<int> Main(string[] args)
    {
        var root = new RootCommand("SuperVM: an Ethereum-compatible chain that runs as serverless functions.");
        foreach (var module in CommandList.All)
        {
            root.Subcommands.Add(module.Create());
        }

        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        var status = await parsed.InvokeAsync();
        return parsed.Errors.Count > 0 ? WrongUse : status;
    }
}
