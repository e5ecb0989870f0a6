using SuperVm.Core.Storage;

namespace SuperVm.Local.Tests.Storage;

/// <summary>Scans, snapshots, concurrency, and every operation against a plain sorted map.</summary>
public abstract partial class KeyValueStoreContract
{
    [StoreFact]
    public void A_scan_goes_over_a_prefix_in_unsigned_byte_order()
    {
        foreach (var key in (string[])["80", "7F", "00", "FF", "7F00", "7FFF", "", "FFFF", "FFFF00", "FE", "7E"])
        {
            Store.Put(Column.Trie, Convert.FromHexString(key), [1]);
        }

        Assert.Equal(["", "00", "7E", "7F", "7F00", "7FFF", "80", "FE", "FF", "FFFF", "FFFF00"], Scanned(""));
        Assert.Equal(["7F", "7F00", "7FFF"], Scanned("7F"));
        Assert.Equal(["FF", "FFFF", "FFFF00"], Scanned("FF"));
        Assert.Equal(["FFFF", "FFFF00"], Scanned("FFFF"));
        Assert.Equal([], Scanned("01"));
        Assert.Equal(["7FFF", "7F00", "7F"], Scanned("7F", reverse: true));
        Assert.Equal(["FFFF00", "FFFF", "FF"], Scanned("FF", reverse: true));
        Assert.Equal("FFFF00 FFFF FF FE 80 7FFF 7F00 7F 7E 00 ", string.Join(' ', Scanned("", reverse: true)));
    }

    [StoreFact]
    public void A_scan_begins_at_its_start_in_either_direction()
    {
        foreach (var key in (string[])["10", "11", "1110", "12", "1200", "13", "20"])
        {
            Store.Put(Column.Trie, Convert.FromHexString(key), [1]);
        }

        Assert.Equal(["12", "1200", "13", "20"], Scanned("", "12"));
        Assert.Equal(["1200", "13", "20"], Scanned("", "1200"));
        Assert.Equal(["12", "1110", "11", "10"], Scanned("", "12", reverse: true));
        Assert.Equal(["1200", "12", "1110", "11", "10"], Scanned("", "12FF", reverse: true));
        Assert.Equal(["12", "1200"], Scanned("12", "00"));
        Assert.Equal([], Scanned("12", "13"));
        Assert.Equal(["1200", "12"], Scanned("12", "FF", reverse: true));
        Assert.Equal(["12"], Scanned("12", "12", reverse: true));
        Assert.Equal([], Scanned("12", "11", reverse: true));
        Assert.Equal([], Scanned("", "21"));
        Assert.Equal([], Scanned("", "0F", reverse: true));
    }

    [StoreFact]
    public void A_cursor_gives_spans_and_stays_at_its_end()
    {
        Store.Put(Column.Meta, [1], [10, 11]);
        Store.Put(Column.Meta, [2], []);
        using var cursor = Store.OpenCursor(Column.Meta, default);
        Assert.True(cursor.MoveNext());
        Assert.True(cursor.Key.SequenceEqual<byte>([1]) && cursor.Value.SequenceEqual<byte>([10, 11]));
        Assert.True(cursor.MoveNext());
        Assert.True(cursor.Key.SequenceEqual<byte>([2]) && cursor.Value.IsEmpty);
        Assert.False(cursor.MoveNext());
        Assert.False(cursor.MoveNext());
    }

    [StoreFact]
    public void A_cursor_sees_the_store_as_it_was_when_it_was_opened()
    {
        for (byte i = 0; i < 200; i++)
        {
            Store.Put(Column.Meta, [i], [0]);
        }

        using var cursor = Store.OpenCursor(Column.Meta, default);
        Apply(batch =>
        {
            batch.DeleteRange(Column.Meta, [100], [150]);
            batch.Put(Column.Meta, [99], [1]);
            batch.Put(Column.Meta, [99, 1], [1]);
        });
        var seen = 0;
        while (cursor.MoveNext())
        {
            Assert.Equal([(byte)seen++], cursor.Key.ToArray());
            Assert.Equal([0], cursor.Value.ToArray());
        }

        Assert.Equal(200, seen);
        Assert.Equal(151, Keys(Column.Meta).Count);
    }

    [StoreFact]
    public void A_snapshot_does_not_see_later_writes()
    {
        Store.Put(Column.Accounts, [1], [1]);
        Store.Put(Column.Slots, [2], [2]);
        using var first = Store.Snapshot();
        Apply(batch =>
        {
            batch.Put(Column.Accounts, [1], [9]);
            batch.Delete(Column.Slots, [2]);
            batch.Put(Column.Slots, [3], [3]);
        });
        using var second = Store.Snapshot();
        Apply(batch => batch.DeleteRange(Column.Slots, [], [255]));

        Assert.Equal([1], first.Get(Column.Accounts, [1]));
        Assert.Equal([[2], null], first.GetMany(Column.Slots, [[2], [3]]));
        Assert.Equal(["02"], Keys(first, Column.Slots));
        Assert.Equal([9], second.Get(Column.Accounts, [1]));
        Assert.Equal(1, second.Read(Column.Slots, [3], new byte[1]));
        Assert.Equal(["03"], Keys(second, Column.Slots));
        Assert.Empty(Keys(Column.Slots));
    }

    [StoreFact]
    public void A_disposed_snapshot_refuses()
    {
        var snapshot = Store.Snapshot();
        snapshot.Dispose();
        snapshot.Dispose();
        Assert.ThrowsAny<ObjectDisposedException>(() => snapshot.Get(Column.Meta, [1]));
        Assert.ThrowsAny<ObjectDisposedException>(() => snapshot.OpenCursor(Column.Meta, default));
    }

    [StoreFact]
    public void Many_snapshots_live_side_by_side()
    {
        var snapshots = new List<IKeyValueSnapshot>();
        for (byte i = 0; i < 40; i++)
        {
            Store.Put(Column.Meta, [0], [i]);
            snapshots.Add(Store.Snapshot());
        }

        for (byte i = 0; i < 40; i++)
        {
            Assert.Equal([i], snapshots[i].Get(Column.Meta, [0])!);
            snapshots[i].Dispose();
        }
    }

    [StoreFact]
    public void Readers_beside_writers_see_whole_batches()
    {
        const int Keys = 50, Rounds = 200, Readers = 3;
        void WriteRound(int round) => Apply(batch =>
        {
            for (byte i = 0; i < Keys; i++)
            {
                batch.Put(Column.Accounts, [i], BitConverter.GetBytes(round));
                batch.Put(Column.Slots, [i], BitConverter.GetBytes(round));
            }
        });
        WriteRound(0);
        var done = false;
        var torn = 0;
        var readers = Enumerable.Range(0, Readers).Select(_ => new Thread(() =>
        {
            do
            {
                using var snapshot = Store.Snapshot();
                var rounds = snapshot.Scan(Column.Accounts, default).Concat(snapshot.Scan(Column.Slots, default))
                    .Select(pair => BitConverter.ToInt32(pair.Value)).ToList();
                if (rounds.Count != 2 * Keys || rounds.Distinct().Count() != 1)
                {
                    Interlocked.Increment(ref torn);
                }

                Store.Get(Column.Accounts, [1]);
            }
            while (!Volatile.Read(ref done));
        })).ToList();
        readers.ForEach(reader => reader.Start());
        for (var round = 1; round <= Rounds; round++)
        {
            WriteRound(round);
        }

        Volatile.Write(ref done, true);
        readers.ForEach(reader => reader.Join());
        Assert.Equal(0, torn);
        Assert.Equal(BitConverter.GetBytes(Rounds), Store.Get(Column.Slots, [7]));
    }

    [StoreFact]
    public void Writers_on_many_threads_lose_nothing()
    {
        const int Writers = 4, Each = 250;
        var writers = Enumerable.Range(0, Writers).Select(writer => new Thread(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                Store.Put(Column.Index, [(byte)writer, (byte)(i >> 8), (byte)i], BitConverter.GetBytes(i));
            }
        })).ToList();
        writers.ForEach(writer => writer.Start());
        writers.ForEach(writer => writer.Join());
        Assert.Equal(Writers * Each, Store.Scan(Column.Index, default).Count());
    }

    [StoreTheory]
    [InlineData(1, 3, 2)]
    [InlineData(2, 256, 2)]
    [InlineData(3, 256, 4)]
    [InlineData(4, 2, 12)]
    public void Any_sequence_of_operations_gives_what_a_sorted_map_gives(int seed, int alphabet, int longest)
    {
        var random = new Random(seed);
        var model = new SortedDictionary<byte[], byte[]>(
            Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        byte[] RandomKey() => Enumerable.Range(0, random.Next(longest + 1))
            .Select(_ => (byte)(alphabet == 256 ? random.Next(256) : 254 + random.Next(alphabet))).ToArray();
        for (var round = 0; round < 60; round++)
        {
            Apply(batch => MutateBoth(batch, model, random, RandomKey));
            var prefix = RandomKey();
            byte[]? start = random.Next(2) == 0 || RandomKey() is not { Length: > 0 } given ? null : given;
            var reverse = random.Next(2) == 0;
            var range = model.Where(pair => pair.Key.AsSpan().StartsWith(prefix));
            range = reverse
                ? range.Reverse().Where(pair => start is null || pair.Key.AsSpan().SequenceCompareTo(start) <= 0)
                : range.Where(pair => start is null || pair.Key.AsSpan().SequenceCompareTo(start) >= 0);
            ReadOnlyMemory<byte>? from = start;
            Assert.Equal(Text(range), Text(Store.Scan(Column.Trie, prefix, from, reverse)));
            var probe = RandomKey();
            Assert.Equal(model.GetValueOrDefault(probe), Store.Get(Column.Trie, probe));
        }

        Assert.Equal(Text(model), Text(Store.Scan(Column.Trie, default)));
    }

    private static void MutateBoth(
        IWriteBatch batch, SortedDictionary<byte[], byte[]> model, Random random, Func<byte[]> randomKey)
    {
        for (var i = random.Next(80); i > 0; i--)
        {
            var (key, other) = (randomKey(), randomKey());
            switch (random.Next(20))
            {
                case < 13:
                    var value = new byte[random.Next(6)];
                    random.NextBytes(value);
                    batch.Put(Column.Trie, key, value);
                    model[key] = value;
                    break;
                case < 19:
                    batch.Delete(Column.Trie, key);
                    model.Remove(key);
                    break;
                default:
                    batch.DeleteRange(Column.Trie, key, other);
                    var range = new KeyRange(key, other);
                    model.Keys.Where(k => range.Contains(k)).ToList().ForEach(k => model.Remove(k));
                    break;
            }
        }
    }

    private static List<string> Text(IEnumerable<KeyValuePair<byte[], byte[]>> pairs)
        => pairs.Select(pair => $"{Convert.ToHexString(pair.Key)}={Convert.ToHexString(pair.Value)}").ToList();

    private List<string> Scanned(string prefix, string? start = null, bool reverse = false)
    {
        var bytes = Convert.FromHexString(prefix);
        ReadOnlyMemory<byte>? from = start is null ? null : Convert.FromHexString(start);
        return Store.Scan(Column.Trie, bytes, from, reverse).Select(pair => Convert.ToHexString(pair.Key)).ToList();
    }
}
