namespace SuperVm.Azure.Tables;

/// <summary>One entity of a table.</summary>
/// <param name="Partition">The partition key.</param>
/// <param name="Row">The row key; rows of a partition are ordered by it.</param>
/// <param name="Values">Properties by name: string, long, bool or byte[] (64 KiB at most each).</param>
/// <param name="ETag">The version that was read; null in a row that is to be written.</param>
public sealed record TableRow(
    string Partition, string Row, IReadOnlyDictionary<string, object> Values, string? ETag = null)
{
    /// <summary>Characters of a key.</summary>
    public const int MostKeyCharacters = 255;

    /// <summary>Properties of a row.</summary>
    public const int MostValues = 252;

    /// <summary>Keys have 1 to 255 ASCII letters, digits, dashes, dots, colons and underscores.</summary>
    public static bool IsKey(string? key)
    {
        if (key is null || key.Length is 0 or > MostKeyCharacters)
        {
            return false;
        }

        foreach (var c in key)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or ':' or '_'))
            {
                return false;
            }
        }

        return true;
    }

    internal static void RequireKey(string key)
    {
        if (!IsKey(key))
        {
            throw new ArgumentException($"'{key}' is no key of a table.");
        }
    }
}

/// <summary>How a write to a table ended.</summary>
public enum TableStatus
{
    Done = 0,

    /// <summary>Insert: there is one already.</summary>
    Exists = 1,

    /// <summary>Replace, delete: there is none.</summary>
    Missing = 2,

    /// <summary>Replace, delete: somebody wrote since.</summary>
    Changed = 3,
}

/// <summary>The end of a write, with the new version's name where the service gives one.</summary>
public readonly record struct TableWrite(TableStatus Status, string? ETag = null);

/// <summary>The end of a batch: all of it is done, or nothing.</summary>
/// <param name="Status">Done, or why nothing was.</param>
/// <param name="FailedIndex">The operation that was refused; -1 where all are done.</param>
public readonly record struct TableBatchEnd(TableStatus Status, int FailedIndex = -1);

/// <summary>What an operation of a batch does.</summary>
public enum TableAction
{
    Insert = 0,

    /// <summary>Replaces the version that the row's ETag names.</summary>
    Replace = 1,

    /// <summary>Writes whatever is there.</summary>
    Upsert = 2,

    /// <summary>Deletes the version that the row's ETag names, or any where it is null.</summary>
    Delete = 3,
}

/// <summary>One operation of a batch.</summary>
public readonly record struct TableOperation(TableAction Action, TableRow Row);

/// <summary>A page of a query.</summary>
/// <param name="Rows">In the order of their row keys.</param>
/// <param name="Next">What the query goes on with; null at the end.</param>
public sealed record TablePage(IReadOnlyList<TableRow> Rows, TableContinuation? Next);

/// <summary>Where a query goes on; words of the service, not keys.</summary>
public sealed record TableContinuation(string Partition, string? Row);
