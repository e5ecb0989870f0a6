using System.Security.Cryptography;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Runner;

namespace SuperVm.Hosting.Consensus;

/// <summary>The replica's timers on the machine's clock.</summary>
internal sealed class ConsensusTimers(TimeProvider clock, EventQueue events) : IConsensusTimers, IDisposable
{
    private readonly Dictionary<TimerKind, ITimer> _running = [];

    public long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    public void Set(TimerKind timer, ulong generation, int delayMs, int jitterMs)
    {
        if (_running.Remove(timer, out var old))
        {
            old.Dispose();
        }

        var delay = delayMs + (jitterMs > 0 ? RandomNumberGenerator.GetInt32(jitterMs + 1) : 0);
        _running[timer] = clock.CreateTimer(
            _ => events.Add(new TimerExpired(NowMs, timer, generation)), null, TimeSpan.FromMilliseconds(delay),
            Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        foreach (var timer in _running.Values)
        {
            timer.Dispose();
        }
    }
}
