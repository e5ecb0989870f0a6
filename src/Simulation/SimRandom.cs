namespace SuperVm.Simulation;

/// <summary>A small deterministic generator (SplitMix64): one stream for each seed and purpose.</summary>
internal sealed class SimRandom
{
    private ulong _state;

    internal SimRandom(ulong seed, string purpose)
    {
        _state = seed * 0x9E3779B97F4A7C15UL;
        foreach (var letter in purpose)
        {
            _state = (_state ^ letter) * 0x100000001B3UL;
        }

        Next();
    }

    internal ulong Next()
    {
        _state += 0x9E3779B97F4A7C15UL;
        return Mix(_state);
    }

    /// <summary>0 to below <paramref name="bound"/>, which is positive.</summary>
    internal int Below(int bound) => (int)((UInt128)Next() * (uint)bound >> 64);

    /// <summary>From the first to the second, both included.</summary>
    internal int Between(int from, int to) => from + Below(to - from + 1);

    internal bool Chance(double probability) => (Next() >> 11) * (1.0 / (1UL << 53)) < probability;

    internal void Shuffle<T>(IList<T> items)
    {
        for (var i = items.Count - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
