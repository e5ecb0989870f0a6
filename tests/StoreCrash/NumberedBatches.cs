using System.Buffers.Binary;
using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.StoreCrash;

/// <summary>Batches that tell afterwards whether they are whole: a head, a body, and parts in another column.</summary>
/// <remarks>
/// Batch n sets the head to n, writes body n, and writes the same n into all parts; the parts' number and the body's
/// size follow from n. So a store at head n has bodies 1 … n and exactly the parts of n.
/// </remarks>
public static class NumberedBatches
{
    private const int MostParts = 400;
    private const int LargestBody = 200_000;

    /// <summary>Writes the next batches, each acknowledged by a line with its number once the store has it.</summary>
    public static void WriteUntilKilled(string directory, StoreKind kind, int seed)
    {
        using var store = StoreFactory.Open(directory, kind);
        var random = new Random(seed);
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        output.WriteLine("open");
        for (var number = Head(store) + 1; ; number++)
        {
            Write(store, number, sync: random.Next(20) == 0);
            output.WriteLine(number);
        }
    }

    public static long Head(IKeyValueReader store)
        => store.Get(Column.Meta, "head"u8) is { } head ? BinaryPrimitives.ReadInt64BigEndian(head) : 0;

    /// <summary>What is wrong with the store's content; null where every batch is whole.</summary>
    public static string? Fault(IKeyValueReader store)
    {
        var head = Head(store);
        long bodies = 0;
        foreach (var (key, value) in store.Scan(Column.Blocks, default))
        {
            bodies++;
            if (!key.AsSpan().SequenceEqual(Bytes(bodies)) || !value.AsSpan().SequenceEqual(Body(bodies)))
            {
                return $"body {bodies} of {head} is missing or another";
            }
        }

        var parts = store.Scan(Column.Slots, default).ToList();
        var whole = parts.Count == (head == 0 ? 0 : Parts(head))
            && parts.All(part => part.Value.AsSpan().SequenceEqual(Bytes(head)));
        return bodies != head ? $"{bodies} bodies at head {head}" : whole ? null : $"the parts are not those of {head}";
    }

    private static void Write(IKeyValueStore store, long number, bool sync)
    {
        using var batch = store.CreateBatch();
        batch.DeleteRange(Column.Slots, [], Bytes(long.MaxValue));
        for (var part = 0; part < Parts(number); part++)
        {
            batch.Put(Column.Slots, Bytes(part), Bytes(number));
        }

        batch.Put(Column.Blocks, Bytes(number), Body(number));
        batch.Put(Column.Meta, "head"u8, Bytes(number));
        store.Write(batch, sync);
    }

    private static int Parts(long number) => 1 + (int)(number * 7919 % MostParts);

    private static byte[] Body(long number)
    {
        var body = new byte[number % 10 == 0 ? LargestBody : number * 31 % 3000];
        new Random((int)number).NextBytes(body);
        return body;
    }

    private static byte[] Bytes(long number)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }
}
