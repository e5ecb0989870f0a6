namespace SuperVm.Core.Storage;

/// <summary>The log store of one process; what is in it dies with the process.</summary>
public sealed class InMemoryLogStore(int mostAppends = LogLimits.MostAppends) : ILogStore
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

    public Task<LogAppend> AppendAsync(
        string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default)
    {
        LogLimits.Require(name, bytes.Length);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (!_logs.TryGetValue(name, out var log))
            {
                return Task.FromResult(LogAppend.Missing);
            }

            if (log.Appends == mostAppends)
            {
                return Task.FromResult(LogAppend.Full);
            }

            log.Bytes.Write(bytes.Span);
            _logs[name] = (log.Bytes, log.Appends + 1);
            return Task.FromResult(LogAppend.Done);
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
}
