namespace SuperVm.Core.Storage;

/// <summary>Conveniences over the port that every adapter shares.</summary>
public static class KeyValueReaderExtensions
{
    /// <summary>
    /// The pairs that <see cref="IKeyValueReader.OpenCursor"/> walks over, as arrays of the caller's own. Where the
    /// loop is hot, walk over the cursor's spans instead.
    /// </summary>
    public static IEnumerable<KeyValuePair<byte[], byte[]>> Scan(
        this IKeyValueReader reader,
        Column column,
        ReadOnlyMemory<byte> prefix,
        ReadOnlyMemory<byte>? start = null,
        bool reverse = false)
    {
        using var cursor = reader.OpenCursor(column, prefix, start, reverse);
        while (cursor.MoveNext())
        {
            yield return new(cursor.Key.ToArray(), cursor.Value.ToArray());
        }
    }

    /// <summary>Whether the key is present.</summary>
    public static bool Contains(this IKeyValueReader reader, Column column, ReadOnlySpan<byte> key)
        => reader.Read(column, key, default) >= 0;

    /// <summary>Writes one pair: a batch of one.</summary>
    public static void Put(
        this IKeyValueStore store, Column column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool sync = false)
    {
        using var batch = store.CreateBatch();
        batch.Put(column, key, value);
        store.Write(batch, sync);
    }
}
