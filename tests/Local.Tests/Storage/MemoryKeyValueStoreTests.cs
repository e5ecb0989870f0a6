using SuperVm.Core.Storage;

namespace SuperVm.Local.Tests.Storage;

public sealed class MemoryKeyValueStoreTests : KeyValueStoreContract
{
    [Fact]
    public void It_has_no_checkpoints()
        => Assert.Throws<NotSupportedException>(() => Store.CreateCheckpoint("anywhere"));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_hundred_thousand_keys_in_any_order_are_found_counted_and_taken_out_again(int seed)
    {
        const int Many = 100_000;
        var keys = Enumerable.Range(0, Many).Select(i => BitConverter.GetBytes((long)i * 7919)).ToArray();
        new Random(seed).Shuffle(keys);
        Apply(batch => Array.ForEach(keys, key => batch.Put(Column.Slots, key, key)));
        Assert.All(keys.Take(1000), key => Assert.Equal(key, Store.Get(Column.Slots, key)));
        Assert.Equal(Many, Store.Statistics()["keys"]);
        Assert.Equal(16.0 * Many, Store.Statistics()["live_bytes"]);
        using var before = Store.Snapshot();
        new Random(seed + 1).Shuffle(keys);
        Apply(batch => Array.ForEach(keys[..(Many - 10)], key => batch.Delete(Column.Slots, key)));
        Assert.Equal(10, Store.Statistics()["keys"]);
        Assert.Equal(keys[^10..].Select(Convert.ToHexString).Order(), Keys(Column.Slots));
        Assert.Equal(Many, before.Scan(Column.Slots, default).Count());
        Apply(batch => batch.DeleteRange(Column.Slots, [], [255, 255, 255, 255, 255, 255, 255, 255, 255]));
        Assert.Equal(0, Store.Statistics()["live_bytes"]);
        Assert.Empty(Keys(Column.Slots));
    }

    /// <summary>Small batches change nodes in place, large ones clone them: no snapshot may see either.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Snapshots_between_batches_of_any_size_keep_what_they_saw(int seed)
    {
        var random = new Random(seed);
        var model = new SortedDictionary<int, int>();
        var seen = new List<(IKeyValueSnapshot Snapshot, List<string> Pairs)>();
        for (var round = 0; round < 60; round++)
        {
            Apply(batch =>
            {
                for (var i = random.Next(2) == 0 ? random.Next(20) : random.Next(1500); i > 0; i--)
                {
                    var key = random.Next(3000);
                    if (random.Next(3) == 0)
                    {
                        batch.Delete(Column.Trie, BigEndian(key));
                        model.Remove(key);
                    }
                    else
                    {
                        batch.Put(Column.Trie, BigEndian(key), BigEndian(round));
                        model[key] = round;
                    }
                }
            });
            if (random.Next(3) == 0)
            {
                seen.Add((Store.Snapshot(), Text(model)));
            }
        }

        Assert.All(seen, pair => Assert.Equal(pair.Pairs, Text(pair.Snapshot)));
        Assert.Equal(Text(model), Text(Store));
    }

    private static byte[] BigEndian(int number) => [(byte)(number >> 8), (byte)number];

    private static List<string> Text(SortedDictionary<int, int> model)
        => model.Select(pair => $"{pair.Key:X4}={pair.Value:X4}").ToList();

    private static List<string> Text(IKeyValueReader reader) => reader.Scan(Column.Trie, default)
        .Select(pair => $"{Convert.ToHexString(pair.Key)}={Convert.ToHexString(pair.Value)}").ToList();

    protected override IKeyValueStore CreateStore() => new MemoryKeyValueStore();
}
