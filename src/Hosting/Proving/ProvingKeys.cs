using System.Globalization;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Proving;

/// <summary>The port to circuits' keys: .zkey files by the circuit's name.</summary>
public interface IKeyFiles
{
    /// <summary>The file, for the caller to dispose of; null where the circuit is not known.</summary>
    Task<ByteSource?> OpenAsync(string circuit, CancellationToken cancellation);
}

/// <summary>Keys in blobs: <c>circuits/NAME/0</c>, <c>/1</c> … one after another: a blob is held whole.</summary>
public sealed class BlobKeyFiles(IBlobStore blobs) : IKeyFiles
{
    /// <summary>Bytes of a part that <see cref="StoreAsync"/> writes.</summary>
    public const int PartBytes = 32 << 20;

    private const int MostParts = 32;

    public async Task<ByteSource?> OpenAsync(string circuit, CancellationToken cancellation)
    {
        if (!ProofJob.IsName(circuit))
        {
            return null;
        }

        var parts = new List<ReadOnlyMemory<byte>>();
        while (parts.Count < MostParts
            && await blobs.GetAsync(NameOf(circuit, parts.Count), cancellation) is { } part)
        {
            parts.Add(part);
            if (part.Length < PartBytes)
            {
                break;
            }
        }

        if (parts.Count == 0)
        {
            return null;
        }

        var whole = new byte[parts.Sum(part => (long)part.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(whole.AsMemory(at));
            at += part.Length;
        }

        return new MemorySource(whole);
    }

    /// <summary>Puts a key where <see cref="OpenAsync"/> finds it; a name that is taken keeps what it has.</summary>
    public static async Task<bool> StoreAsync(
        IBlobStore blobs, string circuit, ReadOnlyMemory<byte> key, CancellationToken cancellation = default)
    {
        if (!ProofJob.IsName(circuit) || key.Length > (long)PartBytes * MostParts)
        {
            throw new ArgumentException("Not a circuit's name, or a key beyond 1 GiB.", nameof(circuit));
        }

        var isNew = true;
        for (var (part, at) = (0, 0); part == 0 || at < key.Length; part++, at += PartBytes)
        {
            var bytes = key.Slice(at, Math.Min(PartBytes, key.Length - at));
            isNew &= await blobs.PutAsync(NameOf(circuit, part), bytes, cancellation);
        }

        return isNew;
    }

    private static string NameOf(string circuit, int part) =>
        string.Create(CultureInfo.InvariantCulture, $"circuits/{circuit}/{part}");
}

/// <summary>Keys that were opened lately stay open, because reading one takes longer than a small proof.</summary>
internal sealed class OpenKeys(IKeyFiles files, int most) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<(string Circuit, ByteSource Source, ProvingKey Key)> _open = [];

    /// <summary>The circuit's key, null where there is none; good until <paramref name="most"/> others were asked
    /// for.</summary>
    /// <exception cref="ProofException">The file is no key.</exception>
    internal async Task<ProvingKey?> GetAsync(string circuit, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            var at = _open.FindIndex(entry => entry.Circuit == circuit);
            if (at >= 0)
            {
                var found = _open[at];
                _open.RemoveAt(at);
                _open.Add(found);
                return found.Key;
            }

            if (await files.OpenAsync(circuit, cancellation) is not { } source)
            {
                return null;
            }

            var key = Open(source);
            _open.Add((circuit, source, key));
            if (_open.Count > most)
            {
                _open[0].Source.Dispose();
                _open.RemoveAt(0);
            }

            return key;
        }
        finally
        {
            _gate.Release();
        }
    }

    private static ProvingKey Open(ByteSource source)
    {
        try
        {
            return new ProvingKey(source);
        }
        catch (ProofException)
        {
            source.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var (_, source, _) in _open)
        {
            source.Dispose();
        }

        _open.Clear();
        _gate.Dispose();
    }
}
