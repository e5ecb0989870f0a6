using SuperVm.Azure.Tables;
using SuperVm.Ports.Tests;

namespace SuperVm.Azure.Tests;

[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class TableStoreTests : IAsyncLifetime
{
    private readonly TableStore _store;
    private readonly string _table = EmulatorsFixture.NextName("status");

    public TableStoreTests(EmulatorsFixture emulators)
        => _store = new(emulators.Settings, emulators.Counters, TimeProvider.System);

    public Task InitializeAsync() => _store.CreateTableAsync(_table);

    public Task DisposeAsync() => Task.CompletedTask;

    [PortFact]
    public async Task A_table_is_made_once()
    {
        Assert.False(await _store.CreateTableAsync(_table));
    }

    [PortFact]
    public async Task A_row_is_read_as_it_was_inserted_and_inserted_once()
    {
        var values = new Dictionary<string, object>
        {
            ["text"] = "ä\"'<",
            ["large"] = long.MaxValue,
            ["flag"] = true,
            ["bytes"] = new byte[] { 0, 0xFF },
        };
        var row = new TableRow("p", "0x01:a", values);
        Assert.Equal(TableStatus.Done, (await _store.InsertAsync(_table, row)).Status);
        Assert.Equal(TableStatus.Exists, (await _store.InsertAsync(_table, row)).Status);
        var read = await _store.GetAsync(_table, "p", "0x01:a");
        Assert.NotNull(read);
        Assert.NotNull(read.ETag);
        Assert.Equal(values, read.Values);
        Assert.Null(await _store.GetAsync(_table, "p", "other"));
    }

    [PortFact]
    public async Task A_replacement_needs_the_last_version()
    {
        await _store.InsertAsync(_table, Row("a", 1));
        var read = await _store.GetAsync(_table, "p", "a");
        var second = await _store.ReplaceAsync(_table, Row("a", 2) with { ETag = read!.ETag });
        Assert.Equal(TableStatus.Done, second.Status);
        var late = await _store.ReplaceAsync(_table, Row("a", 3) with { ETag = read.ETag });
        Assert.Equal(TableStatus.Changed, late.Status);
        Assert.Equal(2L, (await _store.GetAsync(_table, "p", "a"))!.Values["n"]);
        var missing = await _store.ReplaceAsync(_table, Row("none", 3) with { ETag = read.ETag });
        Assert.Equal(TableStatus.Missing, missing.Status);
    }

    [PortFact]
    public async Task An_upsert_writes_whatever_is_there_and_a_delete_takes_it_away()
    {
        Assert.Equal(TableStatus.Done, (await _store.UpsertAsync(_table, Row("u", 1))).Status);
        var read = await _store.GetAsync(_table, "p", "u");
        Assert.Equal(TableStatus.Done, (await _store.UpsertAsync(_table, Row("u", 2))).Status);
        Assert.Equal(TableStatus.Changed, (await _store.DeleteAsync(_table, "p", "u", read!.ETag)).Status);
        Assert.Equal(TableStatus.Done, (await _store.DeleteAsync(_table, "p", "u")).Status);
        Assert.Equal(TableStatus.Missing, (await _store.DeleteAsync(_table, "p", "u")).Status);
    }

    [PortFact]
    public async Task A_range_is_read_in_order_page_by_page()
    {
        var inserts = Enumerable.Range(0, 25)
            .Select(i => new TableOperation(TableAction.Insert, Row($"{i:d4}", i))).ToList();
        Assert.Equal(TableStatus.Done, (await _store.BatchAsync(_table, inserts)).Status);
        var seen = new List<long>();
        TableContinuation? next = null;
        do
        {
            var page = await _store.QueryAsync(_table, "p", "0005", "0020", 4, next);
            Assert.True(page.Rows.Count <= 4);
            seen.AddRange(page.Rows.Select(row => (long)row.Values["n"]));
            next = page.Next;
        }
        while (next is not null);

        Assert.Equal(Enumerable.Range(5, 15).Select(i => (long)i), seen);
    }

    [PortFact]
    public async Task A_batch_is_done_whole_or_not_at_all()
    {
        await _store.InsertAsync(_table, Row("taken", 1));
        TableOperation[] batch =
        [
            new(TableAction.Insert, Row("b1", 1)),
            new(TableAction.Insert, Row("taken", 2)),
            new(TableAction.Upsert, Row("b2", 3)),
        ];
        var end = await _store.BatchAsync(_table, batch);
        Assert.Equal(new TableBatchEnd(TableStatus.Exists, 1), end);
        Assert.Null(await _store.GetAsync(_table, "p", "b1"));
        batch[1] = new(TableAction.Replace, Row("taken", 2) with { ETag = (await Read("taken"))!.ETag });
        Assert.Equal(TableStatus.Done, (await _store.BatchAsync(_table, batch)).Status);
        Assert.Equal(2L, (await Read("taken"))!.Values["n"]);
        Assert.Equal(TableStatus.Changed, (await _store.BatchAsync(_table, [batch[1]])).Status);
    }

    private static TableRow Row(string key, long number)
        => new("p", key, new Dictionary<string, object> { ["n"] = number });

    private Task<TableRow?> Read(string key) => _store.GetAsync(_table, "p", key);
}
