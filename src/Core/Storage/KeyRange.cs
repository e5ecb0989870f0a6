namespace SuperVm.Core.Storage;

/// <summary>The keys in [<paramref name="From"/>, <paramref name="To"/>); a null end means no end.</summary>
/// <remarks>
/// What a cursor's prefix, start and direction come down to, computed once for every adapter. A range whose end is not
/// above its beginning is empty.
/// </remarks>
public readonly record struct KeyRange(byte[] From, byte[]? To)
{
    /// <summary>Whether no key can be in the range.</summary>
    public bool IsEmpty => To is not null && From.AsSpan().SequenceCompareTo(To) >= 0;

    /// <summary>The range of <see cref="IKeyValueReader.OpenCursor"/>.</summary>
    public static KeyRange Of(ReadOnlySpan<byte> prefix, ReadOnlyMemory<byte>? start, bool reverse)
    {
        var from = prefix.ToArray();
        var to = AfterPrefix(prefix);
        if (start is not { Length: > 0 } given)
        {
            return new(from, to);
        }

        if (!reverse)
        {
            return given.Span.SequenceCompareTo(prefix) > 0 ? new(given.ToArray(), to) : new(from, to);
        }

        // The least key above the start is the start followed by a zero byte: the start itself is included.
        var end = new byte[given.Length + 1];
        given.Span.CopyTo(end);
        return to is null || end.AsSpan().SequenceCompareTo(to) < 0 ? new(from, end) : new(from, to);
    }

    public bool Contains(ReadOnlySpan<byte> key)
        => key.SequenceCompareTo(From) >= 0 && (To is null || key.SequenceCompareTo(To) < 0);

    /// <summary>
    /// The least key above every key with the prefix; null where there is none (no prefix, or all 0xFF).
    /// </summary>
    private static byte[]? AfterPrefix(ReadOnlySpan<byte> prefix)
    {
        var length = prefix.Length;
        while (length > 0 && prefix[length - 1] == 0xFF)
        {
            length--;
        }

        if (length == 0)
        {
            return null;
        }

        var after = prefix[..length].ToArray();
        after[length - 1]++;
        return after;
    }
}
