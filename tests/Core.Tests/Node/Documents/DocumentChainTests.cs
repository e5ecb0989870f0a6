using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;

namespace SuperVm.Core.Tests.Node;

public sealed class DocumentChainTests
{
    /// <summary>Pages of a few entries and next to no log: everything that may happen to a page does.</summary>
    private static readonly PagedOptions Tiny = new() { PageBytes = 512, LogBytes = 512, HistoryBlocks = 4_000 };

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 300)]
    public async Task Random_batches_read_as_on_the_single_process_chain(int seed, int accounts)
    {
        var world = new DocumentWorld(seed, accounts, Tiny);
        using var chain = await world.OpenAsync();
        using var reader = await world.OpenAsync();
        var announced = new List<ulong>();
        reader.HeadChanged += change => announced.AddRange(change.Added.Select(block => block.Block.Number));
        Assert.Equal(world.Oracle.Head.Hash, chain.Head.Hash);
        for (ulong number = 1; number <= 50; number++)
        {
            var (attributes, batch) = world.NextBatch((int)(number % 7) * 4);
            var made = await chain.ProduceAsync(number, attributes, batch);
            Assert.Equal(ProduceStatus.Made, made.Status);
            Assert.Equal(world.Oracle.Head.Hash, made.Block!.Hash);
            if (number % 5 == 0)
            {
                Assert.True(await reader.RefreshAsync());
                Assert.Empty(world.Differences(reader, [number, number / 2], Interesting(world, (int)number)));
            }
        }

        Assert.Equal(Enumerable.Range(1, 50).Select(number => (ulong)number), announced);
        Assert.Contains(world.Created, address => IsGone(world, address));
        using var fresh = await world.OpenAsync();
        foreach (var any in new[] { chain, reader, fresh })
        {
            Assert.Empty(world.Differences(any, [0, 1, 7, 31, 32, 33, 49, 50], Interesting(world, 3)));
        }
    }

    /// <summary>Whether a contract that had storage destroyed itself.</summary>
    private static bool IsGone(DocumentWorld world, Address address) =>
        world.Oracle.StateAt(50).State!.ReadAccount(address, out _) == ReadStatus.Absent
        && Enumerable.Range(1, 50).Any(number =>
            world.Oracle.StateAt((ulong)number).State!.ReadAccount(address, out var account) == ReadStatus.Found
            && account.HasStorage);

    private static IEnumerable<Address> Interesting(DocumentWorld world, int seed) =>
    [
        .. world.Senders, DocumentWorld.Storage, Address.FromNumber(0xFEE), Address.FromNumber(0xDEAD),
        .. world.Created.TakeLast(3),
        .. Enumerable.Range(0, 6).Select(i => DocumentWorld.Person((seed * 37 + i * 61) % 400)),
    ];
}
