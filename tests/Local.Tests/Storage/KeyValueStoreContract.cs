using SuperVm.Core.Storage;

namespace SuperVm.Local.Tests.Storage;

/// <summary>What every adapter of the key-value port promises; each adapter's tests inherit it.</summary>
public abstract partial class KeyValueStoreContract : IDisposable
{
    private readonly Lazy<IKeyValueStore> _store;

    protected KeyValueStoreContract() => _store = new(CreateStore);

    protected IKeyValueStore Store => _store.Value;

    protected abstract IKeyValueStore CreateStore();

    public virtual void Dispose()
    {
        if (_store.IsValueCreated)
        {
            _store.Value.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    [StoreFact]
    public void An_absent_key_has_no_value()
    {
        Assert.Null(Store.Get(Column.Meta, [1]));
        Assert.Equal(-1, Store.Read(Column.Meta, [1], new byte[8]));
        Assert.False(Store.Contains(Column.Meta, [1]));
    }

    [StoreFact]
    public void A_value_is_read_back_overwritten_and_deleted()
    {
        Store.Put(Column.Accounts, [1, 2], [3, 4, 5]);
        Assert.Equal([3, 4, 5], Store.Get(Column.Accounts, [1, 2]));
        Store.Put(Column.Accounts, [1, 2], [6], sync: true);
        Assert.Equal([6], Store.Get(Column.Accounts, [1, 2]));
        Assert.True(Store.Contains(Column.Accounts, [1, 2]));
        Apply(batch => batch.Delete(Column.Accounts, [1, 2]));
        Assert.Null(Store.Get(Column.Accounts, [1, 2]));
        Apply(batch => batch.Delete(Column.Accounts, [1, 2]));
        Assert.Null(Store.Get(Column.Accounts, [1, 2]));
    }

    [StoreFact]
    public void A_read_into_a_buffer_tells_the_length_and_copies_only_what_fits()
    {
        Store.Put(Column.Code, [9], [1, 2, 3, 4]);
        var fitting = new byte[6];
        Assert.Equal(4, Store.Read(Column.Code, [9], fitting));
        Assert.Equal([1, 2, 3, 4, 0, 0], fitting);
        var small = new byte[3];
        Assert.Equal(4, Store.Read(Column.Code, [9], small));
        Assert.Equal([0, 0, 0], small);
    }

    [StoreFact]
    public void A_value_read_belongs_to_the_caller()
    {
        Store.Put(Column.Meta, [1], [1, 2, 3]);
        Store.Get(Column.Meta, [1])![0] = 99;
        Store.GetMany(Column.Meta, [[1]])[0]![1] = 99;
        Store.Scan(Column.Meta, default).Single().Value[2] = 99;
        Assert.Equal([1, 2, 3], Store.Get(Column.Meta, [1]));
    }

    [StoreFact]
    public void A_batch_copies_what_it_is_given()
    {
        byte[] key = [1], value = [2];
        using var batch = Store.CreateBatch();
        batch.Put(Column.Meta, key, value);
        (key[0], value[0]) = (77, 88);
        Store.Write(batch);
        Assert.Equal([2], Store.Get(Column.Meta, [1]));
        Assert.Null(Store.Get(Column.Meta, [77]));
    }

    [StoreFact]
    public void Empty_keys_and_empty_values_are_values_like_others()
    {
        Store.Put(Column.Index, [], [7]);
        Store.Put(Column.Index, [0], []);
        Assert.Equal([7], Store.Get(Column.Index, []));
        Assert.Equal([], Store.Get(Column.Index, [0])!);
        Assert.Equal(0, Store.Read(Column.Index, [0], default));
        Assert.Equal(["", "00"], Keys(Column.Index));
        Apply(batch => batch.Delete(Column.Index, []));
        Assert.Equal(["00"], Keys(Column.Index));
    }

    [StoreFact]
    public void Columns_are_key_spaces_of_their_own()
    {
        foreach (var column in Enum.GetValues<Column>())
        {
            Store.Put(column, [1], [(byte)column]);
        }

        foreach (var column in Enum.GetValues<Column>())
        {
            Assert.Equal([(byte)column], Store.Get(column, [1])!);
            Assert.Single(Store.Scan(column, default));
        }
    }

    [StoreFact]
    public void Large_values_are_kept_whole()
    {
        var random = new Random(1);
        foreach (var size in (int[])[4096, 65_537, 1_000_003, 8 * 1024 * 1024])
        {
            var value = new byte[size];
            random.NextBytes(value);
            Store.Put(Column.Blocks, BitConverter.GetBytes(size), value);
            Assert.Equal(value, Store.Get(Column.Blocks, BitConverter.GetBytes(size)));
        }
    }

    [StoreFact]
    public void Long_keys_are_compared_to_their_end()
    {
        var keys = Enumerable.Range(0, 50).Select(i => new byte[i * 40]).ToArray();
        Apply(batch =>
        {
            foreach (var key in keys)
            {
                batch.Put(Column.Trie, key, BitConverter.GetBytes(key.Length));
            }
        });
        Assert.Equal(keys.Select(k => k.Length), Store.Scan(Column.Trie, default).Select(p => p.Key.Length));
        Assert.All(keys, key => Assert.Equal(BitConverter.GetBytes(key.Length), Store.Get(Column.Trie, key)!));
    }

    [StoreFact]
    public void Many_keys_are_answered_in_the_order_asked()
    {
        Store.Put(Column.Slots, [1], [10]);
        Store.Put(Column.Slots, [3], []);
        var values = Store.GetMany(Column.Slots, [[3], [2], [1], [3], []]);
        Assert.Equal([[], null, [10], [], null], values);
        Assert.Empty(Store.GetMany(Column.Slots, []));
    }

    [StoreFact]
    public void Operations_of_a_batch_take_effect_in_their_order()
    {
        Apply(batch =>
        {
            batch.Put(Column.Meta, [1], [1]);
            batch.Delete(Column.Meta, [1]);
            batch.Put(Column.Meta, [2], [1]);
            batch.DeleteRange(Column.Meta, [0], [9]);
            batch.Put(Column.Meta, [3], [1]);
            batch.Put(Column.Meta, [3], [2]);
            Assert.Equal(6, batch.Count);
        });
        Assert.Equal(["03"], Keys(Column.Meta));
        Assert.Equal([2], Store.Get(Column.Meta, [3]));
    }

    [StoreFact]
    public void A_cleared_batch_is_empty_and_a_written_one_can_be_written_again()
    {
        using var batch = Store.CreateBatch();
        batch.Put(Column.Meta, [1], [1]);
        batch.Clear();
        Assert.Equal(0, batch.Count);
        Store.Write(batch);
        Assert.Empty(Keys(Column.Meta));
        batch.Put(Column.Meta, [2], [2]);
        Store.Write(batch);
        Store.Put(Column.Meta, [2], [9]);
        Store.Write(batch);
        Assert.Equal([2], Store.Get(Column.Meta, [2]));
    }

    [StoreFact]
    public void A_range_is_deleted_from_its_first_key_to_before_its_last()
    {
        for (byte i = 0; i < 10; i++)
        {
            Store.Put(Column.History, [i], [i]);
            Store.Put(Column.Receipts, [i], [i]);
        }

        Apply(batch => batch.DeleteRange(Column.History, [3], [7]));
        Assert.Equal(["00", "01", "02", "07", "08", "09"], Keys(Column.History));
        Assert.Equal(10, Keys(Column.Receipts).Count);
        Apply(batch => batch.DeleteRange(Column.History, [8], [8]));
        Apply(batch => batch.DeleteRange(Column.History, [9], [1]));
        Assert.Equal(6, Keys(Column.History).Count);
        Apply(batch => batch.DeleteRange(Column.History, [], [1]));
        Assert.Equal(["01", "02", "07", "08", "09"], Keys(Column.History));
    }

    [StoreFact]
    public void Statistics_are_finite_numbers()
    {
        Store.Put(Column.Meta, [1], new byte[1000]);
        Store.Get(Column.Meta, [1]);
        Assert.NotEmpty(Store.Statistics());
        Assert.All(Store.Statistics().Values, value => Assert.True(double.IsFinite(value) && value >= 0));
        Assert.Matches("^[a-z]+$", Store.Kind);
    }

    [StoreFact]
    public void A_closed_store_refuses()
    {
        Store.Put(Column.Meta, [1], [1]);
        var batch = Store.CreateBatch();
        batch.Put(Column.Meta, [2], [1]);
        Store.Dispose();
        Store.Dispose();
        Assert.ThrowsAny<ObjectDisposedException>(() => Store.Get(Column.Meta, [1]));
        Assert.ThrowsAny<ObjectDisposedException>(() => Store.Write(batch));
        Assert.ThrowsAny<ObjectDisposedException>(() => Store.Snapshot());
        Assert.ThrowsAny<ObjectDisposedException>(() => Store.OpenCursor(Column.Meta, default));
        batch.Dispose();
    }

    [StoreFact]
    public void A_batch_of_another_store_is_refused()
    {
        using var foreign = new ForeignBatch();
        Assert.Throws<ArgumentException>(() => Store.Write(foreign));
    }

    protected void Apply(Action<IWriteBatch> fill, bool sync = false)
    {
        using var batch = Store.CreateBatch();
        fill(batch);
        Store.Write(batch, sync);
    }

    protected List<string> Keys(Column column) => Keys(Store, column);

    protected static List<string> Keys(IKeyValueReader reader, Column column)
        => reader.Scan(column, default).Select(pair => Convert.ToHexString(pair.Key)).ToList();

    private sealed class ForeignBatch : IWriteBatch
    {
        public int Count => 0;

        public void Put(Column column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
        }

        public void Delete(Column column, ReadOnlySpan<byte> key)
        {
        }

        public void DeleteRange(Column column, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
        }

        public void Clear()
        {
        }

        public void Dispose()
        {
        }
    }
}
