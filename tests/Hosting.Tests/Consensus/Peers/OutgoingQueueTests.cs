using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Tests.Consensus.Peers;

public sealed class OutgoingQueueTests
{
    private readonly OutgoingQueue _queue = new();

    [Fact]
    public void Urgent_messages_overtake_and_numbers_follow_the_order_of_sending()
    {
        Add(1, 2);
        _queue.Add([9], isUrgent: true);
        Assert.Equal((1UL, "9,1,2"), Gather());
        Add(3);
        Assert.Equal((4UL, "3"), Gather());
    }

    [Fact]
    public void What_the_peer_does_not_have_goes_again_before_all_else()
    {
        Add(1, 2, 3, 4);
        Gather();
        _queue.Acknowledge(1);
        Add(5);
        _queue.Reopen(acknowledged: 2);
        Assert.Equal((3UL, "3,4"), Gather());
        Assert.Equal((5UL, "5"), Gather());
        Assert.Equal((6UL, string.Empty), Gather());
    }

    [Fact]
    public void An_acknowledgement_while_repeating_takes_out_what_came_through()
    {
        Add(1, 2, 3);
        Gather();
        _queue.Reopen(0);
        _queue.Acknowledge(2);
        Assert.Equal((3UL, "3"), Gather());
    }

    [Fact]
    public void Nothing_is_kept_for_a_peer_that_is_not_reached()
    {
        Add(1, 2);
        Gather();
        _queue.Close();
        Add(3);
        _queue.Reopen(0);
        Add(4);
        Assert.Equal((3UL, "4"), Gather());
        Assert.Equal(3, _queue.Dropped);
    }

    [Fact]
    public void A_full_queue_drops_the_oldest_and_no_vote_while_there_is_something_else()
    {
        _queue.Add([200], isUrgent: true);
        for (var i = 0; i < OutgoingQueue.MaximumWaiting + 5; i++)
        {
            _queue.Add([(byte)i], isUrgent: false);
        }

        Assert.Equal(6, _queue.Dropped);
        Assert.StartsWith("200,6,7,", Gather().Messages);
    }

    [Fact]
    public void No_more_goes_out_than_may_be_unacknowledged()
    {
        var sent = 0UL;
        for (var i = 0; i < 100; i++)
        {
            _queue.Add(new byte[1 << 19], isUrgent: false);
        }

        while (_queue.HasReady)
        {
            var messages = new List<byte[]>();
            _queue.Gather(messages);
            sent += (ulong)messages.Count;
        }

        Assert.Equal((ulong)OutgoingQueue.MaximumUnacknowledged >> 19, sent);
        _queue.Acknowledge(sent);
        Assert.True(_queue.HasReady);
    }

    private void Add(params byte[] messages)
    {
        foreach (var message in messages)
        {
            _queue.Add([message], isUrgent: false);
        }
    }

    private (ulong First, string Messages) Gather()
    {
        var messages = new List<byte[]>();
        return (_queue.Gather(messages), string.Join(',', messages.Select(message => message[0])));
    }
}
