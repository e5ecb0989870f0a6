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

    protected override IKeyValueStore CreateStore() => new MemoryKeyValueStore();
}
