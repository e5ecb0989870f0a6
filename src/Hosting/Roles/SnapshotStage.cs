using System.Buffers.Binary;
using System.Globalization;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>
/// The message that says: the parts of a state are there, checked; put it in place, from this part on.
/// </summary>
/// <remarks>
/// <code>
/// 'S'  block (8, big-endian)  its hash (32)  part (4)
/// </code>
/// </remarks>
internal readonly record struct SnapshotNotice(ulong Number, Hash256 BlockHash, int Part)
{
    /// <summary>Bytes of a notice.</summary>
    internal const int Bytes = 1 + sizeof(ulong) + Hash256.Size + sizeof(int);

    private const byte Kind = (byte)'S';

    internal byte[] Encode()
    {
        var body = new byte[Bytes];
        body[0] = Kind;
        BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(1), Number);
        BlockHash.CopyTo(body.AsSpan(1 + sizeof(ulong)));
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(Bytes - sizeof(int)), Part);
        return body;
    }

    internal static bool TryDecode(ReadOnlySpan<byte> body, out SnapshotNotice notice)
    {
        notice = default;
        if (body.Length != Bytes || body[0] != Kind
            || BinaryPrimitives.ReadInt32BigEndian(body[(Bytes - sizeof(int))..]) is var part && part < 0)
        {
            return false;
        }

        notice = new(
            BinaryPrimitives.ReadUInt64BigEndian(body[1..]), new Hash256(body.Slice(1 + sizeof(ulong), Hash256.Size)),
            part);
        return true;
    }
}

/// <summary>What a transfer of a state leaves for the execution, in blobs that are deleted with its end.</summary>
/// <remarks>
/// <code>
///   snapshot/NUMBER-HASH/offer        the offer, as it came
///                       /blocks-N     parts as they came (SnapshotParts), checked
///                       /nodes-N
///                       /manifest     [parts of blocks, parts of nodes, [digests of the last batches]]
///                       /taken-N      what the execution has open after N parts (StateTakeover.Save)
/// </code>
/// A name is written once: who comes to a part after a crash goes on with what lies there.
/// </remarks>
public sealed class SnapshotStage(IBlobStore blobs, ulong number, Hash256 blockHash)
{
    /// <summary>The folder, for the container's life-cycle rule: what a transfer left that nobody ended.</summary>
    public const string Folder = "snapshot";

    /// <summary>Blobs that are deleted at once.</summary>
    private const int MostAtOnce = 16;

    internal string Name => string.Create(
        CultureInfo.InvariantCulture, $"{Folder}/{number}-{Convert.ToHexStringLower(blockHash.Bytes[..8])}");

    internal Task<ReadOnlyMemory<byte>?> OfferAsync(CancellationToken cancellation) =>
        blobs.GetAsync($"{Name}/offer", cancellation);

    internal Task PutOfferAsync(byte[] offer, CancellationToken cancellation) =>
        blobs.PutAsync($"{Name}/offer", offer, cancellation);

    internal Task<ReadOnlyMemory<byte>?> BlocksAsync(int part, CancellationToken cancellation) =>
        blobs.GetAsync(NameOf("blocks", part), cancellation);

    internal Task PutBlocksAsync(int part, byte[] content, CancellationToken cancellation) =>
        blobs.PutAsync(NameOf("blocks", part), content, cancellation);

    internal Task<ReadOnlyMemory<byte>?> NodesAsync(int part, CancellationToken cancellation) =>
        blobs.GetAsync(NameOf("nodes", part), cancellation);

    internal Task PutNodesAsync(int part, byte[] content, CancellationToken cancellation) =>
        blobs.PutAsync(NameOf("nodes", part), content, cancellation);

    internal Task<ReadOnlyMemory<byte>?> TakenAsync(int parts, CancellationToken cancellation) =>
        blobs.GetAsync(NameOf("taken", parts), cancellation);

    internal Task PutTakenAsync(int parts, byte[] saved, CancellationToken cancellation) =>
        blobs.PutAsync(NameOf("taken", parts), saved, cancellation);

    internal Task DeleteTakenAsync(int parts, CancellationToken cancellation) =>
        blobs.DeleteAsync(NameOf("taken", parts), cancellation);

    internal async Task PutManifestAsync(SnapshotManifest manifest, CancellationToken cancellation)
    {
        var writer = new RlpWriter(8_192);
        var list = writer.BeginList();
        writer.WriteUInt64((ulong)manifest.BlockParts);
        writer.WriteUInt64((ulong)manifest.NodeParts);
        var digests = writer.BeginList();
        foreach (var digest in manifest.Digests)
        {
            writer.WriteHash256(digest);
        }

        writer.EndList(digests);
        writer.EndList(list);
        await blobs.PutAsync($"{Name}/manifest", writer.ToArray(), cancellation);
    }

    /// <summary>Null where the transfer was ended.</summary>
    /// <exception cref="StoreException">It is damaged.</exception>
    internal async Task<SnapshotManifest?> ManifestAsync(CancellationToken cancellation)
    {
        if (await blobs.GetAsync($"{Name}/manifest", cancellation) is not { } bytes)
        {
            return null;
        }

        try
        {
            var list = new RlpReader(bytes.Span).ReadList();
            var (blocks, nodes) = ((int)list.ReadUInt64(), (int)list.ReadUInt64());
            var digests = new List<Hash256>();
            for (var items = list.ReadList(); !items.AtEnd;)
            {
                digests.Add(items.ReadHash256());
            }

            return new(blocks, nodes, digests);
        }
        catch (RlpException damage)
        {
            throw new StoreException($"{Name}/manifest is damaged: {damage.Message}", damage);
        }
    }

    /// <summary>Deletes everything, the offer last: until then the end can be made again.</summary>
    internal async Task DeleteAsync(int blockParts, int nodeParts, CancellationToken cancellation)
    {
        var names = Enumerable.Range(0, blockParts).Select(part => NameOf("blocks", part))
            .Concat(Enumerable.Range(0, nodeParts).Select(part => NameOf("nodes", part)))
            .Concat([$"{Name}/manifest", $"{Name}/offer"]);
        foreach (var group in names.Chunk(MostAtOnce))
        {
            await Task.WhenAll(group.Select(name => blobs.DeleteAsync(name, cancellation)));
        }
    }

    private string NameOf(string kind, int part) =>
        string.Create(CultureInfo.InvariantCulture, $"{Name}/{kind}-{part}");
}

/// <summary>What a staged state consists of.</summary>
/// <param name="BlockParts">Parts of blocks.</param>
/// <param name="NodeParts">Parts of nodes.</param>
/// <param name="Digests">
/// The batches whose transactions may still wait, in rising order; the last is the block's.
/// </param>
internal sealed record SnapshotManifest(int BlockParts, int NodeParts, IReadOnlyList<Hash256> Digests);
