using SuperVm.Core.Parallel;

namespace SuperVm.Core.Tests.Parallel;

public sealed class MvccStoreTests
{
    [Fact]
    public void A_snapshot_keeps_its_height_while_commits_go_on()
    {
        var store = new MvccStore<int, MvccEngineTests.Number>();
        Commit(store, (1, 10), (2, 20));
        using var snapshot = store.Snapshot(1);
        Commit(store, (1, 11));
        Commit(store, (1, 12), (2, 22));
        Assert.Equal(10, snapshot!.Read(1).Value);
        Assert.Equal(20, snapshot.Read(2).Value);
        Assert.Equal(12, store.Read(1).Value);
    }

    [Fact]
    public void Versions_are_collected_once_nobody_can_see_them()
    {
        var store = new MvccStore<int, MvccEngineTests.Number>();
        Commit(store, (1, 0));
        var snapshot = store.Snapshot(1);
        for (var i = 1; i <= 50; i++)
        {
            Commit(store, (1, i));
        }

        Assert.Equal(1, store.Watermark);
        Assert.Equal(0, store.CollectedVersions);
        snapshot!.Dispose();
        for (var i = 0; i < 40; i++)
        {
            Commit(store, (1, i));
        }

        Assert.True(store.CollectedVersions >= 80, $"collected {store.CollectedVersions}");
        Assert.Null(store.Snapshot(1));
    }

    [Fact]
    public void Retained_heights_stay_readable_without_a_pin()
    {
        var store = new MvccStore<int, MvccEngineTests.Number>(retainedHeights: 5);
        for (var i = 1; i <= 20; i++)
        {
            Commit(store, (1, i));
        }

        using var oldest = store.Snapshot(15);
        Assert.Equal(15, oldest!.Read(1).Value);
        Assert.Null(store.Snapshot(14));
        Assert.Null(store.Snapshot(21));
    }

    [Fact]
    public void A_disposed_snapshot_refuses_reads()
    {
        var store = new MvccStore<int, MvccEngineTests.Number>();
        Commit(store, (1, 1));
        var snapshot = store.Snapshot(1)!;
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(() => snapshot.Read(1));
    }

    private static void Commit(MvccStore<int, MvccEngineTests.Number> store, params (int Key, long Value)[] writes)
    {
        var height = store.BeginCommit();
        foreach (var (key, value) in writes)
        {
            store.Put(height, key, new MvccEngineTests.Number(value));
        }

        store.EndCommit(height);
    }
}
