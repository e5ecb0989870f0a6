namespace SuperVm.Core.Encoding;

/// <summary>Checks that bytes are exactly one canonical RLP item, with all that is nested in it.</summary>
public static class RlpStructure
{
    /// <summary>
    /// Why the bytes are not canonical RLP; null where they are. No depth of nesting can overflow it.
    /// </summary>
    public static string? Check(ReadOnlySpan<byte> bytes)
    {
        try
        {
            CheckOrThrow(bytes);
            return null;
        }
        catch (RlpException problem)
        {
            return problem.Message;
        }
    }

    /// <exception cref="RlpException">Not canonical.</exception>
    private static void CheckOrThrow(ReadOnlySpan<byte> bytes)
    {
        var whole = new RlpReader(bytes);
        whole.ReadItem();
        whole.RequireEnd();

        // The ends of the lists that are open; a list's items are read from a view that ends where the list does.
        var ends = new Stack<int>();
        ends.Push(bytes.Length);
        var position = 0;
        while (ends.Count > 0)
        {
            var end = ends.Peek();
            if (position == end)
            {
                ends.Pop();
                continue;
            }

            var item = new RlpReader(bytes[position..end]);
            if (item.NextIsList)
            {
                var payload = item.ReadList().Remaining;
                ends.Push(position + item.Position);
                position += item.Position - payload;
            }
            else
            {
                item.ReadBytes();
                position += item.Position;
            }
        }
    }
}
