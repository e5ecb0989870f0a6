using SuperVm.Core.Storage;
using SuperVm.Local.Storage;
using SuperVm.Local.Storage.Rocks;

namespace SuperVm.Local.Tests.Storage;

public sealed class StoreFactoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [StoreFact]
    public void Without_a_wish_the_best_store_of_the_machine_is_opened_and_a_fallback_is_announced_in_one_line()
    {
        var lines = new List<string>();
        using var store = StoreFactory.Open(_folder.At("new/deep"), log: lines.Add);
        Assert.Equal(RocksNative.IsAvailable ? "rocksdb" : "sqlite", store.Kind);
        Assert.Equal(RocksNative.IsAvailable ? 0 : 1, lines.Count);
        Assert.All(lines, line => Assert.Contains("apt-get install", line));
    }

    [StoreFact]
    public void A_store_keeps_its_kind_and_refuses_another()
    {
        StoreFactory.Open(_folder.At("s"), StoreKind.Sqlite).Dispose();
        using (var store = StoreFactory.Open(_folder.At("s")))
        {
            Assert.Equal("sqlite", store.Kind);
        }

        Assert.Contains("of kind sqlite", Refusal(_folder.At("s"), StoreKind.RocksDb));
    }

    [StoreFact]
    public void A_foreign_directory_is_refused_and_left_as_it_was()
    {
        File.WriteAllText(_folder.At("letter.txt"), "not a store");
        Assert.Contains("holds no store", Refusal(_folder.Root));
        Assert.Equal(["letter.txt"], Directory.GetFileSystemEntries(_folder.Root).Select(Path.GetFileName));
        Assert.Contains("is a file", Refusal(_folder.At("letter.txt")));
        Assert.NotEmpty(Refusal(_folder.At("letter.txt/below")));
        Assert.NotEmpty(Refusal("/proc/no-such-place"));
    }

    [StoreTheory]
    [InlineData("schema 1", "schema 2", "newer program")]
    [InlineData("schema 1", "schema 0", "Import the chain again")]
    [InlineData("schema 1", "schema one", "damaged")]
    [InlineData("supervm store", "another store", "damaged")]
    [InlineData("kind sqlite", "kind papyrus", "papyrus")]
    [InlineData("state ready", "state of things", "damaged")]
    [InlineData("state ready\n", "", "damaged")]
    public void A_marker_of_another_schema_or_a_damaged_one_is_refused(string from, string to, string reason)
    {
        StoreFactory.Open(_folder.At("s"), StoreKind.Sqlite).Dispose();
        var marker = Path.Combine(_folder.At("s"), "STORE");
        File.WriteAllText(marker, File.ReadAllText(marker).Replace(from, to));
        Assert.Contains(reason, Refusal(_folder.At("s")));
    }

    [StoreFact]
    public void A_store_without_its_data_is_refused()
    {
        StoreFactory.Open(_folder.At("s"), StoreKind.Sqlite).Dispose();
        Directory.Delete(Path.Combine(_folder.At("s"), "sqlite"), recursive: true);
        Assert.Contains("is gone", Refusal(_folder.At("s")));
    }

    [StoreTheory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.RocksDb)]
    public void An_interrupted_first_opening_is_taken_up_again(StoreKind kind)
    {
        StoreFactory.Open(_folder.At("s"), kind).Dispose();
        var marker = Path.Combine(_folder.At("s"), "STORE");
        File.WriteAllText(marker, File.ReadAllText(marker).Replace("ready", "new"));
        File.WriteAllText(marker + ".partial", "supervm st");
        StoreFactory.Open(_folder.At("s")).Dispose();
        Assert.Contains("state ready", File.ReadAllText(marker));
    }

    [StoreTheory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.RocksDb)]
    public void A_refused_store_can_be_opened_once_the_reason_is_gone(StoreKind kind)
    {
        var holder = StoreFactory.Open(_folder.At("s"), kind);
        Refusal(_folder.At("s"));
        Refusal(_folder.At("s"));
        holder.Dispose();
        StoreFactory.Open(_folder.At("s")).Dispose();
    }

    private static string Refusal(string directory, StoreKind? kind = null)
        => Assert.Throws<StoreException>(() => StoreFactory.Open(directory, kind)).Message;
}
