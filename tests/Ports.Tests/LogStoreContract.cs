using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

/// <summary>What every log store promises.</summary>
public abstract class LogStoreContract
{
    protected abstract ILogStore Logs { get; }

    /// <summary>A name that no other test uses.</summary>
    protected abstract string Name { get; }

    [PortFact]
    public async Task What_is_appended_is_read_in_order_and_from_any_place_on()
    {
        Assert.Null(await Logs.ReadAsync(Name, 0));
        Assert.True(await Logs.CreateAsync(Name));
        Assert.Equal(0, (await Logs.ReadAsync(Name, 0))!.Value.Length);
        Assert.Equal(3, await Logs.AppendAsync(Name, 0, new byte[] { 1, 2, 3 }));
        Assert.Equal(5, await Logs.AppendAsync(Name, 3, new byte[] { 4, 5 }));
        Assert.True(await Logs.AppendAsync(Name, new byte[] { 6 }));
        Assert.Equal([1, 2, 3, 4, 5, 6], (await Logs.ReadAsync(Name, 0))!.Value.ToArray());
        Assert.Equal([5, 6], (await Logs.ReadAsync(Name, 4))!.Value.ToArray());
        Assert.Equal(0, (await Logs.ReadAsync(Name, 6))!.Value.Length);
    }

    [PortFact]
    public async Task Who_is_late_is_refused_and_changes_nothing()
    {
        Assert.True(await Logs.CreateAsync(Name));
        Assert.Equal(2, await Logs.AppendAsync(Name, 0, new byte[] { 1, 2 }));
        Assert.Null(await Logs.AppendAsync(Name, 0, new byte[] { 9 }));
        Assert.Null(await Logs.AppendAsync(Name, 3, new byte[] { 9 }));
        Assert.Equal([1, 2], (await Logs.ReadAsync(Name, 0))!.Value.ToArray());
    }

    [PortFact]
    public async Task Of_many_who_append_at_one_place_one_wins()
    {
        await Logs.CreateAsync(Name);
        var ends = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            i => Logs.AppendAsync(Name, 0, new[] { (byte)i, (byte)i })));
        Assert.Single(ends, end => end == 2);
        Assert.Equal(2, (await Logs.ReadAsync(Name, 0))!.Value.Length);
    }

    [PortFact]
    public async Task A_log_is_made_once_and_nothing_is_appended_to_one_that_is_not_there()
    {
        Assert.Null(await Logs.AppendAsync(Name, 0, new byte[] { 1 }));
        Assert.False(await Logs.AppendAsync(Name, new byte[] { 1 }));
        Assert.True(await Logs.CreateAsync(Name));
        Assert.Equal(1, await Logs.AppendAsync(Name, 0, new byte[] { 1 }));
        Assert.False(await Logs.CreateAsync(Name));
        Assert.Equal([1], (await Logs.ReadAsync(Name, 0))!.Value.ToArray());
        Assert.True(await Logs.DeleteAsync(Name));
        Assert.False(await Logs.DeleteAsync(Name));
        Assert.Null(await Logs.AppendAsync(Name, 1, new byte[] { 2 }));
        Assert.Null(await Logs.ReadAsync(Name, 0));
    }

    [PortFact]
    public async Task Large_appends_are_whole_and_wrong_ones_are_refused()
    {
        var body = new byte[1_000_000];
        new Random(1).NextBytes(body);
        await Logs.CreateAsync(Name);
        Assert.Equal(body.Length, await Logs.AppendAsync(Name, 0, body));
        Assert.Equal(body, (await Logs.ReadAsync(Name, 0))!.Value.ToArray());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Logs.AppendAsync(Name, body.Length, default));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Logs.AppendAsync(Name, 0, new byte[LogLimits.MostAppendedBytes + 1]));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Logs.CreateAsync("a//b"));
    }
}
