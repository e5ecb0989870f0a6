using SuperVm.Core.Parallel;

namespace SuperVm.Core.Tests.Parallel;

public sealed class AutoTunerTests
{
    [Fact]
    public void The_cheapest_arm_runs_after_a_few_decisions()
    {
        var tuner = new AutoTuner(["slow", "fast", "middle"]);
        Run(tuner, 50, [3, 1, 2]);
        Assert.Equal(1, tuner.Best);
        Assert.Contains("fast: 1 µs/tx", tuner.Explain("µs/tx"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Over_changing_work_it_stays_near_the_best_fixed_choice_and_far_from_the_worst(int seed)
    {
        var random = new Random(seed);
        var tuner = new AutoTuner(["a", "b", "c"]);
        var fixedCosts = new double[3];
        var tunedCost = 0.0;
        for (var phase = 0; phase < 12; phase++)
        {
            var costs = Enumerable.Range(0, 3).Select(_ => 1 + (2 * random.NextDouble())).ToArray();
            tunedCost += Run(tuner, 2000, costs, random);
            for (var i = 0; i < 3; i++)
            {
                fixedCosts[i] += 2000 * costs[i];
            }
        }

        Assert.True(tunedCost <= fixedCosts.Min() * 1.05, $"{tunedCost} against {fixedCosts.Min()}");
        Assert.True(tunedCost <= fixedCosts.Max() * 0.9, $"{tunedCost} against {fixedCosts.Max()}");
    }

    [Fact]
    public void An_arm_that_becomes_cheaper_is_found()
    {
        var tuner = new AutoTuner(["a", "b"]);
        Run(tuner, 500, [1, 4]);
        Assert.Equal(0, tuner.Best);
        Run(tuner, 1200, [1, 0.5]);
        Assert.Equal(1, tuner.Best);
    }

    [Fact]
    public void Work_of_no_size_teaches_nothing()
    {
        var tuner = new AutoTuner(["a"]);
        tuner.Observe(0, 0, 100);
        Assert.Contains("0 observations", tuner.Explain("µs"), StringComparison.Ordinal);
    }

    private static double Run(AutoTuner tuner, int decisions, double[] costs, Random? noise = null)
    {
        var total = 0.0;
        for (var i = 0; i < decisions; i++)
        {
            var arm = tuner.Choose();
            var elapsed = costs[arm] * (noise is null ? 1 : 0.9 + (0.2 * noise.NextDouble()));
            tuner.Observe(arm, 1, elapsed);
            total += elapsed;
        }

        return total;
    }
}
