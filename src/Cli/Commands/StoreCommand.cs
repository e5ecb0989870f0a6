using System.CommandLine;
using System.Globalization;
using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm store …`: looks into a chain's directory, and puts a checkpoint in its place.</summary>
internal sealed class StoreCommand : ICommandModule
{
    private readonly Argument<string> _directory = new("directory") { Description = "As given to --data" };

    private readonly Option<ulong?> _block = new("--block")
    {
        Description = "The checkpoint's number, see `store checkpoints`; the newest where it is left out",
    };

    public Command Create()
    {
        var statistics = new Command("stat", "Sizes and compression of a store that is not in use") { _directory };
        statistics.SetAction(parsed => Guarded(() => ShowStatistics(parsed.GetRequiredValue(_directory))));
        var checkpoints = new Command("checkpoints", "The checkpoints of a store, the oldest first") { _directory };
        checkpoints.SetAction(parsed => Guarded(() => ShowCheckpoints(parsed.GetRequiredValue(_directory))));
        var restore = new Command("restore", "Replace a store's content by a checkpoint's") { _directory, _block };
        restore.SetAction(parsed => Guarded(
            () => Restore(parsed.GetRequiredValue(_directory), parsed.GetValue(_block))));
        return new Command("store", "Look into a chain's directory, list and restore checkpoints")
        {
            statistics, checkpoints, restore,
        };
    }

    private static int Guarded(Func<int> action)
    {
        try
        {
            return action();
        }
        catch (StoreException refusal)
        {
            Console.Error.WriteLine($"supervm store: {refusal.Message}");
            return 1;
        }
    }

    private static int ShowStatistics(string directory)
    {
        if (!StoreFactory.HoldsStore(directory))
        {
            throw new StoreException($"{directory} holds no store.");
        }

        using var store = StoreFactory.Open(directory);
        Console.Out.WriteLine($"{"kind",-24} {store.Kind}");
        foreach (var (name, value) in store.Statistics().Where(entry => !entry.Key.Contains("_p")))
        {
            Console.Out.WriteLine($"{name,-24} {value.ToString("0.###", CultureInfo.InvariantCulture)}");
        }

        return 0;
    }

    private static int ShowCheckpoints(string directory)
    {
        foreach (var checkpoint in CheckpointsOf(directory))
        {
            Console.Out.WriteLine($"{checkpoint.BlockNumber,12} {checkpoint.Directory}");
        }

        return 0;
    }

    private static int Restore(string directory, ulong? block)
    {
        var all = CheckpointsOf(directory);
        var chosen = block is null ? all.LastOrDefault() : all.FirstOrDefault(c => c.BlockNumber == block);
        if (chosen is null)
        {
            throw new StoreException(
                all.Count == 0 ? $"{directory} has no checkpoints." : $"{directory} has no checkpoint {block}.");
        }

        CheckpointManager.Restore(chosen.Directory, directory);
        Console.Out.WriteLine($"restored the checkpoint at block {chosen.BlockNumber}");
        return 0;
    }

    private static IReadOnlyList<Checkpoint> CheckpointsOf(string directory)
        => CheckpointManager.List(Path.Combine(directory, PeriodicCheckpoints.FolderName));
}
