using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

/// <summary>What every blob store promises.</summary>
public abstract class BlobStoreContract
{
    protected abstract IBlobStore Blobs { get; }

    /// <summary>A name that no other test uses.</summary>
    protected abstract string Name { get; }

    [PortFact]
    public async Task A_body_is_read_as_it_was_stored()
    {
        var body = new byte[300_000];
        new Random(1).NextBytes(body);
        Assert.True(await Blobs.PutAsync(Name, body));
        Assert.Equal(body, (await Blobs.GetAsync(Name))!.Value.ToArray());
    }

    [PortFact]
    public async Task A_body_never_changes_under_its_name()
    {
        Assert.True(await Blobs.PutAsync(Name, new byte[] { 1 }));
        Assert.False(await Blobs.PutAsync(Name, new byte[] { 2 }));
        Assert.Equal([1], (await Blobs.GetAsync(Name))!.Value.ToArray());
    }

    [PortFact]
    public async Task An_empty_body_is_not_a_missing_one()
    {
        Assert.Null(await Blobs.GetAsync(Name));
        Assert.True(await Blobs.PutAsync(Name, default));
        Assert.Equal(0, (await Blobs.GetAsync(Name))!.Value.Length);
    }

    [PortFact]
    public async Task A_deleted_body_is_gone_and_its_name_is_free()
    {
        Assert.False(await Blobs.DeleteAsync(Name));
        await Blobs.PutAsync(Name, new byte[] { 1 });
        Assert.True(await Blobs.DeleteAsync(Name));
        Assert.Null(await Blobs.GetAsync(Name));
        Assert.True(await Blobs.PutAsync(Name, new byte[] { 2 }));
    }

    [PortFact]
    public async Task Of_many_who_store_under_one_name_one_wins()
    {
        var ends = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Blobs.PutAsync(Name, new[] { (byte)i })));
        Assert.Single(ends, stored => stored);
    }

    [PortFact]
    public async Task A_wrong_name_is_refused()
    {
        foreach (var name in new[] { "", "/a", "a/", "a//b", "a..b", "a b", "ä" })
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => Blobs.PutAsync(name, new byte[1]));
        }
    }
}
