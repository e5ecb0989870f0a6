using System.Net;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.Tests.Security;

/// <summary>Rates and the rules against spam, through real HTTP on a clock that the test moves.</summary>
public sealed class RateLimitTests
{
    private static BucketRate TwoASecond { get; } = new(2, 4);

    [Fact]
    public async Task An_address_that_calls_too_often_is_told_when_to_come_again()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions { PerAddress = TwoASecond });
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await server.CallAsync("eth_chainId")).Status);
        }

        var refused = await server.CallAsync("eth_chainId");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal(-32005, refused.ErrorCode);
        Assert.Equal(1, refused.Body.GetProperty("id").GetInt32());
        Assert.Equal(TimeSpan.FromSeconds(1), refused.RetryAfter);

        server.Clock.Move(TimeSpan.FromSeconds(0.5));
        Assert.Null((await server.CallAsync("eth_chainId")).ErrorCode);
        Assert.Equal(-32005, (await server.CallAsync("eth_chainId")).ErrorCode);
    }

    [Fact]
    public async Task A_batch_counts_as_many_as_it_holds_and_is_refused_as_a_whole()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions { PerAddress = TwoASecond });
        var three = $"[{string.Join(',', Enumerable.Range(0, 3).Select(_ => GuardedServer.Request("eth_chainId")))}]";
        Assert.Equal(3, (await server.PostAsync(three)).Body.GetArrayLength());
        var refused = await server.PostAsync(three);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal(-32005, refused.ErrorCode);
        Assert.Null((await server.CallAsync("eth_chainId")).ErrorCode);
    }

    [Fact]
    public async Task One_address_cannot_use_up_what_everybody_has()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions
        {
            PerAddress = TwoASecond, Global = new BucketRate(100, 6), TrustedProxies = 1,
        });
        for (var i = 0; i < 20; i++)
        {
            await server.PostAsync(GuardedServer.Request("eth_chainId"), forwardedFor: "203.0.113.7");
        }

        var other = await server.PostAsync(GuardedServer.Request("eth_chainId"), forwardedFor: "203.0.113.8");
        Assert.Equal(HttpStatusCode.OK, other.Status);
        await server.PostAsync(GuardedServer.Request("eth_chainId"), forwardedFor: "203.0.113.9");
        var all = await server.PostAsync(GuardedServer.Request("eth_chainId"), forwardedFor: "203.0.113.10");
        Assert.Equal(HttpStatusCode.TooManyRequests, all.Status);
        var (_, metrics) = await server.GetAsync("/metrics");
        Assert.Contains("supervm_limited_total{by=\"address\"} 16\n", metrics);
        Assert.Contains("supervm_limited_total{by=\"global\"} 1\n", metrics);
    }

    [Fact]
    public async Task What_a_client_writes_into_the_header_itself_does_not_count()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions
        {
            PerAddress = new BucketRate(1, 1), TrustedProxies = 1,
        });
        var request = GuardedServer.Request("eth_chainId");
        Assert.Null((await server.PostAsync(request, forwardedFor: "1.1.1.1, 203.0.113.7")).ErrorCode);
        Assert.Equal(-32005, (await server.PostAsync(request, forwardedFor: "2.2.2.2, 203.0.113.7")).ErrorCode);
        Assert.Null((await server.PostAsync(request, forwardedFor: "203.0.113.7, 3.3.3.3")).ErrorCode);
        Assert.Null((await server.PostAsync(request, forwardedFor: "2001:db8:1:2::1")).ErrorCode);
        Assert.Equal(-32005, (await server.PostAsync(request, forwardedFor: "2001:db8:1:2::ffff")).ErrorCode);
    }

    [Fact]
    public async Task A_sender_that_submits_too_often_is_put_off_and_others_are_not()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions { PerSender = TwoASecond });
        for (ulong nonce = 0; nonce < 4; nonce++)
        {
            Assert.Null((await SendAsync(server, 0, nonce)).ErrorCode);
        }

        var refused = await SendAsync(server, 0, 4);
        Assert.Equal(HttpStatusCode.OK, refused.Status);
        Assert.Equal(-32005, refused.ErrorCode);
        Assert.Contains("too many transactions of the sender", refused.Message);
        Assert.Null((await SendAsync(server, 1, 0)).ErrorCode);
        server.Clock.Move(TimeSpan.FromSeconds(1));
        Assert.Null((await SendAsync(server, 0, 4)).ErrorCode);
    }

    [Fact]
    public async Task In_a_batch_only_the_transactions_beyond_the_senders_rate_are_put_off()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions { PerSender = TwoASecond });
        var sends = Enumerable.Range(0, 6).Select(nonce => GuardedServer.Request(
            "eth_sendRawTransaction", TestNode.Raw(server.Node.Transfer(0, (ulong)nonce)), $"{nonce}"));
        var answers = (await server.PostAsync($"[{string.Join(',', sends)}]")).Body.EnumerateArray().ToList();
        Assert.All(answers[..4], answer => Assert.True(answer.TryGetProperty("result", out _)));
        Assert.All(answers[4..], answer =>
            Assert.Equal(-32005, answer.GetProperty("error").GetProperty("code").GetInt32()));
    }

    [Fact]
    public async Task Fees_below_the_floor_are_refused()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions { FeeFloor = 2_000_000_000 });
        var refused = await SendAsync(server, 0, 0, cap: 1_999_999_999);
        Assert.Equal(-32000, refused.ErrorCode);
        Assert.StartsWith("transaction underpriced", refused.Message);
        Assert.Null((await SendAsync(server, 0, 0, cap: 2_000_000_000)).ErrorCode);
    }

    [Fact]
    public async Task Transactions_alike_from_one_sender_are_limited_and_different_ones_are_not()
    {
        await using var server = await GuardedServer.StartAsync(
            new SecurityOptions { Duplicates = new BucketRate(0.1, 2) });
        Assert.Null((await SendAsync(server, 0, 0)).ErrorCode);
        Assert.Null((await SendAsync(server, 0, 1)).ErrorCode);
        Assert.Equal(-32005, (await SendAsync(server, 0, 2)).ErrorCode);
        Assert.Null((await SendAsync(server, 0, 2, value: 7)).ErrorCode);
        Assert.Null((await SendAsync(server, 1, 0)).ErrorCode);
    }

    [Fact]
    public async Task Only_so_many_transactions_of_a_sender_wait()
    {
        await using var server = await GuardedServer.StartAsync(
            new SecurityOptions(), new MempoolOptions { MaximumPerSender = 2 });
        Assert.Null((await SendAsync(server, 0, 0)).ErrorCode);
        Assert.Null((await SendAsync(server, 0, 1)).ErrorCode);
        Assert.Contains("account limit exceeded", (await SendAsync(server, 0, 2)).Message);
    }

    [Fact]
    public void Buckets_are_never_more_than_allowed_and_those_in_use_are_kept()
    {
        var clock = new StandingClock();
        var buckets = new BucketPartitions<int>(new BucketRate(1, 2), mostKeys: 8, clock);
        Assert.True(buckets.Of(0).TryTake(2, out _));
        for (var key = 1; key < 1_000; key++)
        {
            buckets.Of(key).TryTake(1, out _);
        }

        Assert.Equal(8, buckets.Count);
        Assert.False(buckets.Of(0).TryTake(1, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(1), wait);
        clock.Move(TimeSpan.FromSeconds(5));
        Assert.True(buckets.Of(5_000).TryTake(2, out _));
        Assert.Equal(8, buckets.Count);
    }

    [Fact]
    public void A_bucket_is_a_rate_limiter_of_the_framework()
    {
        var clock = new StandingClock();
        using var bucket = new ClockedTokenBucket(BucketRate.Of(0.5), clock);
        using (var granted = bucket.AttemptAcquire(3))
        {
            Assert.True(granted.IsAcquired);
        }

        using var refused = bucket.AttemptAcquire(1);
        Assert.False(refused.IsAcquired);
        Assert.True(refused.TryGetMetadata("RETRY_AFTER", out var retryAfter));
        Assert.Equal(TimeSpan.FromSeconds(2), retryAfter);
        clock.Move(TimeSpan.FromSeconds(2));
        Assert.Equal(1, bucket.GetStatistics()!.CurrentAvailablePermits);
    }

    private static Task<GuardedAnswer> SendAsync(
        GuardedServer server, int from, ulong nonce, ulong cap = 3_000_000_000, UInt256? value = null) =>
        server.CallAsync(
            "eth_sendRawTransaction", TestNode.Raw(server.Node.Transfer(from, nonce, cap, value: value)));
}
