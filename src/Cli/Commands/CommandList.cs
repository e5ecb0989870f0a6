namespace SuperVm.Cli.Commands;

/// <summary>The verbs, in the order in which the help shows them.</summary>
internal static class CommandList
{
    internal static IReadOnlyList<ICommandModule> All { get; } =
    [
        new DevCommand(),
        new ValidatorCommand(),
        new TestnetCommand(),
        new VerifyBlockCommand(),
        new CloudCommand(),
        new PoisonCommand(),
        new ImportCommand(),
        new StoreCommand(),
        new BenchCommand(),
        new ConformanceCommand(),
        new SimCommand(),
        new ProveCommand(),
        new VerifyCommand(),
        new ZkeyCommand(),
        new ExportSolidityCommand(),
    ];
}
