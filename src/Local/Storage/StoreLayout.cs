using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage;

/// <summary>What lies where in a store's directory, and the marker that says what it is.</summary>
/// <remarks>
/// <code>
///   DIR/STORE        marker: kind, schema version, state
///   DIR/LOCK         held (flock) by the process that has the store open; LOCK.owner names it
///   DIR/rocksdb/     data of a RocksDB store
///   DIR/sqlite/      data of an SQLite store
/// </code>
/// A checkpoint has the same marker and data, so it can be opened as a store.
/// </remarks>
internal static class StoreLayout
{
    /// <summary>Version of the keys and values in the columns; a program refuses every other.</summary>
    internal const int SchemaVersion = 1;

    internal const string MarkerName = "STORE";

    internal const string LockName = "LOCK";

    internal const string OwnerName = "LOCK.owner";

    private const string Headline = "supervm store";

    private const string PartialSuffix = ".partial";

    internal static string NameOf(StoreKind kind) => kind == StoreKind.RocksDb ? "rocksdb" : "sqlite";

    internal static string DataPath(string root, StoreKind kind) => Path.Combine(root, NameOf(kind));

    /// <summary>The marker, or null where the directory has none.</summary>
    /// <exception cref="StoreException">The marker is not one of this program, or of another schema.</exception>
    internal static StoreMarker? ReadMarker(string root)
    {
        var path = Path.Combine(root, MarkerName);
        if (!File.Exists(path))
        {
            return null;
        }

        var lines = Guard(root, () => File.ReadAllLines(path));
        if (lines is not [Headline, var schemaLine, var kindLine, var stateLine]
            || !TryValue(schemaLine, "schema ", out var schemaText)
            || !int.TryParse(schemaText, out var schema)
            || !TryValue(kindLine, "kind ", out var kindText)
            || !TryValue(stateLine, "state ", out var stateText)
            || !Enum.TryParse<StoreState>(stateText, ignoreCase: true, out var state))
        {
            throw new StoreException(
                $"{path} is damaged or not a store's marker; restore the store from a checkpoint.");
        }

        if (schema != SchemaVersion)
        {
            throw new StoreException(
                $"The store in {root} has schema {schema}; this program knows schema {SchemaVersion} only. "
                + (schema > SchemaVersion ? "Use the newer program that wrote it." : "Import the chain again."));
        }

        foreach (var kind in Enum.GetValues<StoreKind>())
        {
            if (kindText == NameOf(kind))
            {
                return new(kind, state);
            }
        }

        throw new StoreException($"The store in {root} is of the unknown kind '{kindText}'.");
    }

    /// <summary>Writes the marker as a whole or not at all.</summary>
    internal static void WriteMarker(string root, StoreMarker marker) => Guard(root, () =>
    {
        var path = Path.Combine(root, MarkerName);
        var state = marker.State.ToString().ToLowerInvariant();
        using (var file = new FileStream(path + PartialSuffix, FileMode.Create, FileAccess.Write))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(
                $"{Headline}\nschema {SchemaVersion}\nkind {NameOf(marker.Kind)}\nstate {state}\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(path + PartialSuffix, path, overwrite: true);
        return true;
    });

    /// <summary>Whether the directory holds nothing, or nothing but what an interrupted first opening leaves.</summary>
    internal static bool IsVacant(string root) => Directory.EnumerateFileSystemEntries(root)
        .Select(Path.GetFileName)
        .All(name => name is LockName or OwnerName or MarkerName + PartialSuffix);

    /// <summary>Builds a checkpoint beside its place and moves it there when it is whole.</summary>
    /// <param name="copyData">Fills the data directory, which does not exist yet, but whose parent does.</param>
    internal static void BuildCheckpoint(string directory, StoreKind kind, Action<string> copyData)
    {
        var place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        var partial = place + PartialSuffix;
        if (File.Exists(place) || (Directory.Exists(place) && Directory.EnumerateFileSystemEntries(place).Any()))
        {
            throw new StoreException($"A checkpoint needs a new directory; {place} exists.");
        }

        Guard(place, () =>
        {
            DeleteFolder(partial);
            Directory.CreateDirectory(partial);
            copyData(DataPath(partial, kind));
            WriteMarker(partial, new(kind, StoreState.Ready));
            DeleteFolder(place);
            Directory.Move(partial, place);
            return true;
        });
    }

    internal static bool IsPartial(string path) => path.EndsWith(PartialSuffix, StringComparison.Ordinal);

    internal static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>Gives the disk's refusals (permissions, space, paths) as <see cref="StoreException"/>.</summary>
    internal static T Guard<T>(string root, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StoreException($"The store in {root}: {e.Message}", e);
        }
    }

    private static bool TryValue(string line, string label, out string value)
    {
        var found = line.StartsWith(label, StringComparison.Ordinal);
        value = found ? line[label.Length..] : "";
        return found;
    }
}

/// <summary>How far a store's directory has come.</summary>
internal enum StoreState
{
    /// <summary>The first opening has begun: there may be data, or none.</summary>
    New,

    /// <summary>There is data.</summary>
    Ready,

    /// <summary>
    /// A checkpoint is taking the data's place: there may be data, or none, and it is not to be used.
    /// </summary>
    Restoring,
}

internal sealed record StoreMarker(StoreKind Kind, StoreState State);
