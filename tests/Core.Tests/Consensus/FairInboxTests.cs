using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

public sealed class FairInboxTests
{
    private static readonly Address Flooder = Address.FromNumber(1);
    private static readonly Address Quiet = Address.FromNumber(2);

    [Fact]
    public void A_flood_of_one_peer_delays_another_by_one_message()
    {
        var inbox = new FairInbox<int>(100, 10_000, 8);
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(i < 100, inbox.TryAdd(Flooder, i, 10));
        }

        Assert.True(inbox.TryAdd(Quiet, 1000, 10));
        Assert.Equal((101, 400L), (inbox.Count, inbox.Refused));
        Assert.True(inbox.TryTake(out var first, out _));
        Assert.True(inbox.TryTake(out var second, out var message));
        Assert.Equal((Flooder, Quiet, 1000), (first, second, message));
    }

    [Fact]
    public void Messages_of_one_peer_keep_their_order_and_all_come_out()
    {
        var inbox = new FairInbox<int>(10, 1000, 8);
        for (var i = 0; i < 10; i++)
        {
            inbox.TryAdd(i % 2 == 0 ? Flooder : Quiet, i, 1);
        }

        var taken = new List<(Address Peer, int Item)>();
        while (inbox.TryTake(out var peer, out var item))
        {
            taken.Add((peer, item));
        }

        Assert.Equal([0, 2, 4, 6, 8], taken.Where(one => one.Peer == Flooder).Select(one => one.Item));
        Assert.Equal([1, 3, 5, 7, 9], taken.Where(one => one.Peer == Quiet).Select(one => one.Item));
        Assert.Equal(0, inbox.Count);
        Assert.True(inbox.TryAdd(Flooder, 11, 1));
    }

    [Fact]
    public void Bytes_and_peers_are_bounded_too()
    {
        var inbox = new FairInbox<int>(10, 100, 1);
        Assert.True(inbox.TryAdd(Flooder, 1, 60));
        Assert.False(inbox.TryAdd(Flooder, 2, 60));
        Assert.False(inbox.TryAdd(Quiet, 3, 1));
    }
}
