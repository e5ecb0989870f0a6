using SuperVm.Core.Proving.Scheduling;

namespace SuperVm.Core.Tests.Proving;

public sealed class HybridSchedulerTests
{
    [Fact]
    public async Task Work_on_real_threads_is_done_whole_and_counted()
    {
        using var scheduler = new HybridScheduler(
            new HybridOptions { CpuLanes = 2, Accelerators = 1, Policy = SchedulingPolicy.LoadBalance },
            TimeProvider.System);
        var marks = new int[10_000];
        var works = Enumerable.Range(0, 50).Select(i => scheduler.TryRun(new Work
        {
            Kind = (WorkKind)(i % 5),
            Size = 200,
            LeastSlice = 7,
            OnCpu = (start, count) => Mark(marks, (i * 200) + start, count),
            OnAccelerator = (_, start, count) =>
            {
                Mark(marks, (i * 200) + start, count);
                return AcceleratorAnswer.Done;
            },
        })!).ToArray();
        await Task.WhenAll(works);
        Assert.All(marks, mark => Assert.Equal(1, mark));
        foreach (var kind in Enum.GetValues<WorkKind>())
        {
            var statistics = scheduler.Statistics(kind);
            Assert.Equal(10, statistics.Works);
            Assert.Equal(2000, statistics.CpuElements + statistics.AcceleratorElements);
        }

        Assert.Contains("BatchHash: 10 done", scheduler.Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_work_throws_reaches_its_caller_and_others_go_on()
    {
        using var scheduler = new HybridScheduler(new HybridOptions { CpuLanes = 2 }, TimeProvider.System);
        var bad = scheduler.TryRun(Simple((_, _) => throw new InvalidDataException("no witness")))!;
        var good = scheduler.TryRun(Simple((_, _) => { }))!;
        Assert.Equal("no witness", (await Assert.ThrowsAsync<InvalidDataException>(() => bad)).Message);
        await good;
    }

    [Fact]
    public async Task A_cancelled_work_ends_without_its_remaining_slices()
    {
        using var scheduler = new HybridScheduler(new HybridOptions { CpuLanes = 1 }, TimeProvider.System);
        using var cancellation = new CancellationTokenSource();
        var slices = 0;
        var work = scheduler.TryRun(
            new Work
            {
                Kind = WorkKind.Proof,
                Size = 1000,
                LeastSlice = 1,
                OnCpu = (_, _) =>
                {
                    slices++;
                    cancellation.Cancel();
                },
            },
            cancellation.Token)!;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
        Assert.Equal(1, slices);
    }

    [Fact]
    public async Task Works_that_wait_when_the_scheduler_ends_are_cancelled()
    {
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        var scheduler = new HybridScheduler(new HybridOptions { CpuLanes = 1 }, TimeProvider.System);
        var first = scheduler.TryRun(Simple((_, _) =>
        {
            entered.Set();
            leave.Wait();
        }))!;
        entered.Wait();
        var second = scheduler.TryRun(Simple((_, _) => { }))!;
        var ending = Task.Run(scheduler.Dispose);
        SpinWait.SpinUntil(() => scheduler.IsStopping);
        leave.Set();
        await ending;
        await first;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => scheduler.TryRun(Simple((_, _) => { }))!);
    }

    private static Work Simple(Action<int, int> body) =>
        new() { Kind = WorkKind.Proof, Size = 1, LeastSlice = 1, OnCpu = body };

    private static void Mark(int[] marks, int start, int count)
    {
        for (var i = start; i < start + count; i++)
        {
            Interlocked.Increment(ref marks[i]);
        }
    }
}
