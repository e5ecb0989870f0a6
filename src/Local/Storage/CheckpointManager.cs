using System.Globalization;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage;

/// <summary>A store as it was after a block, in a directory of its own.</summary>
public sealed record Checkpoint(ulong BlockNumber, string Directory);

/// <summary>Keeps the newest checkpoints of a store; who commits blocks decides when to make one.</summary>
/// <remarks>
/// Checkpoints of a RocksDB store are hard links to its immutable files, so they cost what has changed since; keep them
/// on the same file system as the store. Not thread-safe: one caller at a time.
/// </remarks>
public sealed class CheckpointManager
{
    /// <summary>A checkpoint every so many blocks is what a node makes by default.</summary>
    public const ulong DefaultInterval = 1000;

    /// <summary>How many checkpoints a node keeps by default.</summary>
    public const int DefaultKept = 3;

    private const string Prefix = "block-";

    private readonly IKeyValueStore _store;
    private readonly string _directory;
    private readonly int _kept;

    /// <param name="directory">Of the checkpoints; made where it is missing. What was left half-made is
    /// removed.</param>
    /// <param name="kept">At least 1.</param>
    /// <exception cref="StoreException">The directory cannot be used.</exception>
    public CheckpointManager(IKeyValueStore store, string directory, int kept = DefaultKept)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(kept, 1);
        (_store, _directory, _kept) = (store, Path.GetFullPath(directory), kept);
        StoreLayout.Guard(_directory, () =>
        {
            Directory.CreateDirectory(_directory);
            foreach (var partial in Directory.GetDirectories(_directory, Prefix + "*").Where(StoreLayout.IsPartial))
            {
                StoreLayout.DeleteFolder(partial);
            }

            return true;
        });
    }

    /// <summary>
    /// Makes the checkpoint of a block, in the place of an older one of that number (a chain may have been restored and
    /// have grown otherwise), and removes the oldest above the kept number.
    /// </summary>
    /// <exception cref="StoreException">The disk refuses; checkpoints of other numbers stay.</exception>
    /// <exception cref="NotSupportedException">The store is in memory.</exception>
    public Checkpoint Create(ulong blockNumber)
    {
        var name = Prefix + blockNumber.ToString("D12", CultureInfo.InvariantCulture);
        var checkpoint = new Checkpoint(blockNumber, Path.Combine(_directory, name));
        Remove(checkpoint.Directory);
        _store.CreateCheckpoint(checkpoint.Directory);
        Prune();
        return checkpoint;
    }

    /// <summary>What there is, the oldest first.</summary>
    public IReadOnlyList<Checkpoint> List() => List(_directory);

    /// <summary>The checkpoints in a directory, the oldest first; none where there is no such directory.</summary>
    public static IReadOnlyList<Checkpoint> List(string directory) => StoreLayout.Guard(directory, () =>
    {
        var found = new List<Checkpoint>();
        if (Directory.Exists(directory))
        {
            foreach (var path in Directory.GetDirectories(Path.GetFullPath(directory), Prefix + "*"))
            {
                var number = Path.GetFileName(path.AsSpan())[Prefix.Length..];
                if (ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var block))
                {
                    found.Add(new(block, path));
                }
            }
        }

        found.Sort((a, b) => a.BlockNumber.CompareTo(b.BlockNumber));
        return found;
    });

    /// <summary>
    /// Puts a checkpoint's content in the place of a store's, which nobody may have open. The checkpoint stays as it
    /// is.
    /// </summary>
    /// <remarks>
    /// The new content is built whole beside the old; an interruption in the short exchange of the two leaves a store
    /// that is refused when it is opened, until the restoring is done again.
    /// </remarks>
    /// <exception cref="StoreException">
    /// The checkpoint is none, the store is open, the directory is another program's, or the disk refuses.
    /// </exception>
    public static void Restore(string checkpoint, string storeDirectory)
    {
        var (source, root) = (Path.GetFullPath(checkpoint), Path.GetFullPath(storeDirectory));
        var marker = StoreLayout.ReadMarker(source);
        if (marker is not { State: StoreState.Ready } || !Directory.Exists(StoreLayout.DataPath(source, marker.Kind)))
        {
            throw new StoreException($"{source} is not a checkpoint.");
        }

        StoreLayout.Guard(root, () =>
        {
            Directory.CreateDirectory(root);
            if (!File.Exists(Path.Combine(root, StoreLayout.MarkerName)) && !StoreLayout.IsVacant(root))
            {
                throw new StoreException($"{root} is not empty and holds no store of this program.");
            }

            using var held = StoreLock.Take(root);
            Exchange(source, root, marker.Kind);
            return true;
        });
    }

    private static void Exchange(string source, string root, StoreKind kind)
    {
        var fresh = Path.Combine(root, "restoring");
        if (!File.Exists(Path.Combine(root, StoreLayout.MarkerName)))
        {
            StoreLayout.WriteMarker(root, new(kind, StoreState.Restoring));
        }

        StoreLayout.DeleteFolder(fresh);
        CopyFolder(StoreLayout.DataPath(source, kind), fresh);
        StoreLayout.WriteMarker(root, new(kind, StoreState.Restoring));
        foreach (var old in Enum.GetValues<StoreKind>())
        {
            StoreLayout.DeleteFolder(StoreLayout.DataPath(root, old));
        }

        Directory.Move(fresh, StoreLayout.DataPath(root, kind));
        StoreLayout.WriteMarker(root, new(kind, StoreState.Ready));
    }

    private static void CopyFolder(string source, string destination)
    {
        Directory.CreateDirectory(destination);
        foreach (var path in Directory.GetFiles(source))
        {
            File.Copy(path, Path.Combine(destination, Path.GetFileName(path)));
        }
    }

    private static void Remove(string checkpoint) => StoreLayout.Guard(checkpoint, () =>
    {
        StoreLayout.DeleteFolder(checkpoint);
        return true;
    });

    private void Prune()
    {
        var all = List();
        foreach (var old in all.Take(Math.Max(0, all.Count - _kept)))
        {
            Remove(old.Directory);
        }
    }
}
