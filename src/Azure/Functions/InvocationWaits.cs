using System.Globalization;

namespace SuperVm.Azure.Functions;

/// <summary>What invocations wait for: said once for each cause that lasts, and counted.</summary>
/// <remarks>
/// <code>
///   fails ─▶ again ─▶ … after <see cref="Patience"/>: "Inbox waits since 12:00:01: …"
///                      the last of them goes on:      "Inbox goes on after 14 s, 3 invocations waited: …"
/// </code>
/// </remarks>
internal sealed class InvocationWaits(TimeProvider clock, Action<string> log)
{
    /// <summary>A wait that is shorter is no event.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Causes that are followed at once; further ones are counted only.</summary>
    private const int MostCauses = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Function, string Reason), Cause> _causes = [];
    private long _total;
    private int _waiting;

    /// <summary>An invocation, which may have to wait.</summary>
    internal Wait Of(string function) => new(this, function);

    /// <summary>As Prometheus text.</summary>
    internal string Metrics() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        # HELP supervm_waits_total Invocations that had to wait for what they need.
        # TYPE supervm_waits_total counter
        supervm_waits_total {Interlocked.Read(ref _total)}
        # HELP supervm_waiting Invocations that wait now.
        # TYPE supervm_waiting gauge
        supervm_waiting {Volatile.Read(ref _waiting)}

        """);

    private void Note((string Function, string Reason) key, bool isNew)
    {
        lock (_gate)
        {
            if (!_causes.TryGetValue(key, out var cause))
            {
                if (_causes.Count == MostCauses)
                {
                    return;
                }

                _causes.Add(key, cause = new(clock.GetTimestamp(), clock.GetUtcNow()));
            }

            cause.Waiting += isNew ? 1 : 0;
            cause.Waited += isNew ? 1 : 0;
            if (!cause.IsSaid && clock.GetElapsedTime(cause.Began) >= Patience)
            {
                cause.IsSaid = true;
                log(string.Create(
                    CultureInfo.InvariantCulture, $"{key.Function} waits since {cause.Since:HH:mm:ss}: {key.Reason}"));
            }
        }
    }

    private void Leave((string Function, string Reason) key)
    {
        lock (_gate)
        {
            if (!_causes.TryGetValue(key, out var cause) || --cause.Waiting > 0)
            {
                return;
            }

            _causes.Remove(key);
            if (cause.IsSaid)
            {
                var seconds = clock.GetElapsedTime(cause.Began).TotalSeconds;
                log(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{key.Function} goes on after {seconds:F0} s, {cause.Waited} invocations waited: {key.Reason}"));
            }
        }
    }

    private sealed class Cause(long began, DateTimeOffset since)
    {
        internal long Began => began;

        internal DateTimeOffset Since => since;

        internal int Waiting { get; set; }

        internal int Waited { get; set; }

        internal bool IsSaid { get; set; }
    }

    /// <summary>One invocation; what it waits for may change.</summary>
    internal sealed class Wait(InvocationWaits waits, string function) : IDisposable
    {
        private string? _reason;

        internal void For(string reason)
        {
            var isNew = reason != _reason;
            if (_reason is null)
            {
                Interlocked.Increment(ref waits._total);
                Interlocked.Increment(ref waits._waiting);
            }
            else if (isNew)
            {
                waits.Leave((function, _reason));
            }

            _reason = reason;
            waits.Note((function, reason), isNew);
        }

        public void Dispose()
        {
            if (_reason is { } reason)
            {
                Interlocked.Decrement(ref waits._waiting);
                waits.Leave((function, reason));
            }
        }
    }
}
