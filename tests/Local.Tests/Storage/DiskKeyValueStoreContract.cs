using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.Local.Tests.Storage;

/// <summary>
/// What the stores on disk promise beyond the port's contract: they come back, are locked, and have copies.
/// </summary>
public abstract class DiskKeyValueStoreContract(StoreKind kind) : KeyValueStoreContract
{
    private readonly TemporaryFolder _folder = new();

    private string Root => _folder.At("store");

    public override void Dispose()
    {
        base.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [StoreFact]
    public void What_was_written_is_there_after_a_restart()
    {
        var large = new byte[3_000_000];
        new Random(7).NextBytes(large);
        for (var start = 0; start < 3; start++)
        {
            using var store = Open(Root);
            Assert.Equal(start, store.Scan(Column.Blocks, default).Count());
            store.Put(Column.Blocks, [(byte)start], large, sync: start == 1);
            store.Put(Column.Meta, [], [(byte)start]);
            Assert.Equal(large, store.Get(Column.Blocks, [0]));
        }

        using var last = Open(Root);
        Assert.Equal([2], last.Get(Column.Meta, []));
        Assert.Equal(large, last.Get(Column.Blocks, [2]));
    }

    [StoreFact]
    public void A_second_opening_is_refused_with_the_directory_and_the_process()
    {
        Store.Put(Column.Meta, [1], [1]);
        var refusal = Assert.Throws<StoreException>(() => Open(Root));
        Assert.Contains(Root, refusal.Message);
        Assert.Contains($"process {Environment.ProcessId}", refusal.Message);
        Assert.Equal([1], Store.Get(Column.Meta, [1]));
    }

    [StoreFact]
    public void A_store_stays_locked_until_its_last_reader_has_gone()
    {
        Store.Put(Column.Meta, [1], [1]);
        var snapshot = Store.Snapshot();
        var cursor = snapshot.OpenCursor(Column.Meta, default);
        Store.Dispose();
        Assert.Throws<StoreException>(() => Open(Root));
        snapshot.Dispose();
        Assert.True(cursor.MoveNext());
        Assert.Equal([1], cursor.Value.ToArray());
        cursor.Dispose();
        using var again = Open(Root);
        Assert.Equal([1], again.Get(Column.Meta, [1]));
    }

    [StoreFact]
    public void A_checkpoint_opens_as_a_store_of_its_moment()
    {
        for (byte i = 0; i < 100; i++)
        {
            Store.Put(Column.Accounts, [i], new byte[1000]);
        }

        Store.CreateCheckpoint(_folder.At("copy"));
        Apply(batch => batch.DeleteRange(Column.Accounts, [10], [90]));
        using var copy = Open(_folder.At("copy"));
        Assert.Equal(100, Keys(copy, Column.Accounts).Count);
        copy.Put(Column.Accounts, [200], [1]);
        Assert.Equal(20, Keys(Column.Accounts).Count);
        Assert.Single(copy.Scan(Column.Accounts, new byte[] { 200 }));
    }

    [StoreFact]
    public void A_checkpoint_needs_a_new_directory()
    {
        Store.CreateCheckpoint(_folder.At("copy"));
        Assert.Throws<StoreException>(() => Store.CreateCheckpoint(_folder.At("copy")));
        File.WriteAllText(_folder.At("file"), "something else");
        Assert.Throws<StoreException>(() => Store.CreateCheckpoint(_folder.At("file")));
    }

    [StoreFact]
    public void The_newest_checkpoints_are_kept_and_any_of_them_restores()
    {
        var folder = Path.Combine(Root, "checkpoints");
        Directory.CreateDirectory(Path.Combine(_folder.At("store"), "checkpoints", "block-000000000777.partial"));
        Directory.Delete(Root, recursive: true);
        var manager = new CheckpointManager(Store, folder, kept: 3);
        for (ulong block = 1000; block <= 5000; block += 1000)
        {
            Store.Put(Column.Meta, "head"u8, BitConverter.GetBytes(block));
            Assert.Equal(block, manager.Create(block).BlockNumber);
        }

        Assert.Equal([3000UL, 4000, 5000], manager.List().Select(c => c.BlockNumber));
        Assert.Equal(5000UL, manager.Create(5000).BlockNumber);
        Assert.Equal(3, manager.List().Count);
        Assert.Throws<StoreException>(() => CheckpointManager.Restore(manager.List()[0].Directory, Root));
        Store.Dispose();

        for (var round = 0; round < 2; round++)
        {
            CheckpointManager.Restore(CheckpointManager.List(folder)[round].Directory, Root);
            using var store = Open(Root);
            Assert.Equal(BitConverter.GetBytes((ulong)(3000 + (round * 1000))), store.Get(Column.Meta, "head"u8));
        }

        CheckpointManager.Restore(CheckpointManager.List(folder)[2].Directory, _folder.At("elsewhere"));
        using var elsewhere = Open(_folder.At("elsewhere"));
        Assert.Equal(BitConverter.GetBytes(5000UL), elsewhere.Get(Column.Meta, "head"u8));
    }

    [StoreFact]
    public void A_growing_chain_leaves_a_checkpoint_at_every_interval_that_could_be_made_in_time()
    {
        var lines = new List<string>();
        ulong head = 0;
        var manager = new CheckpointManager(Store, _folder.At("checkpoints"), kept: 2);
        using (var checkpoints = new PeriodicCheckpoints(manager, () => Volatile.Read(ref head), 10, lines.Add))
        {
            for (ulong number = 1; number <= 35; number++)
            {
                Store.Put(Column.Meta, "head"u8, BitConverter.GetBytes(number));
                Volatile.Write(ref head, number);
                checkpoints.OnBlock(number);
            }
        }

        var newest = manager.List()[^1];
        Assert.InRange(newest.BlockNumber, 30UL, 35UL);
        Assert.InRange(manager.List().Count, 1, 2);
        Assert.Equal($"checkpoint at block {newest.BlockNumber}", lines[^1]);
        using var last = Open(newest.Directory);
        Assert.InRange(BitConverter.ToUInt64(last.Get(Column.Meta, "head"u8)), newest.BlockNumber, 35UL);
    }

    [StoreFact]
    public void Half_made_checkpoints_are_removed_and_not_listed()
    {
        var folder = _folder.At("checkpoints");
        Directory.CreateDirectory(Path.Combine(folder, "block-000000000777.partial"));
        Directory.CreateDirectory(Path.Combine(folder, "notes"));
        var manager = new CheckpointManager(Store, folder);
        Assert.Empty(manager.List());
        Assert.Equal(["notes"], Directory.GetDirectories(folder).Select(Path.GetFileName));
    }

    [StoreFact]
    public void An_interrupted_restoring_is_refused_until_it_is_done_again()
    {
        Store.Put(Column.Meta, [1], [1]);
        Store.CreateCheckpoint(_folder.At("copy"));
        Store.Dispose();
        var marker = Path.Combine(Root, "STORE");
        File.WriteAllText(marker, File.ReadAllText(marker).Replace("ready", "restoring"));
        Assert.Contains("restore it again", Assert.Throws<StoreException>(() => Open(Root)).Message);
        CheckpointManager.Restore(_folder.At("copy"), Root);
        using var store = Open(Root);
        Assert.Equal([1], store.Get(Column.Meta, [1]));
    }

    [StoreFact]
    public void Statistics_tell_sizes_and_latencies()
    {
        for (var i = 0; i < 300; i++)
        {
            Store.Put(Column.Meta, BitConverter.GetBytes(i), new byte[100]);
            Store.Get(Column.Meta, BitConverter.GetBytes(i));
        }

        var statistics = Store.Statistics();
        Assert.Equal(300, statistics["read_count"]);
        Assert.Equal(300, statistics["write_count"]);
        Assert.InRange(statistics["read_p50_us"], 0.01, statistics["read_p99_us"]);
        Assert.InRange(statistics["write_p50_us"], 0.01, statistics["write_p99_us"]);
        Assert.True(statistics["compression_ratio"] > 0);
    }

    protected override IKeyValueStore CreateStore() => Open(Root);

    private IKeyValueStore Open(string root) => StoreFactory.Open(root, kind);
}

public sealed class SqliteKeyValueStoreTests() : DiskKeyValueStoreContract(StoreKind.Sqlite);
