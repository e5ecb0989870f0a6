using SuperVm.Core.Proving.Scheduling;

namespace SuperVm.Core.Tests.Proving;

/// <summary>The plan in virtual time: lanes with known speeds, no threads.</summary>
public sealed class HybridPlanTests
{
    private const double CpuPerElement = 10e-6;

    [Fact]
    public void Every_element_is_done_once_under_every_policy()
    {
        foreach (var policy in Enum.GetValues<SchedulingPolicy>())
        {
            for (var seed = 0; seed < 40; seed++)
            {
                var random = new Random(seed);
                var world = new VirtualLanes(Options(policy, 2, random.Next(3)), 0.001, 1e-6)
                {
                    Answer = _ => (AcceleratorAnswer)random.Next(2),
                };
                var works = Enumerable.Range(0, 20)
                    .Select(_ => world.Add((WorkKind)random.Next(5), random.Next(1, 5000), random.Next(1, 300)))
                    .ToArray();
                world.RunUntilIdle();
                foreach (var marks in works)
                {
                    Assert.All(marks, mark => Assert.Equal(1, mark));
                }
            }
        }
    }

    [Fact]
    public void Auto_leaves_small_work_to_processors_and_gives_large_work_to_the_accelerator()
    {
        // 1 ms fixed, 0.1 µs an element, against 10 µs an element.
        var world = new VirtualLanes(Options(SchedulingPolicy.Auto, 2, 1), 0.001, 0.1e-6);
        world.Learn(WorkKind.BatchHash);
        var before = world.Plan.Statistics(WorkKind.BatchHash);
        world.Add(WorkKind.BatchHash, 20, 1);
        world.RunUntilIdle();
        var small = world.Plan.Statistics(WorkKind.BatchHash);
        Assert.Equal(before.AcceleratorElements, small.AcceleratorElements);

        world.Add(WorkKind.BatchHash, 1_000_000, 1);
        world.RunUntilIdle();
        var large = world.Plan.Statistics(WorkKind.BatchHash);
        Assert.InRange(large.AcceleratorElements - small.AcceleratorElements, 900_000, 1_000_000);
    }

    [Fact]
    public void Auto_is_about_as_fast_as_the_better_of_both_and_faster_where_both_are_alike()
    {
        foreach (var perElement in new[] { 0.1e-6, 1e-6, 5e-6, 20e-6, 200e-6 })
        {
            var both = Elapsed(SchedulingPolicy.Auto, perElement);
            var best = Math.Min(
                Elapsed(SchedulingPolicy.CpuOnly, perElement), Elapsed(SchedulingPolicy.GpuOnly, perElement));
            Assert.True(both <= 1.1 * best, $"{perElement}: {both} s, the better one {best} s");
        }

        // Two processors together are as fast as the accelerator: both need half the time.
        Assert.InRange(
            Elapsed(SchedulingPolicy.Auto, 5e-6) / Elapsed(SchedulingPolicy.CpuOnly, 5e-6), 0.4, 0.65);
    }

    [Fact]
    public void No_kind_starves_beside_an_endless_load_of_others()
    {
        var world = new VirtualLanes(Options(SchedulingPolicy.Auto, 2, 0), 0, 0);
        for (var i = 0; i < 50; i++)
        {
            world.Add(WorkKind.Transactions, 100_000, 10);
            world.Add(WorkKind.BatchVerify, 100_000, 10);
        }

        world.RunFor(1);
        world.Add(WorkKind.BatchHash, 100, 1);
        world.RunFor(0.05);
        Assert.Equal(1, world.Plan.Statistics(WorkKind.BatchHash).Works);
        var (transactions, verify) = (
            world.Plan.Statistics(WorkKind.Transactions).CpuSeconds,
            world.Plan.Statistics(WorkKind.BatchVerify).CpuSeconds);
        Assert.InRange(transactions / verify, 0.9, 1.1);
    }

    [Fact]
    public void A_lost_accelerator_gets_nothing_more_and_its_slice_is_done_by_processors()
    {
        foreach (var policy in new[] { SchedulingPolicy.GpuOnly, SchedulingPolicy.Auto })
        {
            var world = new VirtualLanes(Options(policy, 1, 1), 0.001, 0.1e-6)
            {
                Answer = _ => AcceleratorAnswer.Lost,
            };
            var first = world.Add(WorkKind.MerkleTree, 4096, 4096);
            world.RunUntilIdle();
            var second = world.Add(WorkKind.MerkleTree, 4096, 4096);
            world.RunUntilIdle();
            Assert.All(first.Concat(second), mark => Assert.Equal(1, mark));
            Assert.InRange(world.Plan.Statistics(WorkKind.MerkleTree).AcceleratorFailures, 0, 1);
            Assert.Equal(0, world.Plan.Statistics(WorkKind.MerkleTree).AcceleratorElements);
        }
    }

    [Fact]
    public void More_works_than_may_wait_are_refused()
    {
        var plan = new HybridPlan(new HybridOptions { MostWaiting = 2 });
        var work = new Work { Kind = WorkKind.Proof, Size = 1, LeastSlice = 1, OnCpu = (_, _) => { } };
        Assert.NotNull(plan.Add(work, 0));
        Assert.NotNull(plan.Add(work, 0));
        Assert.Null(plan.Add(work, 0));
        Assert.NotNull(plan.Add(work with { Kind = WorkKind.BatchHash }, 0));
    }

    private static HybridOptions Options(SchedulingPolicy policy, int lanes, int accelerators) =>
        new() { Policy = policy, CpuLanes = lanes, Accelerators = accelerators };

    private static double Elapsed(SchedulingPolicy policy, double acceleratorPerElement)
    {
        var world = new VirtualLanes(Options(policy, 2, 1), 0.0005, acceleratorPerElement);
        world.Learn(WorkKind.BatchVerify);
        var begun = world.Now;
        world.Add(WorkKind.BatchVerify, 200_000, 64);
        world.RunUntilIdle();
        return world.Now - begun;
    }

    /// <summary>Lanes that take exactly as long as their speed says, moved from event to event.</summary>
    private sealed class VirtualLanes(HybridOptions options, double fixedCost, double acceleratorPerElement)
    {
        private readonly (Slice Slice, double Begun, double Ends)?[] _lanes =
            new (Slice, double, double)?[options.CpuLanes + options.Accelerators];

        internal HybridPlan Plan { get; } = new(options);

        internal double Now { get; private set; }

        internal Func<Slice, AcceleratorAnswer> Answer { get; init; } = _ => AcceleratorAnswer.Done;

        internal int[] Add(WorkKind kind, int size, int leastSlice)
        {
            var marks = new int[size];
            void Mark(int start, int count)
            {
                for (var i = start; i < start + count; i++)
                {
                    marks[i]++;
                }
            }

            var work = new Work
            {
                Kind = kind,
                Size = size,
                LeastSlice = Math.Min(leastSlice, size),
                OnCpu = Mark,
                OnAccelerator = (_, start, count) =>
                {
                    Mark(start, count);
                    return AcceleratorAnswer.Done;
                },
            };
            Assert.NotNull(Plan.Add(work, Now));
            return marks;
        }

        /// <summary>Lets both sorts of lanes see works of the kind, of several sizes.</summary>
        internal void Learn(WorkKind kind)
        {
            foreach (var size in new[] { 64, 100_000, 64, 100_000 })
            {
                Add(kind, size, Math.Min(size, 64));
                RunUntilIdle();
            }
        }

        internal void RunUntilIdle()
        {
            while (Step(double.MaxValue))
            {
            }
        }

        internal void RunFor(double seconds)
        {
            var end = Now + seconds;
            while (Step(end))
            {
            }

            Now = end;
        }

        private bool Step(double end)
        {
            for (var lane = 0; lane < _lanes.Length; lane++)
            {
                if (_lanes[lane] is null && Plan.Take(lane - options.CpuLanes < 0 ? -1 : lane - options.CpuLanes, Now)
                    is { } slice)
                {
                    var cost = slice.OnAccelerator
                        ? fixedCost + (acceleratorPerElement * slice.Count)
                        : CpuPerElement * slice.Count;
                    _lanes[lane] = (slice, Now, Now + cost);
                }
            }

            var next = -1;
            for (var lane = 0; lane < _lanes.Length; lane++)
            {
                if (_lanes[lane] is { } busy && (next < 0 || busy.Ends < _lanes[next]!.Value.Ends))
                {
                    next = lane;
                }
            }

            if (next < 0 || _lanes[next]!.Value.Ends > end)
            {
                return false;
            }

            var (done, begun, ends) = _lanes[next]!.Value;
            _lanes[next] = null;
            Now = ends;
            var answer = done.OnAccelerator ? Answer(done) : AcceleratorAnswer.Done;
            if (answer == AcceleratorAnswer.Done)
            {
                done.Item.Work.OnCpu(done.Start, done.Count);
            }

            Plan.Complete(done, Math.Max(next - options.CpuLanes, -1), Now, ends - begun, answer, null);
            return true;
        }
    }
}
