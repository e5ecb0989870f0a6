using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.Local.Tests.Storage;

[NeedsRocksDb]
public sealed class RocksKeyValueStoreTests() : DiskKeyValueStoreContract(StoreKind.RocksDb)
{
    [StoreFact]
    public void Compression_is_measured_on_what_lies_in_files()
    {
        using var folder = new TemporaryFolder();
        using (var store = StoreFactory.Open(folder.At("store"), StoreKind.RocksDb))
        {
            // Repeating values, enough of them that closing writes them out.
            using var batch = store.CreateBatch();
            for (var i = 0; i < 20_000; i++)
            {
                batch.Put(Column.Slots, BitConverter.GetBytes(i), new byte[1000]);
            }

            store.Write(batch);
        }

        using var again = StoreFactory.Open(folder.At("store"));
        Assert.True(again.Statistics()["compression_ratio"] > 5, "zeros compress well");
        Assert.True(again.Statistics()["file_bytes"] > 0);
        Assert.Equal(20_000, again.Scan(Column.Slots, default).Count());
        var keys = Enumerable.Range(0, 1000).Select(i => BitConverter.GetBytes(i * 40)).ToArray();
        Assert.Equal(500, again.GetMany(Column.Slots, keys).Count(value => value is { Length: 1000 }));
    }
}
