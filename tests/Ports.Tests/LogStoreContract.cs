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
        Assert.Equal(LogAppend.Done, await Logs.AppendAsync(Name, new byte[] { 1, 2, 3 }));
        Assert.Equal(LogAppend.Done, await Logs.AppendAsync(Name, new byte[] { 4, 5 }));
        Assert.Equal(LogAppend.Done, await Logs.AppendAsync(Name, new byte[] { 6 }));
        Assert.Equal([1, 2, 3, 4, 5, 6], (await Logs.ReadAsync(Name, 0))!.Value.ToArray());
        Assert.Equal([5, 6], (await Logs.ReadAsync(Name, 4))!.Value.ToArray());
        Assert.Equal(0, (await Logs.ReadAsync(Name, 6))!.Value.Length);
    }

    [PortFact]
    public async Task What_many_append_at_once_is_there_whole_in_some_order()
    {
        await Logs.CreateAsync(Name);
        var added = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            i => Logs.AppendAsync(Name, new[] { (byte)i, (byte)i })));
        Assert.All(added, outcome => Assert.Equal(LogAppend.Done, outcome));
        var pairs = (await Logs.ReadAsync(Name, 0))!.Value.ToArray().Chunk(2).ToList();
        Assert.All(pairs, pair => Assert.Equal(pair[0], pair[1]));
        Assert.Equal([0, 1, 2, 3, 4, 5], pairs.Select(pair => (int)pair[0]).Order());
    }

    [PortFact]
    public async Task A_log_is_made_once_and_nothing_is_appended_to_one_that_is_not_there()
    {
        Assert.Equal(LogAppend.Missing, await Logs.AppendAsync(Name, new byte[] { 1 }));
        Assert.True(await Logs.CreateAsync(Name));
        Assert.Equal(LogAppend.Done, await Logs.AppendAsync(Name, new byte[] { 1 }));
        Assert.False(await Logs.CreateAsync(Name));
        Assert.Equal([1], (await Logs.ReadAsync(Name, 0))!.Value.ToArray());
    }

    [PortFact]
    public async Task Large_appends_are_whole_and_wrong_ones_are_refused()
    {
        var body = new byte[1_000_000];
        new Random(1).NextBytes(body);
        await Logs.CreateAsync(Name);
        Assert.Equal(LogAppend.Done, await Logs.AppendAsync(Name, body));
        Assert.Equal(body, (await Logs.ReadAsync(Name, 0))!.Value.ToArray());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Logs.AppendAsync(Name, default(ReadOnlyMemory<byte>)));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Logs.AppendAsync(Name, new byte[LogLimits.MostAppendedBytes + 1]));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Logs.CreateAsync("a//b"));
    }
}
