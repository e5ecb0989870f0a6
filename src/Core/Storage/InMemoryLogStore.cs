namespace SuperVm.Core.Storage;

/// <summary>The log store of one process; what is in it dies with the process.</summary>
public sealed class InMemoryLogStore : ILogStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (MemoryStream Bytes, int Appends)> _logs = [];

    public Task<bool> CreateAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult(_logs.TryAdd(name, (new MemoryStream(), 0)));
        }
    }

    public Task<bool> AppendAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default)
    {
        LogLimits.Require(name, bytes.Length);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (!_logs.TryGetValue(name, out var log))
            {
                return Task.FromResult(false);
            }

            if (log.Appends == LogLimits.MostAppends)
            {
                throw new StoreException($"The log {name} holds {LogLimits.MostAppends} appends, its most.");
            }

            log.Bytes.Write(bytes.Span);
            _logs[name] = (log.Bytes, log.Appends + 1);
            return Task.FromResult(true);
        }
    }

    public Task<ReadOnlyMemory<byte>?> ReadAsync(
        string name, long from, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            // Not one expression: null would become an empty memory.
            ReadOnlyMemory<byte>? found = null;
            if (_logs.TryGetValue(name, out var log))
            {
                found = log.Bytes.ToArray().AsMemory((int)Math.Min(from, log.Bytes.Length));
            }

            return Task.FromResult(found);
        }
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult(_logs.Remove(name));
        }
    }
}
