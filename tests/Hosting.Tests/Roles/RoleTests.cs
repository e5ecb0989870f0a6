using System.Text;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>Order and execution of a serverless validator: everything once, whatever dies, repeats or comes
/// late.</summary>
public sealed class RoleTests : IDisposable
{
    private readonly RoleWorld _world = new();

    /// <summary>Every fail point of order and execution, each reached at the first and at a later pass.</summary>
    public static TheoryData<string, int> Deaths()
    {
        var cases = new TheoryData<string, int>();
        foreach (var name in FailPoint.All.Where(name =>
            name.StartsWith("order", StringComparison.Ordinal) || name.StartsWith("execute", StringComparison.Ordinal)))
        {
            cases.Add(name, 0);
            cases.Add(name, 2);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Deaths))]
    public async Task A_death_at_any_fail_point_loses_nothing_and_does_nothing_twice(string failPoint, int passes)
    {
        _world.Arm(failPoint, passes);
        for (var nonce = 0UL; nonce < 4; nonce++)
        {
            // The later account's second transaction waits for its first: a block leaves it out for a while.
            await _world.SendAsync(_world.Transfer(0, nonce), _world.Transfer(1, nonce ^ 1));
            await _world.DrainAsync();
        }

        Assert.Equal(1, _world.Deaths);
        Assert.Equal(8UL, _world.Received);
        Assert.Empty(_world.Chain.Dropped);
        Assert.Equal(_world.Chain.Chain.Head.Hash, await _world.ReplayAsync());
    }

    [Fact]
    public async Task The_same_transaction_in_two_messages_is_in_one_block()
    {
        var transfer = _world.Transfer(0, 0);
        await _world.SendAsync(transfer, transfer);
        await _world.SendAsync(transfer);
        await _world.DrainAsync();
        Assert.Equal(1UL, _world.Received);
        Assert.Empty(_world.Chain.Dropped);
    }

    [Fact]
    public async Task Notices_that_come_late_twice_or_too_early_change_nothing()
    {
        for (var nonce = 0UL; nonce < 3; nonce++)
        {
            await _world.SendAsync(_world.Transfer(0, nonce));
            await _world.DrainAsync();
        }

        var blocks = _world.Chain.Chain;
        var places = Enumerable.Range(1, 3).Select(number => new BatchPlace(
            (ulong)number, new Hash256(blocks.GetHeader((ulong)number)!.Header.ExtraData.Span))).ToList();
        using var other = new SingleProcessChain(_world.Genesis);
        var execute = new ExecuteService(_world.Ports, other, null);
        foreach (var place in (BatchPlace[])[places[1], places[0], places[1], places[2], places[2], places[0]])
        {
            Assert.Equal(RoleEnd.Done, await execute.ExecuteAsync(BatchNotice.Encode(place), default));
        }

        Assert.Equal(blocks.Head.Hash, other.Chain.Head.Hash);
        Assert.Equal(3, execute.Executed);
    }

    [Fact]
    public async Task A_batch_whose_body_is_not_there_yet_is_asked_for_again()
    {
        await _world.SendAsync(_world.Transfer(0, 0));
        await _world.DrainAsync();
        var head = _world.Chain.Chain.Head;
        var late = new InMemoryBlobStore();
        using var other = new SingleProcessChain(_world.Genesis);
        var execute = new ExecuteService(_world.Ports with { Blobs = late }, other, null);
        var digest = new Hash256(head.Header.ExtraData.Span);
        var notice = BatchNotice.Encode(new(1, digest));
        Assert.Equal(RoleEnd.Again, await execute.ExecuteAsync(notice, default));
        var name = $"batches/{Convert.ToHexStringLower(digest.Bytes)}";
        await late.PutAsync(name, (await _world.Blobs.GetAsync(name))!.Value);
        Assert.Equal(RoleEnd.Done, await execute.ExecuteAsync(notice, default));
        Assert.Equal(head.Hash, other.Chain.Head.Hash);
    }

    [Fact]
    public async Task A_claim_whose_body_is_late_waits_and_what_has_no_sense_is_refused()
    {
        var order = new SoloOrderService(_world.Ports, _world.Chain.Chain.Genesis, 31337, Address.Zero);
        var late = new InMemoryBlobStore();
        var bus = new InMemoryMessageBus(_world.Clock);
        await new ClaimCheck(bus, late, _world.Clock).SendAsync("inbox", Body(200_000));
        var claim = Assert.Single(await bus.ReceiveAsync("inbox", 1, TimeSpan.FromSeconds(1)));
        Assert.Equal(RoleEnd.Again, await order.TakeAsync(claim.Id, false, claim.Body, default));
        var name = Encoding.ASCII.GetString(claim.Body.Span[4..]);
        await _world.Blobs.PutAsync(name, (await late.GetAsync(name))!.Value);
        Assert.Equal(RoleEnd.Done, await order.TakeAsync(claim.Id, true, claim.Body, default));
        Assert.Equal(RoleEnd.Malformed, await order.TakeAsync("m", false, "no items"u8.ToArray(), default));
        var execute = new ExecuteService(_world.Ports, _world.Chain, null);
        Assert.Equal(RoleEnd.Malformed, await execute.ExecuteAsync("no notice"u8.ToArray(), default));
        Assert.Equal(RoleEnd.Malformed, await execute.ExecuteAsync("HH"u8.ToArray(), default));
    }

    [Fact]
    public async Task A_message_that_only_wakes_execution_is_done_and_changes_nothing()
    {
        var execute = new ExecuteService(_world.Ports, _world.Chain, null);
        Assert.Equal(RoleEnd.Done, await execute.ExecuteAsync(Convert.FromBase64String("SA=="), default));
        Assert.Equal(0UL, _world.Chain.Chain.Head.Number);
    }

    [Fact]
    public async Task Two_instances_that_order_at_once_make_one_chain()
    {
        var first = new SoloOrderService(_world.Ports, _world.Chain.Chain.Genesis, 31337, Address.Zero);
        var second = new SoloOrderService(_world.Ports, _world.Chain.Chain.Genesis, 31337, Address.Zero);
        for (var nonce = 0UL; nonce < 6; nonce++)
        {
            var body = ItemPacking.Pack([_world.Transfer(0, nonce)])[0];
            var taker = nonce % 2 == 0 ? first : second;
            Assert.Equal(RoleEnd.Done, await taker.TakeAsync($"message {nonce}", false, body, default));
        }

        await _world.DrainAsync();
        Assert.Equal(6UL, _world.Received);
        Assert.Equal(6UL, _world.Chain.Chain.Head.Number);
    }

    [Fact]
    public async Task A_transaction_that_never_becomes_valid_is_dropped_with_its_reason()
    {
        await _world.SendAsync(_world.Transfer(0, 0));
        await _world.DrainAsync();
        var late = _world.Transfer(0, 0, wei: 2);
        await _world.SendAsync(late);
        await _world.DrainAsync();
        Assert.Equal("NonceTooLow", Assert.Single(_world.Chain.Dropped).Value);
        Assert.Equal(1UL, _world.Received);
    }

    public void Dispose() => _world.Dispose();

    private static byte[] Body(int bytes) => ItemPacking.Pack([new byte[bytes]])[0];
}
