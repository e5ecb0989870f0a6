using SuperVm.Core.Storage;
using SuperVm.Local.Storage.Rocks;
using SuperVm.Local.Storage.Sqlite;

namespace SuperVm.Local.Storage;

/// <summary>Opens a store's directory, or refuses it with the reason.</summary>
public static class StoreFactory
{
    /// <summary>
    /// Opens the store in <paramref name="directory"/>, or makes a new one where that is empty or absent: RocksDB where
    /// its library is installed, else SQLite.
    /// </summary>
    /// <param name="kind">The kind to use; null = what the directory holds, or the best that the machine has.</param>
    /// <param name="log">Takes one line where the fallback stands in.</param>
    /// <exception cref="StoreException">
    /// The directory is another program's, in use by another process, of another schema or kind, or damaged; or its
    /// library is missing.
    /// </exception>
    public static IKeyValueStore Open(string directory, StoreKind? kind = null, Action<string>? log = null)
    {
        var root = Path.GetFullPath(directory);
        Prepare(root);
        var held = StoreLock.Take(root);
        try
        {
            var marker = StoreLayout.ReadMarker(root);
            var chosen = Choose(root, marker, kind, log);
            return OpenLocked(root, marker, chosen, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether the directory is there and marked as a store's; it may still be refused when it is opened.
    /// </summary>
    public static bool HoldsStore(string directory) => File.Exists(Path.Combine(directory, StoreLayout.MarkerName));

    /// <summary>Makes the directory where it is missing, and refuses one that something else lives in.</summary>
    private static void Prepare(string root) => StoreLayout.Guard(root, () =>
    {
        if (File.Exists(root))
        {
            throw new StoreException($"{root} is a file; a store needs a directory.");
        }

        Directory.CreateDirectory(root);
        if (StoreLayout.ReadMarker(root) is null && !StoreLayout.IsVacant(root))
        {
            throw new StoreException(
                $"{root} is not empty and holds no store of this program; choose another directory.");
        }

        return true;
    });

    private static StoreKind Choose(string root, StoreMarker? marker, StoreKind? wanted, Action<string>? log)
    {
        if (marker is not null && wanted is { } other && other != marker.Kind)
        {
            throw new StoreException(
                $"The store in {root} is of kind {StoreLayout.NameOf(marker.Kind)}, not {StoreLayout.NameOf(other)}.");
        }

        var kind = marker?.Kind ?? wanted;
        if (kind == StoreKind.RocksDb && !RocksNative.IsAvailable)
        {
            throw new StoreException(
                $"The store in {root} needs the library librocksdb: {RocksNative.InstallAdvice}.");
        }

        if (kind is null && !RocksNative.IsAvailable)
        {
            log?.Invoke($"librocksdb is not installed, SQLite stands in for it: {RocksNative.InstallAdvice}.");
        }

        return kind ?? (RocksNative.IsAvailable ? StoreKind.RocksDb : StoreKind.Sqlite);
    }

    private static IKeyValueStore OpenLocked(string root, StoreMarker? marker, StoreKind kind, StoreLock held)
    {
        var isNew = marker is null or { State: StoreState.New };
        if (marker is { State: StoreState.Restoring })
        {
            throw new StoreException($"The restoring of the store in {root} was interrupted; restore it again.");
        }

        if (!isNew && !Directory.Exists(StoreLayout.DataPath(root, kind)))
        {
            throw new StoreException($"The data of the store in {root} is gone; restore it from a checkpoint.");
        }

        if (isNew)
        {
            StoreLayout.WriteMarker(root, new(kind, StoreState.New));
        }

        IKeyValueStore store = kind == StoreKind.RocksDb
            ? RocksKeyValueStore.Open(root, isNew, held.Dispose)
            : SqliteKeyValueStore.Open(root, isNew, held.Dispose);
        if (isNew)
        {
            MarkReady(root, kind, store);
        }

        return store;
    }

    private static void MarkReady(string root, StoreKind kind, IKeyValueStore store)
    {
        try
        {
            StoreLayout.WriteMarker(root, new(kind, StoreState.Ready));
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }
}
