namespace SuperVm.Local.Functions;

/// <summary>
/// A timer trigger: one run at a time, at the schedule's times; what was missed is made up for once.
/// </summary>
internal sealed class TimerListener(FunctionDefinition function, HandlerClient client, LocalHostOptions options)
{
    /// <summary>The longest single wait: timers of the system count in 32 bits.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly NcrontabSchedule _schedule = NcrontabSchedule.Parse(function.Source)
        ?? throw new FunctionAppException($"'{function.Source}' is no schedule.");

    internal async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            var last = options.Clock.GetUtcNow();
            if (function.RunsOnStartup)
            {
                await InvokeAsync(last, last, cancellation);
            }

            while (_schedule.Next(last) is { } next)
            {
                await UntilAsync(next, cancellation);
                await InvokeAsync(next, last, cancellation);
                var now = options.Clock.GetUtcNow();
                var following = _schedule.Next(next);
                last = following < now ? now : next;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            options.Log($"{function.Name} stops");
        }
    }

    private async Task UntilAsync(DateTimeOffset time, CancellationToken cancellation)
    {
        for (var left = time - options.Clock.GetUtcNow(); left > TimeSpan.Zero;
            left = time - options.Clock.GetUtcNow())
        {
            await Task.Delay(left < LongestWait ? left : LongestWait, options.Clock, cancellation);
        }
    }

    private async Task InvokeAsync(DateTimeOffset due, DateTimeOffset last, CancellationToken cancellation)
    {
        var now = options.Clock.GetUtcNow();
        var late = now - due > TimeSpan.FromSeconds(1);
        var invocation = InvocationCodec.Timer(function, last, _schedule.Next(due), late, now, Guid.NewGuid());
        await client.InvokeAsync(function, invocation, Guid.NewGuid(), cancellation);
    }
}
