using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>Several instances of a role on one account, as the cloud scales out.</summary>
public sealed class InstanceTests : IDisposable
{
    private const int Blocks = 12;

    private readonly JumpingClock _clock = new();
    private readonly RoleWorld _world = new();
    private readonly InMemoryDocumentStore _documents = new();
    private readonly InMemoryBlobStore _blobs = new();
    private readonly InMemoryRowStore _rows = new();
    private readonly InMemoryLeaseStore _leases;

    public InstanceTests() => _leases = new(_clock);

    [Fact]
    public async Task Two_executors_at_once_make_each_block_once_and_the_chain_of_one_process()
    {
        var places = await OrderAsync();
        var executors = new[] { await NewAsync("a"), await NewAsync("b") };
        await Task.WhenAll(places.SelectMany(place => executors.Select(executor => Task.Run(async () =>
            Assert.Equal(RoleEnd.Done, await executor.ExecuteAsync(BatchNotice.Encode(place), default))))));
        Assert.Equal(Blocks, executors.Sum(executor => executor.Executed));
        Assert.Equal(_world.Chain.Chain.Head.Hash, (await OpenAsync()).Chain.Head.Hash);
    }

    [Theory]
    [InlineData(FailPoint.ExecuteRead)]
    [InlineData(FailPoint.ExecuteKept)]
    public async Task A_leader_that_sleeps_over_its_lease_and_wakes_in_the_middle_changes_nothing(string where)
    {
        var places = await OrderAsync();
        var other = await NewAsync("b");
        var sleeps = 3;
        var leader = await NewAsync("a", name =>
        {
            if (name == where && --sleeps == 0)
            {
                // While it sleeps its lease ends, and another instance makes this block and some more.
                _clock.Move(LeaseLimits.Longest);
                Assert.Equal(
                    RoleEnd.Done,
                    other.ExecuteAsync(BatchNotice.Encode(places[7]), default).GetAwaiter().GetResult());
            }
        });
        foreach (var place in places)
        {
            Assert.Equal(RoleEnd.Done, await leader.ExecuteAsync(BatchNotice.Encode(place), default));
        }

        Assert.Equal(0, Math.Max(0, sleeps));
        Assert.True(other.Executed >= 6);
        Assert.Equal(_world.Chain.Chain.Head.Hash, (await OpenAsync()).Chain.Head.Hash);
    }

    [Fact]
    public async Task An_executor_that_dies_is_followed_by_its_place_without_a_wait()
    {
        var places = await OrderAsync();
        var dies = await NewAsync("a", name =>
        {
            if (name == FailPoint.ExecuteKept)
            {
                throw new DiedException(name);
            }
        });
        await Assert.ThrowsAsync<DiedException>(() => dies.ExecuteAsync(BatchNotice.Encode(places[0]), default));
        var before = _clock.Passed;
        var next = await NewAsync("a");
        Assert.Equal(RoleEnd.Done, await next.ExecuteAsync(BatchNotice.Encode(places[^1]), default));
        Assert.Equal(before, _clock.Passed);
        Assert.Equal(_world.Chain.Chain.Head.Hash, (await OpenAsync()).Chain.Head.Hash);
    }

    [Fact]
    public async Task A_first_writer_that_dies_while_it_writes_is_followed_when_its_lease_has_ended()
    {
        using var death = new CancellationTokenSource();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string? first = null;
        var dying = new FirstStart(_leases, new StandingClock(), _ => { }, "a").OpenAsync(
            () => Task.FromResult(first),
            () =>
            {
                started.SetResult();
                death.Cancel();
                return new TaskCompletionSource<string>().Task;
            },
            death.Token);
        await started.Task;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dying);

        // A death releases nothing: the lease is held by who is gone.
        Assert.NotNull(await _leases.TryAcquireAsync("leases/first-block", TimeSpan.FromSeconds(30), "a"));
        var second = await new FirstStart(_leases, _clock, _ => { }, "b").OpenAsync(
            () => Task.FromResult(first), () => Task.FromResult(first = "written by the second"));
        Assert.Equal("written by the second", second);
        Assert.InRange(_clock.Passed, TimeSpan.FromSeconds(30), FirstStart.Patience);

        var third = await new FirstStart(_leases, _clock, _ => { }, "c").OpenAsync(
            () => Task.FromResult(first), () => throw new InvalidOperationException("It is written."));
        Assert.Equal(second, third);
    }

    public void Dispose() => _world.Dispose();

    /// <summary>Orders and executes in one process; answers where the batches are, which are kept too.</summary>
    private async Task<IReadOnlyList<BatchPlace>> OrderAsync()
    {
        for (var nonce = 0UL; nonce < Blocks; nonce++)
        {
            await _world.SendAsync(_world.Transfer(0, nonce), _world.Transfer(1, nonce ^ 1));
            await _world.DrainAsync();
        }

        var places = new List<BatchPlace>();
        for (var number = 1UL; number <= _world.Chain.Chain.Head.Number; number++)
        {
            var digest = new Hash256(_world.Chain.Chain.GetHeader(number)!.Header.ExtraData.Span);
            var name = $"batches/{Convert.ToHexStringLower(digest.Bytes)}";
            await _blobs.PutAsync(name, (await _world.Blobs.GetAsync(name))!.Value);
            places.Add(new(number, digest));
        }

        Assert.Equal(Blocks, places.Count);
        return places;
    }

    private async Task<ExecuteService> NewAsync(string instance, Action<string>? reach = null) => new(
        _world.Ports with
        {
            Documents = _documents, Blobs = _blobs, Leases = _leases, Clock = _clock, Instance = instance,
            Reach = reach ?? (_ => { }), Caches = new(),
        },
        await OpenAsync(), null);

    private async Task<DocumentRoleChain> OpenAsync() => new(
        await DocumentChain.OpenAsync(new(_documents, _blobs, _rows, _clock), _world.Genesis));
}
