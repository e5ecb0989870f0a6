using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>A state that is taken over reads as one that was executed, wherever the taking dies.</summary>
public sealed class StateTakeoverTests
{
    /// <summary>Bytes of a part: small, so that there are many.</summary>
    private const int PartBytes = 2_000;

    private static readonly PagedOptions Tiny = new() { PageBytes = 512, LogBytes = 512, HistoryBlocks = 4_000 };

    [Theory]
    [InlineData(1, 0, 3, 512)]
    [InlineData(2, 300, 40, 512)]
    [InlineData(3, 2_500, 40, 256)]
    [InlineData(4, 60, 300, 48 << 10)]
    public async Task A_state_taken_over_from_pages_or_a_store_goes_on_as_the_executed_one(
        int seed, int accounts, int blocks, int pageBytes)
    {
        var world = new DocumentWorld(seed, accounts, Tiny with { PageBytes = pageBytes });
        using var giver = await world.OpenAsync();
        await AdvanceAsync(world, blocks, giver);
        var held = world.Oracle.ExportState();
        await AdvanceAsync(world, 4, giver); // pages have gone on: the state given out is an older one
        var number = (ulong)blocks;
        foreach (var parts in (IStateParts[])[giver.ExportState(number)!, held])
        {
            var ports = NewPorts();
            using var taker = await world.OpenAsync(ports);
            using var reader = await world.OpenAsync(ports);
            if (parts == held)
            {
                await ReplayAsync(world, taker, 2); // it has blocks of its own
            }

            await TakeAsync(world, taker, parts);
            Assert.Equal((number, number, number), (taker.Head.Number, taker.OldestStateNumber, taker.FinalizedNumber));
            Assert.True(await reader.RefreshAsync());
            Assert.Equal(StateAvailability.Pruned, reader.StateAt(number - 1).Availability);
            await ReplayAsync(world, taker, number + 4);
            await reader.RefreshAsync();
            using var fresh = await world.OpenAsync(ports);
            ulong[] readable = [.. Enumerable.Range(0, 5).Select(i => number + (ulong)i)];
            foreach (var any in new[] { taker, reader, fresh })
            {
                Assert.Empty(world.Differences(any, readable, Interesting(world)));
                RequireHistory(world, any, number);
            }
        }

        held.Dispose();
    }

    [Fact]
    public async Task Chains_that_took_a_state_over_write_groups_of_headers_as_others_do()
    {
        var world = new DocumentWorld(5, 20, Tiny);
        using var giver = await world.OpenAsync();
        await AdvanceAsync(world, 281, giver);
        var ports = NewPorts();
        using var taker = await world.OpenAsync(ports);
        await TakeAsync(world, taker, giver.ExportState(281)!);
        await AdvanceAsync(world, 320, giver);
        await ReplayAsync(world, taker, 601);
        using var fresh = await world.OpenAsync(ports);
        for (ulong number = 0; number <= 601; number++)
        {
            var expected = number is 0 or >= 26 ? world.Oracle.GetHeader(number)!.Hash : (Hash256?)null;
            Assert.Equal(expected, fresh.GetHeader(number)?.Hash);
        }
    }

    [Fact]
    public async Task A_taking_that_dies_at_any_write_shows_nothing_and_is_gone_on_with()
    {
        var world = new DocumentWorld(6, 90, Tiny);
        using var giver = await world.OpenAsync();
        await AdvanceAsync(world, 18, giver);
        var ports = NewPorts();
        using var reader = await world.OpenAsync(ports);
        var (deadAt, saved) = (1, Array.Empty<byte>());
        for (var isDone = false; !isDone; deadAt += 7)
        {
            var mortal = new MortalPorts(ports, deadAt, writesFirst: deadAt % 2 == 0);
            try
            {
                using var taker = await world.OpenAsync(mortal.Ports);
                await TakeAsync(world, taker, giver.ExportState(18)!, saved, kept => saved = kept);
                isDone = true;
            }
            catch (StoreException)
            {
                await reader.RefreshAsync();
                Assert.True(reader.Head.Number is 0 or 18);
                Assert.Empty(world.Differences(reader, [reader.Head.Number], Interesting(world)));
            }
        }

        Assert.True(deadAt > 20);
        await reader.RefreshAsync();
        Assert.Empty(world.Differences(reader, [18], Interesting(world)));
    }

    [Fact]
    public async Task Who_executes_while_a_state_is_put_in_place_finds_its_block_there_or_goes_on_from_it()
    {
        var world = new DocumentWorld(7, 60, Tiny);
        using var giver = await world.OpenAsync();
        await AdvanceAsync(world, 12, giver);
        var ports = NewPorts();
        using var taker = await world.OpenAsync(ports);
        using var executor = await world.OpenAsync(ports);
        await ReplayAsync(world, executor, 3);
        var takeover = await TakenAsync(world, taker, giver.ExportState(12)!, [], _ => { });
        var mortal = new MortalPorts(ports);
        using var late = await world.OpenAsync(mortal.Ports);
        mortal.BeforeDocumentWrite = async key =>
        {
            if (key.Container == "pages")
            {
                mortal.BeforeDocumentWrite = null;
                await taker.TakeOverAsync(takeover);
            }
        };
        var (attributes, batch) = world.Batches[3];
        var end = await late.ProduceAsync(4, attributes, batch);
        Assert.Equal((ProduceStatus.AlreadyThere, world.Oracle.GetHeader(4)!.Hash), (end.Status, end.Block!.Hash));
        Assert.Equal(12UL, late.Head.Number);
        await AdvanceAsync(world, 3, late);
        Assert.Empty(world.Differences(late, [12, 13, 14, 15], Interesting(world)));
        await executor.RefreshAsync();
        Assert.Empty(world.Differences(executor, [12, 15], Interesting(world)));
    }

    [Fact]
    public async Task Parts_that_are_none_of_the_state_are_refused()
    {
        var world = new DocumentWorld(8, 60, Tiny);
        using var giver = await world.OpenAsync();
        await AdvanceAsync(world, 5, giver);
        Assert.Null(giver.ExportState(6));
        var parts = giver.ExportState(5)!;
        var takeover = giver.BeginTakeover(5, giver.Head.Hash);
        var (block, receipts) = SnapshotBlocks.Read(giver, 4)!.Value;
        await Assert.ThrowsAsync<StoreException>(() => takeover.TakeBlockAsync(block, receipts, default));
        (block, receipts) = SnapshotBlocks.Read(giver, 5)!.Value;
        await takeover.TakeBlockAsync(block, receipts, default);
        var intake = new StateIntake(giver.Head.Header.StateRoot);
        var part = parts.Read(intake.Next(64), PartBytes)!;
        part.Nodes[0][^1] ^= 1;
        await Assert.ThrowsAsync<StoreException>(() => takeover.TakeNodesAsync(part, default));
        Assert.Null(parts.Read([intake.Next(1)[0] with { Hash = Hash256.Zero }], PartBytes));
        Assert.Null(parts.Code(Hash256.Zero));
        Assert.Throws<StoreException>(() => giver.BeginTakeover(5, Hash256.Zero, takeover.Save()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => takeover.EndAsync(default));
    }

    private static DocumentChainPorts NewPorts() => new(
        new InMemoryDocumentStore(), new InMemoryBlobStore(), new InMemoryRowStore(), TimeProvider.System);

    private static async Task AdvanceAsync(DocumentWorld world, int blocks, DocumentChain chain)
    {
        for (var i = 0; i < blocks; i++)
        {
            var (attributes, batch) = world.NextBatch(i % 6);
            await chain.ProduceAsync(world.Oracle.Head.Number, attributes, batch);
            Assert.Equal(world.Oracle.Head.Hash, chain.Head.Hash);
        }
    }

    /// <summary>Executes what the oracle executed, from the chain's head on.</summary>
    private static async Task ReplayAsync(DocumentWorld world, DocumentChain chain, ulong to)
    {
        for (var number = chain.Head.Number + 1; number <= to; number++)
        {
            var (attributes, batch) = world.Batches[(int)number - 1];
            var made = await chain.ProduceAsync(number, attributes, batch);
            Assert.Equal(world.Oracle.GetHeader(number)!.Hash, made.Block!.Hash);
        }
    }

    private static async Task TakeAsync(
        DocumentWorld world, DocumentChain taker, IStateParts parts, byte[]? saved = null, Action<byte[]>? keep = null)
        => await taker.TakeOverAsync(await TakenAsync(world, taker, parts, saved ?? [], keep ?? (_ => { })));

    /// <summary>As a transfer does it: part by part, begun anew after each of them from what was kept.</summary>
    private static async Task<StateTakeover> TakenAsync(
        DocumentWorld world, DocumentChain taker, IStateParts parts, byte[] saved, Action<byte[]> keep)
    {
        var hash = world.Oracle.GetHeader(parts.Number)!.Hash;
        var takeover = taker.BeginTakeover(parts.Number, hash, saved);
        for (var number = parts.Number; !takeover.HasBlocks; number--)
        {
            if (saved.Length == 0)
            {
                var (block, receipts) = SnapshotBlocks.Read(world.Oracle, number)!.Value;
                await takeover.TakeBlockAsync(block, receipts, default);
            }
        }

        var codes = new HashSet<Hash256>();
        var intake = new StateIntake(world.Oracle.GetHeader(parts.Number)!.Header.StateRoot);
        while (!intake.IsComplete)
        {
            var places = intake.Next(StateImport.MaximumPlaces);
            var part = parts.Read(places, PartBytes)!;
            Assert.Null(intake.Take(part, codes));
            if (takeover.Places.Count == 0 || takeover.Places[0] != places[0])
            {
                continue; // an earlier process has taken it
            }

            await takeover.TakeNodesAsync(part, default);
            keep(saved = takeover.Save());
            takeover = taker.BeginTakeover(parts.Number, hash, saved);
        }

        foreach (var code in codes)
        {
            await takeover.TakeCodeAsync(parts.Code(code)!, default);
        }

        await takeover.EndAsync(default);
        return takeover;
    }

    /// <summary>Blocks below the state: the 256 that BLOCKHASH sees are there, those before are not.</summary>
    private static void RequireHistory(DocumentWorld world, DocumentChain chain, ulong number)
    {
        var last = number > SnapshotBlocks.Count ? number - SnapshotBlocks.Count + 1 : 1;
        for (ulong at = 0; at < number; at++)
        {
            var isThere = at == 0 || at >= last;
            Assert.Equal(isThere ? world.Oracle.GetHeader(at)!.Hash : null, chain.GetHeader(at)?.Hash);
            Assert.Equal(isThere, chain.GetBlock(at) is not null);
            Assert.Equal(isThere, chain.GetReceipts(at) is not null);
            foreach (var transaction in isThere ? world.Oracle.GetBlock(at)!.Block.Transactions : [])
            {
                Assert.Equal(
                    world.Oracle.FindTransaction(transaction.Hash), chain.FindTransaction(transaction.Hash));
            }
        }
    }

    private static IEnumerable<Address> Interesting(DocumentWorld world) =>
    [
        .. world.Senders, DocumentWorld.Storage, Address.FromNumber(0xFEE), Address.FromNumber(0xDEAD),
        .. world.Created, .. Enumerable.Range(0, 12).Select(i => DocumentWorld.Person(i * 37)),
    ];
}
