using System.Collections.Concurrent;

namespace SuperVm.Core.Storage;

/// <summary>The blob store of one process; what is in it dies with the process.</summary>
public sealed class InMemoryBlobStore : IBlobStore
{
    private readonly ConcurrentDictionary<string, byte[]> _bodies = new(StringComparer.Ordinal);

    public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name, body.Length);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(_bodies.TryAdd(name, body.ToArray()));
    }

    public Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(_bodies.TryGetValue(name, out var body) ? (ReadOnlyMemory<byte>?)body : null);
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        return Task.FromResult(_bodies.TryRemove(name, out _));
    }
}
