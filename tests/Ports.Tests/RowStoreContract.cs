using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

/// <summary>What every row store promises.</summary>
public abstract class RowStoreContract
{
    protected abstract IRowStore Rows { get; }

    /// <summary>A partition that no other test uses.</summary>
    protected abstract string Partition { get; }

    [PortFact]
    public async Task A_row_is_read_as_it_was_written_and_another_write_replaces_it()
    {
        Assert.Null(await Rows.GetAsync(Partition, "t:1"));
        await Rows.PutAsync([new(Partition, "t:1", new byte[] { 1, 2 })]);
        Assert.Equal([1, 2], (await Rows.GetAsync(Partition, "t:1"))!.Value.ToArray());
        await Rows.PutAsync([new(Partition, "t:1", new byte[] { 3 }), new(Partition, "t:2", new byte[] { 4 })]);
        Assert.Equal([3], (await Rows.GetAsync(Partition, "t:1"))!.Value.ToArray());
    }

    [PortFact]
    public async Task Many_rows_of_many_partitions_are_all_there_afterwards()
    {
        var rows = Enumerable.Range(0, 250)
            .Select(i => new Row($"{Partition}.{i % 2}", $"k{i}", BitConverter.GetBytes(i))).ToList();
        await Rows.PutManyAsync(rows);
        foreach (var row in rows.Where((_, i) => i % 50 < 2))
        {
            Assert.Equal(row.Value.ToArray(), (await Rows.GetAsync(row.Partition, row.Key))!.Value.ToArray());
        }
    }

    [PortFact]
    public async Task A_batch_of_two_partitions_or_of_too_many_rows_is_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Rows.PutAsync([new(Partition, "a", default), new(Partition + "b", "a", default)]));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Rows.PutAsync([]));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Rows.PutAsync([.. Enumerable.Range(0, 101).Select(i => new Row(Partition, $"k{i}", default))]));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Rows.PutAsync([new(Partition, "a/b", default)]));
    }
}
