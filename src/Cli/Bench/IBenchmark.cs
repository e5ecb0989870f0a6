using System.CommandLine;

namespace SuperVm.Cli.Bench;

/// <summary>One entry of `supervm bench`: a class in one file, registered in <see cref="BenchmarkList"/>.</summary>
internal interface IBenchmark
{
    /// <summary>The word after `bench`, in lower case.</summary>
    string Name { get; }

    /// <summary>One line for `bench --list` and for the help.</summary>
    string Description { get; }

    /// <summary>Options of this benchmark alone; most have none.</summary>
    IReadOnlyList<Option> Options => [];

    /// <summary>Measures and hands every figure to <see cref="BenchContext.Report"/>.</summary>
    Task RunAsync(BenchContext context);
}
