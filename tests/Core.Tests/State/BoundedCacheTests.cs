using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.State;

public sealed class BoundedCacheTests
{
    [Fact]
    public void Costs_never_exceed_the_limit_and_what_is_found_is_what_was_put_last() => Prop.ForAll(
        ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var limit = random.Next(1, 400);
            var cache = new BoundedCache<int, int>(limit);
            var last = new Dictionary<int, int>();
            for (var step = 0; step < 500; step++)
            {
                var key = random.Next(60);
                if (random.Next(2) == 0)
                {
                    cache.Set(key, step, random.Next(1, 20));
                    last[key] = step;
                }
                else if (cache.TryGet(key, out var value))
                {
                    Assert.Equal(last[key], value);
                }

                Assert.True(cache.Cost <= limit, $"{cache.Cost} of {limit}");
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_used_again_and_again_stays_while_others_pass_through()
    {
        var cache = new BoundedCache<int, int>(800);
        cache.Set(-1, 7);
        for (var key = 0; key < 10_000; key++)
        {
            cache.Set(key, key);
            Assert.True(cache.TryGet(-1, out var value) && value == 7);
        }

        Assert.False(cache.TryGet(0, out _));
    }

    [Fact]
    public void A_value_read_before_a_write_does_not_come_in_after_it()
    {
        var cache = new BoundedCache<int, int>(100);
        var version = 4L;
        cache.SetIfUnchanged(1, 10, ref version, expected: 4);
        Assert.True(cache.TryGet(1, out var value) && value == 10);
        version = 6;
        cache.SetIfUnchanged(1, 11, ref version, expected: 4);
        cache.SetIfUnchanged(2, 12, ref version, expected: 4);
        Assert.True(cache.TryGet(1, out value) && value == 10);
        Assert.False(cache.TryGet(2, out _));
        cache.Clear();
        Assert.False(cache.TryGet(1, out _));
        Assert.Equal(0, cache.Cost);
    }
}
