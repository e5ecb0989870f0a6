using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using static SuperVm.Core.Tests.Mempool.PoolSamples;

namespace SuperVm.Core.Tests.Mempool;

public sealed class TransactionPoolTests
{
    private static readonly UInt256 Rich = new(ulong.MaxValue, 1);
    private readonly AccountTable _state = new();
    private readonly StandingClock _clock = new();

    public TransactionPoolTests()
    {
        for (var i = 0; i < 8; i++)
        {
            _state.Set(Sender(i), 5, Rich);
        }
    }

    [Fact]
    public void A_transaction_behind_a_gap_waits_until_the_gap_is_filled()
    {
        var pool = Pool();
        Assert.Equal(PoolStatus.Queued, pool.Add(Transfer(0, 6, 10)).Status);
        Assert.Equal(5UL, pool.NextNonce(Sender(0)));
        Assert.Empty(pool.Select(Everything()));
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(0, 5, 10)).Status);
        Assert.Equal(7UL, pool.NextNonce(Sender(0)));
        Assert.Equal([5UL, 6UL], pool.Select(Everything()).Select(transaction => transaction.Nonce));
    }

    [Fact]
    public void Used_nonces_missing_funds_and_known_transactions_are_refused_by_name()
    {
        var pool = Pool();
        Assert.Equal(PoolStatus.NonceTooLow, pool.Add(Transfer(0, 4, 10)).Status);
        var known = Transfer(0, 5, 10);
        Assert.Equal(PoolStatus.Pending, pool.Add(known).Status);
        Assert.Equal(PoolStatus.AlreadyKnown, pool.Add(known).Status);
        var poor = pool.Add(Transfer(100, 0, 10));
        Assert.Equal(PoolStatus.InsufficientFunds, poor.Status);
        Assert.Equal<UInt256>(210_000UL, poor.Cost);
        Assert.Equal(1, pool.Count);
    }

    [Fact]
    public void All_transactions_of_a_sender_together_must_be_covered()
    {
        _state.Set(Sender(9), 0, 400_000);
        var pool = Pool();
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(9, 0, 10)).Status);
        Assert.Equal(PoolStatus.InsufficientFunds, pool.Add(Transfer(9, 1, 10)).Status);
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(9, 1, 9)).Status);
        Assert.Equal(PoolStatus.InsufficientFunds, pool.Add(Transfer(9, 0, 11)).Status);
    }

    [Theory]
    [InlineData(109UL, 110UL, PoolStatus.ReplacementUnderpriced)]
    [InlineData(110UL, 109UL, PoolStatus.ReplacementUnderpriced)]
    [InlineData(110UL, 110UL, PoolStatus.Pending)]
    public void A_replacement_raises_both_fees_by_a_tenth(ulong cap, ulong tip, PoolStatus expected)
    {
        var pool = Pool();
        var old = Transfer(0, 5, 100, 100);
        pool.Add(old);
        var next = Transfer(0, 5, cap, tip);
        Assert.Equal(expected, pool.Add(next).Status);
        Assert.Equal(1, pool.Count);
        if (expected == PoolStatus.Pending)
        {
            Assert.Equal(new DropRecord(DropCause.Replaced, next.Hash.ToString()), pool.WhyDropped(old.Hash));
        }
    }

    [Fact]
    public void A_full_pool_gives_up_the_lowest_fee_and_refuses_what_pays_no_more()
    {
        var pool = Pool(new MempoolOptions { MaximumCount = 3 });
        var cheap = Transfer(0, 5, 10);
        pool.Add(cheap);
        pool.Add(Transfer(1, 5, 20));
        pool.Add(Transfer(2, 5, 30));
        Assert.Equal(PoolStatus.Underpriced, pool.Add(Transfer(3, 5, 10)).Status);
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(4, 5, 11)).Status);
        Assert.Equal(DropCause.Evicted, pool.WhyDropped(cheap.Hash)?.Cause);
        Assert.Equal(3, pool.Count);
    }

    [Fact]
    public void The_bytes_of_all_transactions_have_a_limit()
    {
        var pool = Pool(new MempoolOptions { MaximumBytes = 4_096 });
        Assert.Equal(PoolStatus.TooLarge, pool.Add(Transfer(0, 5, 10, data: 8_192)).Status);
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(0, 5, 10, data: 2_048)).Status);
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(1, 5, 20, data: 2_048)).Status);
        Assert.Equal(1, pool.Count);
        Assert.InRange(pool.Counts().Bytes, 1, 4_096);
    }

    [Fact]
    public void A_sender_has_a_share_of_the_pool()
    {
        var pool = Pool(new MempoolOptions { MaximumPerSender = 3, MaximumQueuedPerSender = 1 });
        Assert.Equal(PoolStatus.Queued, pool.Add(Transfer(0, 7, 10)).Status);
        Assert.Equal(PoolStatus.SenderLimit, pool.Add(Transfer(0, 8, 10)).Status);
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(0, 5, 10)).Status);
        Assert.Equal(PoolStatus.Pending, pool.Add(Transfer(0, 6, 10)).Status);
        Assert.Equal(PoolStatus.SenderLimit, pool.Add(Transfer(0, 8, 10)).Status);
    }

    [Fact]
    public void A_block_takes_its_transactions_out_and_drops_what_it_made_invalid()
    {
        var pool = Pool();
        var included = Transfer(0, 5, 10);
        var overtaken = Transfer(1, 5, 10);
        var stays = Transfer(0, 6, 10);
        foreach (var transaction in new[] { included, overtaken, stays })
        {
            pool.Add(transaction);
        }

        var other = Transfer(1, 5, 50);
        pool.OnHead(_state.Copy().Set(Sender(0), 6, Rich).Set(Sender(1), 6, Rich), [included, other], []);
        Assert.Equal(1, pool.Count);
        Assert.NotNull(pool.Find(stays.Hash));
        Assert.Null(pool.WhyDropped(included.Hash));
        Assert.Equal(DropCause.NonceUsed, pool.WhyDropped(overtaken.Hash)?.Cause);
        pool.OnHead(_state.Copy().Set(Sender(0), 6, 0), [], [new InvalidTransaction(stays, "InsufficientFunds")]);
        Assert.Equal(0, pool.Count);
        Assert.Equal(new DropRecord(DropCause.Invalid, "InsufficientFunds"), pool.WhyDropped(stays.Hash));
    }

    [Fact]
    public void Queued_transactions_and_reasons_of_drops_grow_old()
    {
        var pool = Pool();
        var waits = Transfer(0, 9, 10);
        pool.Add(waits);
        pool.Add(Transfer(1, 5, 10));
        _clock.Move(TimeSpan.FromHours(4));
        pool.OnHead(_state, [], []);
        Assert.Equal(DropCause.Expired, pool.WhyDropped(waits.Hash)?.Cause);
        Assert.Equal(1, pool.Count);
        _clock.Move(TimeSpan.FromHours(2));
        Assert.Null(pool.WhyDropped(waits.Hash));
    }

    [Fact]
    public void A_rewound_state_gives_nonces_back()
    {
        var pool = Pool();
        pool.Add(Transfer(0, 6, 10));
        pool.Reset(_state.Copy().Set(Sender(0), 6, Rich));
        Assert.Equal(7UL, pool.NextNonce(Sender(0)));
        pool.Reset(_state);
        Assert.Equal(5UL, pool.NextNonce(Sender(0)));
        Assert.Equal(new PoolCounts(0, 1, 1, pool.Counts().Bytes), pool.Counts());
    }

    [Fact]
    public async Task Many_threads_may_offer_while_blocks_are_made()
    {
        var pool = Pool();
        const int PerSender = 2_000;
        var offering = Enumerable.Range(0, 4).Select(sender => Task.Run(() =>
        {
            for (var i = 0; i < PerSender; i++)
            {
                Assert.True(pool.Add(Transfer(sender, 5 + (ulong)i, 10)).IsIn);
            }
        })).ToArray();
        var mined = new HashSet<Hash256>();
        var nonces = Enumerable.Repeat(5UL, 4).ToArray();
        while (mined.Count < 4 * PerSender)
        {
            var block = pool.Select(Everything() with { MaximumCount = 300 });
            var state = _state.Copy();
            foreach (var transaction in block)
            {
                Assert.True(mined.Add(transaction.Hash));
                var sender = Enumerable.Range(0, 4).First(i => Sender(i) == transaction.Sender);
                Assert.Equal(nonces[sender]++, transaction.Nonce);
            }

            for (var i = 0; i < 4; i++)
            {
                state.Set(Sender(i), nonces[i], Rich);
            }

            pool.OnHead(state, block, []);
        }

        await Task.WhenAll(offering);
        Assert.Equal(0, pool.Count);
    }

    internal static PoolSelection Everything() =>
        new() { GasLimit = ulong.MaxValue, MaximumCount = int.MaxValue };

    private TransactionPool Pool(MempoolOptions? options = null) =>
        new(options ?? new MempoolOptions(), _clock, _state);
}
