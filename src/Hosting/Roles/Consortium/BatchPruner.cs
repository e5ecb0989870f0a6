using SuperVm.Core.Encoding;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Deletes the bodies of old batches: who lacks one is offered a state.</summary>
/// <remarks>
/// <code>
///   document order/kept   RLP [version, oldest batch whose body is kept]
/// </code>
/// Certificates, attestations, steps between epochs and blocks stay, so that finality can be shown for ever. A pass
/// that died is made again: what is deleted is found deleted.
/// </remarks>
internal sealed class BatchPruner
{
    /// <summary>Batches that are deleted in one pass, and that must have come together for one.</summary>
    internal const ulong Every = 64;

    /// <summary>
    /// The fewest that are kept: the last ones come with every state, and a step of the execution may lag behind.
    /// </summary>
    internal const ulong Fewest = 8 * DeferredTransactions.Span;

    private const ulong Version = 1;

    private readonly RolePorts _ports;
    private readonly CommittedArchive _archive;
    private readonly ulong _kept;
    private readonly DocumentKey _document;
    private ulong? _oldest;
    private int _isUnderWay;

    /// <param name="ports">What it stands on.</param>
    /// <param name="archive">The batches.</param>
    /// <param name="kept">Batches below the final block whose bodies are kept; 0 keeps all.</param>
    internal BatchPruner(RolePorts ports, CommittedArchive archive, ulong kept)
    {
        (_ports, _archive, _kept) = (ports, archive, kept == 0 ? 0 : Math.Max(kept, Fewest));
        _document = new(ports.Names.Replica, "order", "kept");
    }

    /// <summary>A block is final: deletes what is due; returns at once where a pass is under way.</summary>
    internal async Task PruneAsync(ulong final, CancellationToken cancellation)
    {
        if (_kept == 0 || final <= _kept + Every || _oldest + Every > final - _kept
            || Interlocked.Exchange(ref _isUnderWay, 1) == 1)
        {
            return;
        }

        try
        {
            var found = await _ports.Documents.GetAsync(_document, cancellation);
            var oldest = found is null ? await FirstAsync(final - _kept, cancellation) : Read(found.Body.Span);
            var end = Math.Min(final - _kept, oldest + (4 * Every));
            for (var first = oldest; first < end; first += 16)
            {
                await Task.WhenAll(Enumerable.Range(0, (int)Math.Min(16, end - first))
                    .Select(i => _archive.DeleteBodyAsync(first + (ulong)i, cancellation)));
            }

            _oldest = Math.Max(oldest, end);
            if (found is null || end > oldest)
            {
                await (found is null
                    ? _ports.Documents.CreateAsync(_document, Written(end), cancellation)
                    : _ports.Documents.ReplaceAsync(_document, Written(end), found.ETag, cancellation));
            }
        }
        catch (StoreException failure)
        {
            _ports.Log($"old batches are deleted later: {failure.Message}");
        }
        finally
        {
            Volatile.Write(ref _isUnderWay, 0);
        }
    }

    /// <summary>Where to begin: at the first batch, or, where a state was taken over, not below what came with
    /// it.</summary>
    private async Task<ulong> FirstAsync(ulong due, CancellationToken cancellation) =>
        await _archive.CommitAsync(1, cancellation) is null ? due : 1;

    private static ulong Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var list = new RlpReader(body).ReadList();
            return list.ReadUInt64() == Version
                ? list.ReadUInt64()
                : throw new StoreException($"order/kept is of another version than {Version}.");
        }
        catch (RlpException damage)
        {
            throw new StoreException($"order/kept is damaged: {damage.Message}", damage);
        }
    }

    private static byte[] Written(ulong oldest)
    {
        var writer = new RlpWriter(16);
        var list = writer.BeginList();
        writer.WriteUInt64(Version);
        writer.WriteUInt64(oldest);
        writer.EndList(list);
        return writer.ToArray();
    }
}
