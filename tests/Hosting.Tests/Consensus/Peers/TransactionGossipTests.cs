using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Tests.Consensus.Peers;

public sealed class TransactionGossipTests
{
    private static readonly Address[] Peers = [.. Enumerable.Range(1, 9).Select(i => Address.FromNumber((ulong)i))];

    private static readonly Address Self = Address.FromNumber(99);

    private readonly List<(IReadOnlyList<Address> To, Request Request)> _relayed = [];

    [Fact]
    public void Broadcast_goes_to_all_and_is_not_passed_on()
    {
        var gossip = Gossip(GossipMode.Broadcast);
        Assert.Equal(Peers, gossip.Receivers(Transactions(1), Peers));
        var request = Transactions(2);
        Assert.Same(request, gossip.Passed(Peers[0], request));
        Assert.Empty(_relayed);
    }

    [Fact]
    public void Directed_goes_to_the_leader_alone_and_to_the_next_one_when_it_begins()
    {
        var gossip = Gossip(GossipMode.Directed);
        gossip.Passed(Peers[0], ProposalOf(Peers[4]));
        Assert.Equal([Peers[4]], gossip.Receivers(Transactions(1), Peers));
        gossip.Passed(Peers[0], ProposalOf(Peers[5]));
        var told = Assert.Single(_relayed);
        Assert.Equal([Peers[5]], told.To);
        Assert.Equal([[1]], told.Request.Transactions);
        gossip.Receivers(ProposalOf(Self), Peers);
        Assert.Empty(gossip.Receivers(Transactions(1), Peers));
        gossip.Receivers(new NewView(1, [], 0, []), Peers);
        Assert.Equal(Peers, gossip.Receivers(Transactions(1), Peers));
    }

    [Fact]
    public void Flood_passes_on_what_is_new_to_all_but_its_sender()
    {
        var gossip = Gossip(GossipMode.Flood);
        gossip.Receivers(Transactions(1), Peers);
        var passed = (Request)gossip.Passed(Peers[0], Transactions(1, 2))!;
        Assert.Equal([[2]], passed.Transactions);
        Assert.Equal(Peers[1..], Assert.Single(_relayed).To);
        Assert.Equal(1, gossip.Repeated);
    }

    [Fact]
    public void Gossip_goes_to_the_leader_and_as_many_others_as_it_fans_out_to()
    {
        var gossip = Gossip(GossipMode.Gossip);
        gossip.Passed(Peers[0], ProposalOf(Peers[7]));
        var receivers = gossip.Receivers(Transactions(1), Peers);
        Assert.Equal(3, receivers.Distinct().Count());
        Assert.Equal(Peers[7], receivers[0]);
        gossip.Passed(Peers[2], Transactions(3));
        var relayed = Assert.Single(_relayed);
        Assert.Equal(3, relayed.To.Distinct().Count());
        Assert.DoesNotContain(Peers[2], relayed.To);
    }

    [Fact]
    public void Gossip_reaches_everybody_and_runs_out()
    {
        var random = new Random(5);
        var nodes = Peers.ToDictionary(peer => peer, _ => new HashSet<byte>());
        var queue = new Queue<(Address From, Address To, Request Request)>();
        var gossips = Peers.ToDictionary(peer => peer, peer =>
        {
            var gossip = new TransactionGossip(GossipMode.Gossip, 4, peer, random.Next);
            gossip.SetPeers([.. Peers.Where(other => other != peer)]);
            gossip.Relay = (to, request) =>
            {
                foreach (var receiver in to)
                {
                    queue.Enqueue((peer, receiver, request));
                }
            };
            return gossip;
        });
        foreach (var to in gossips[Peers[0]].Receivers(Transactions(1), Peers[1..]))
        {
            queue.Enqueue((Peers[0], to, Transactions(1)));
        }

        var sent = 0;
        for (; queue.TryDequeue(out var next); sent++)
        {
            var passed = gossips[next.To].Passed(next.From, next.Request);
            nodes[next.To].UnionWith(((Request?)passed)?.Transactions.Select(transaction => transaction[0]) ?? []);
        }

        Assert.All(Peers[1..], peer => Assert.Equal([(byte)1], nodes[peer]));
        Assert.True(sent <= 4 * Peers.Length);
    }

    [Fact]
    public void The_memory_of_what_was_seen_is_bounded()
    {
        var seen = new SeenCache();
        for (ulong i = 0; i < 3 * SeenCache.Capacity; i++)
        {
            Assert.True(seen.Add(Keccak256.Hash(BitConverter.GetBytes(i))));
            Assert.True(seen.Count <= SeenCache.Capacity);
        }

        Assert.False(seen.Add(Keccak256.Hash(BitConverter.GetBytes((3UL * SeenCache.Capacity) - 1))));
    }

    private TransactionGossip Gossip(GossipMode mode)
    {
        var random = new Random(3);
        var gossip = new TransactionGossip(mode, 3, Self, random.Next)
        {
            Relay = (to, request) => _relayed.Add((to, request)),
        };
        gossip.SetPeers(Peers);
        return gossip;
    }

    private static PrePrepare ProposalOf(Address proposer) => new(
        0, BatchHeader.Genesis(default, 0, 0) with { Proposer = proposer }, [], []);

    private static Request Transactions(params byte[] numbers) => new([.. numbers.Select(number => new[] { number })]);
}
