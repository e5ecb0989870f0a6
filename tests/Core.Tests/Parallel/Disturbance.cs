namespace SuperVm.Core.Tests.Parallel;

/// <summary>Gives the processor away now and then, for a while, wherever workers could meet.</summary>
internal static class Disturbance
{
    /// <summary>A yield in one call of so many; in all others a delay of random length.</summary>
    private const int YieldOneIn = 128;

    private const int LongestDelay = 30;

    internal static Action<int> Of(int seed)
    {
        var states = new uint[64];
        for (var i = 0; i < states.Length; i++)
        {
            states[i] = (uint)HashCode.Combine(seed, i) | 1;
        }

        return worker =>
        {
            // xorshift, a state for each worker: two workers never wait for each other because of their delays.
            var state = states[worker];
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            states[worker] = state;
            if (state % YieldOneIn == 0)
            {
                Thread.Yield();
            }
            else
            {
                Thread.SpinWait((int)(state >> 8) % LongestDelay * (worker + 1));
            }
        };
    }
}
