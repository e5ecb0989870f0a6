using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>Executors that die between any two writes, and executors that do not know of each other.</summary>
public sealed class DocumentCrashTests
{
    private static readonly PagedOptions Tiny = new() { PageBytes = 512, LogBytes = 512, HistoryBlocks = 4_000 };

    private static Address[] Watched(DocumentWorld world) =>
    [
        .. world.Senders, DocumentWorld.Storage, Address.FromNumber(0xFEE), .. world.Created.TakeLast(2),
        DocumentWorld.Person(3), DocumentWorld.Person(77),
    ];

    [Fact]
    public async Task A_process_that_dies_between_any_two_writes_loses_nothing_and_shows_nothing_half()
    {
        var world = new DocumentWorld(11, 60, Tiny);
        await DieEverywhereAsync(world, async ports => (await world.OpenAsync(ports)).Head.Number == 0);
        for (ulong number = 1; number <= 6; number++)
        {
            var (attributes, batch) = world.NextBatch(10);
            await DieEverywhereAsync(world, async ports =>
            {
                using var chain = await world.OpenAsync(ports);
                var result = await chain.ProduceAsync(number, attributes, batch);
                Assert.Equal(world.Oracle.Head.Hash, result.Block!.Hash);
                return result.Status is ProduceStatus.Made or ProduceStatus.AlreadyThere;
            });
        }

        using var reader = await world.OpenAsync();
        Assert.Empty(world.Differences(reader, [0, 1, 4, 5, 6], Watched(world)));
    }

    [Fact]
    public async Task A_dead_process_leaves_a_claim_and_another_block_takes_its_place_cleanly()
    {
        var world = new DocumentWorld(12, 60, Tiny);
        using (await world.OpenAsync())
        {
        }

        for (ulong number = 1; number <= 12; number++)
        {
            // A batch that was never ordered, half written: its pages, new contracts and splits are all taken back.
            var other = OtherBatch(world, number);
            foreach (var deadAt in new[] { 3, 8, 15, 20 })
            {
                var ports = new MortalPorts(world.Ports, deadAt, writesFirst: deadAt % 4 == 0).Ports;
                using var dying = await world.OpenAsync(ports);
                await Assert.ThrowsAsync<StoreException>(
                    () => dying.ProduceAsync(number, other.Attributes, other.Batch));
            }

            var (attributes, batch) = world.NextBatch(10);
            using var chain = await world.OpenAsync();
            Assert.Equal(number - 1, chain.Head.Number);
            Assert.Empty(world.Differences(chain, [number - 1], Watched(world)));
            var made = await chain.ProduceAsync(number, attributes, batch);
            Assert.Equal(world.Oracle.Head.Hash, made.Block!.Hash);
        }

        using var reader = await world.OpenAsync();
        Assert.Empty(world.Differences(reader, [0, 1, 5, 11, 12], Watched(world)));
    }

    [Fact]
    public async Task Of_two_executors_at_once_one_makes_the_block_and_the_other_finds_it()
    {
        var world = new DocumentWorld(13, 40, Tiny);
        using var one = await world.OpenAsync();
        using var two = await world.OpenAsync();
        for (ulong number = 1; number <= 25; number++)
        {
            var (attributes, batch) = world.NextBatch(10);
            var ends = await Task.WhenAll(
                Task.Run(() => one.ProduceAsync(number, attributes, batch)),
                Task.Run(() => two.ProduceAsync(number, attributes, batch)));
            Assert.All(ends, end => Assert.Equal(world.Oracle.Head.Hash, end.Block!.Hash));
        }

        Assert.Empty(world.Differences(one, [0, 1, 13, 25], Watched(world)));
        Assert.Empty(world.Differences(two, [0, 1, 13, 25], Watched(world)));
    }

    [Fact]
    public async Task An_executor_that_slept_through_other_blocks_overwrites_nothing()
    {
        var world = new DocumentWorld(14, 40, Tiny);
        using var waking = await world.OpenAsync();
        var (attributes, batch) = world.NextBatch(10);
        var sleeper = new MortalPorts(world.Ports);
        using var slow = await world.OpenAsync(sleeper.Ports);
        var asleep = false;
        sleeper.BeforeDocumentWrite = async key =>
        {
            // Between its claim and its first page the other one makes this block and two more.
            if (!asleep && key.Container == world.Options.State.Container)
            {
                asleep = true;
                await waking.ProduceAsync(1, attributes, batch);
                for (ulong number = 2; number <= 3; number++)
                {
                    var (later, more) = world.NextBatch(10);
                    await waking.ProduceAsync(number, later, more);
                }
            }
        };
        var first = world.Oracle.Head.Hash;
        var end = await slow.ProduceAsync(1, attributes, batch);
        Assert.Equal(ProduceStatus.AlreadyThere, end.Status);
        Assert.Equal(first, end.Block!.Hash);
        Assert.Equal(3UL, slow.Head.Number);
        Assert.Empty(world.Differences(slow, [1, 2, 3], Watched(world)));
        Assert.Empty(world.Differences(waking, [1, 2, 3], Watched(world)));
    }

    [Fact]
    public async Task The_same_batch_executed_twice_answers_the_same_block_and_writes_nothing()
    {
        var world = new DocumentWorld(15);
        var counted = new MortalPorts(world.Ports);
        using var chain = await world.OpenAsync(counted.Ports);
        var (attributes, batch) = world.NextBatch(10);
        var made = await chain.ProduceAsync(1, attributes, batch);
        var writes = counted.Writes;
        var again = await chain.ProduceAsync(1, attributes, batch);
        Assert.Equal(ProduceStatus.AlreadyThere, again.Status);
        Assert.Equal(made.Block!.Hash, again.Block!.Hash);
        Assert.Equal(writes, counted.Writes);
        Assert.Equal(ProduceStatus.Gap, (await chain.ProduceAsync(3, attributes, batch)).Status);
    }

    [Fact]
    public async Task Of_many_who_begin_a_chain_at_once_each_has_it_whole()
    {
        var world = new DocumentWorld(17, 200, Tiny);
        var slow = Enumerable.Range(0, 4).Select(_ => new MortalPorts(world.Ports)
        {
            BeforeDocumentWrite = async _ => await Task.Yield(),
        });
        var chains = await Task.WhenAll(slow.Select(ports => Task.Run(() => world.OpenAsync(ports.Ports))));
        var watched = Watched(world);
        Assert.All(chains, chain => Assert.Empty(world.Differences(chain, [0], watched)));
        var (attributes, batch) = world.NextBatch(12);
        var made = await Task.WhenAll(chains.Select(chain => chain.ProduceAsync(1, attributes, batch)));
        Assert.Single(made, end => end.Status == ProduceStatus.Made);
        Assert.All(chains, chain => Assert.Empty(world.Differences(chain, [0, 1], watched)));
    }

    [Fact]
    public async Task Finality_that_moves_while_a_block_is_written_does_not_disturb_it()
    {
        var world = new DocumentWorld(19, 40, Tiny);
        using var other = await world.OpenAsync();
        var ports = new MortalPorts(world.Ports);
        using var chain = await world.OpenAsync(ports.Ports);
        var (attributes, batch) = world.NextBatch(10);
        await chain.ProduceAsync(1, attributes, batch);
        var moved = 0;
        ports.BeforeDocumentWrite = async key =>
        {
            if (key.Container == world.Options.State.Container && moved++ == 0)
            {
                await other.RefreshAsync();
                await other.SetFinalityAsync(1, 1);
            }
        };
        (attributes, batch) = world.NextBatch(10);
        var before = ports.DocumentWrites;
        Assert.Equal(ProduceStatus.Made, (await chain.ProduceAsync(2, attributes, batch)).Status);
        Assert.Equal(moved + 3, ports.DocumentWrites - before); // the claim, a flip in vain, the flip
        Assert.Equal(1UL, chain.FinalizedNumber);
        Assert.Empty(world.Differences(chain, [0, 1, 2], Watched(world)));
    }

    [Fact]
    public async Task A_claim_of_thousands_of_pages_is_taken_over_like_any_other()
    {
        var world = new DocumentWorld(20, 14_000, new PagedOptions { PageBytes = 256 });
        foreach (var deadAt in new[] { 3, 1_900 })
        {
            await Assert.ThrowsAsync<StoreException>(() => world.OpenAsync(new MortalPorts(world.Ports, deadAt).Ports));
        }

        using var chain = await world.OpenAsync();
        Assert.Empty(world.Differences(chain, [0], [.. Watched(world), DocumentWorld.Person(13_999)]));
    }

    [Fact]
    public async Task A_page_that_is_gone_is_damage_and_not_an_empty_state()
    {
        var world = new DocumentWorld(18, 20);
        using (await world.OpenAsync())
        {
        }

        var container = world.Options.State.Container;
        await world.Ports.Documents.DeleteAsync(new(container, "a.0", "a.0"));
        using var chain = await world.OpenAsync();
        var state = chain.StateAt(0).State!;
        Assert.Throws<StoreException>(() => state.ReadAccount(world.Senders[0], out _));
    }

    [Fact]
    public async Task A_store_of_another_genesis_is_refused()
    {
        var world = new DocumentWorld(16);
        using (await world.OpenAsync())
        {
        }

        var other = new DocumentWorld(16, accounts: 1);
        var refusal = await Assert.ThrowsAsync<StoreException>(() => other.OpenAsync(world.Ports));
        Assert.Contains("another chain", refusal.Message);
    }

    /// <summary>Runs the work in processes that die at their first, second, third … write, until one lives.</summary>
    private static async Task DieEverywhereAsync(DocumentWorld world, Func<DocumentChainPorts, Task<bool>> work)
    {
        for (var deadAt = 1; ; deadAt++)
        {
            var process = new MortalPorts(world.Ports, deadAt, writesFirst: deadAt % 2 == 0);
            try
            {
                Assert.True(await work(process.Ports));
                return;
            }
            catch (StoreException)
            {
                Assert.True(process.Writes >= deadAt);
                await ExpectWholeAsync(world);
            }
        }
    }

    /// <summary>Whatever is written, a reader finds whole blocks only.</summary>
    private static async Task ExpectWholeAsync(DocumentWorld world)
    {
        if (await world.Ports.Documents.GetAsync(new(world.Options.HeadContainer, "head", "head")) is null)
        {
            return;
        }

        var silent = new MortalPorts(world.Ports, deadAt: 1).Ports;
        try
        {
            using var reader = await world.OpenAsync(silent);
            Assert.InRange(reader.Head.Number, world.Oracle.Head.Number - Math.Min(1, world.Oracle.Head.Number),
                world.Oracle.Head.Number);
            Assert.Empty(world.Differences(reader, [reader.Head.Number], Watched(world)));
        }
        catch (StoreException) when (world.Oracle.Head.Number == 0)
        {
            // The first block is not whole yet, and this one may not write.
        }
    }

    private static (BlockAttributes Attributes, List<Transaction> Batch) OtherBatch(DocumentWorld world, ulong number)
    {
        var batch = new List<Transaction>();
        for (var i = 0; i < 40; i++)
        {
            batch.Add(world.Stray(i % 6, i / 6, DocumentWorld.Person(500 + ((int)number * 40) + i)));
        }

        return (new BlockAttributes { Timestamp = world.Oracle.Head.Header.Timestamp + 9 }, batch);
    }
}
