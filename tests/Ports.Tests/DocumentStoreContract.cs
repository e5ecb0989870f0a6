using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

/// <summary>What every document store promises.</summary>
public abstract class DocumentStoreContract
{
    private static readonly byte[] One = [1, 0xFF];
    private static readonly byte[] Two = [2];

    protected abstract IDocumentStore Store { get; }

    /// <summary>A key that no other test uses.</summary>
    protected abstract DocumentKey Key { get; }

    [PortFact]
    public async Task What_was_never_written_is_missing()
    {
        Assert.Null(await Store.GetAsync(Key));
        Assert.Equal(DocumentStatus.Missing, (await Store.ReplaceAsync(Key, One, "\"x\"")).Status);
        Assert.Equal(DocumentStatus.Missing, (await Store.DeleteAsync(Key)).Status);
        Assert.Equal(DocumentStatus.Missing, (await Store.DeleteAsync(Key, "\"x\"")).Status);
    }

    [PortFact]
    public async Task A_created_document_is_read_as_written_and_created_once()
    {
        var created = await Store.CreateAsync(Key, One);
        Assert.True(created.IsDone);
        Assert.Equal(DocumentStatus.Exists, (await Store.CreateAsync(Key, Two)).Status);
        var read = await Store.GetAsync(Key);
        Assert.NotNull(read);
        Assert.Equal(One, read.Body.ToArray());
        Assert.Equal(created.ETag, read.ETag);
    }

    [PortFact]
    public async Task A_replacement_needs_the_last_version()
    {
        var first = await Store.CreateAsync(Key, One);
        var second = await Store.ReplaceAsync(Key, Two, first.ETag!);
        Assert.True(second.IsDone);
        Assert.NotEqual(first.ETag, second.ETag);
        Assert.Equal(DocumentStatus.Changed, (await Store.ReplaceAsync(Key, One, first.ETag!)).Status);
        Assert.Equal(Two, (await Store.GetAsync(Key))!.Body.ToArray());
    }

    [PortFact]
    public async Task An_upsert_writes_whatever_is_there_and_names_a_new_version()
    {
        var first = await Store.UpsertAsync(Key, One);
        var second = await Store.UpsertAsync(Key, One);
        Assert.True(first.IsDone && second.IsDone);
        Assert.NotEqual(first.ETag, second.ETag);
        Assert.Equal(DocumentStatus.Changed, (await Store.ReplaceAsync(Key, Two, first.ETag!)).Status);
    }

    [PortFact]
    public async Task A_delete_with_a_version_deletes_only_that()
    {
        var first = await Store.CreateAsync(Key, One);
        var second = await Store.UpsertAsync(Key, Two);
        Assert.Equal(DocumentStatus.Changed, (await Store.DeleteAsync(Key, first.ETag)).Status);
        Assert.True((await Store.DeleteAsync(Key, second.ETag)).IsDone);
        Assert.Null(await Store.GetAsync(Key));
        Assert.True((await Store.CreateAsync(Key, One)).IsDone);
        Assert.True((await Store.DeleteAsync(Key)).IsDone);
    }

    [PortFact]
    public async Task Equal_names_in_different_partitions_are_different_documents()
    {
        var other = Key with { Partition = Key.Partition + ".b" };
        await Store.CreateAsync(Key, One);
        Assert.Null(await Store.GetAsync(other));
        Assert.True((await Store.CreateAsync(other, Two)).IsDone);
        Assert.Equal(One, (await Store.GetAsync(Key))!.Body.ToArray());
    }

    [PortFact]
    public async Task Of_many_who_swap_the_same_version_one_wins()
    {
        var first = await Store.CreateAsync(Key, One);
        var ends = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => Store.ReplaceAsync(Key, new[] { (byte)i }, first.ETag!)));
        Assert.Single(ends, end => end.IsDone);
        Assert.Equal(7, ends.Count(end => end.Status == DocumentStatus.Changed));
    }

    [PortFact]
    public async Task A_counter_raised_by_compare_and_swap_loses_no_step()
    {
        await Store.CreateAsync(Key, new byte[] { 0 });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RaiseAsync(5)));
        Assert.Equal(20, (await Store.GetAsync(Key))!.Body.Span[0]);
    }

    [PortFact]
    public async Task Many_documents_are_read_in_the_order_of_their_keys()
    {
        DocumentKey[] keys = [.. Enumerable.Range(0, 12).Select(i => Key with { Id = $"{Key.Id}.{i}" })];
        for (var i = 0; i < keys.Length; i += 2)
        {
            await Store.CreateAsync(keys[i], new[] { (byte)i });
        }

        var read = await Store.GetManyAsync(keys);
        for (var i = 0; i < keys.Length; i++)
        {
            Assert.Equal(i % 2 == 0 ? i : null, (int?)read[i]?.Body.Span[0]);
        }
    }

    [PortFact]
    public async Task A_large_body_passes_and_a_larger_one_and_a_wrong_key_are_refused()
    {
        var body = new byte[DocumentLimits.MostBodyBytes];
        new Random(3).NextBytes(body);
        Assert.True((await Store.CreateAsync(Key, body)).IsDone);
        Assert.Equal(body, (await Store.GetAsync(Key))!.Body.ToArray());
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Store.UpsertAsync(Key, new byte[DocumentLimits.MostBodyBytes + 1]));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.GetAsync(Key with { Id = "a/b" }));
    }

    private async Task RaiseAsync(int times)
    {
        while (times > 0)
        {
            var last = (await Store.GetAsync(Key))!;
            if ((await Store.ReplaceAsync(Key, new[] { (byte)(last.Body.Span[0] + 1) }, last.ETag)).IsDone)
            {
                times--;
            }
        }
    }
}
