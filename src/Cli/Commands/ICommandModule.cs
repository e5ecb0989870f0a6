using System.CommandLine;

namespace SuperVm.Cli.Commands;

/// <summary>One verb of the program: its name, arguments, options and action.</summary>
/// <remarks>
/// The action answers the exit status: 0 done, 1 failed, 2 wrong use. It writes results to standard output, progress
/// and complaints to standard error. <see cref="Create"/> runs at every start of the program, also for other verbs: it
/// only declares, and does no work.
/// </remarks>
internal interface ICommandModule
{
    Command Create();
}
