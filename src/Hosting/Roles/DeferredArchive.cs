using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>
/// The ordered transactions that a block left out and that come again: blob <c>deferred/&lt;number&gt;</c>, there
/// before the block is. No blob stands for none.
/// </summary>
internal sealed class DeferredArchive(IBlobStore blobs)
{
    private const string Folder = "deferred";

    internal async Task PutAsync(
        ulong number, IReadOnlyList<(ulong Batch, Transaction Transaction)> waiting, CancellationToken cancellation)
    {
        if (waiting.Count == 0)
        {
            return;
        }

        var writer = new RlpWriter(4_096);
        var list = writer.BeginList();
        foreach (var (batch, transaction) in waiting)
        {
            writer.WriteUInt64(batch);
            writer.WriteBytes(TransactionCodec.Encode(transaction));
        }

        writer.EndList(list);
        await blobs.PutAsync(NameOf(number), writer.ToArray(), cancellation);
    }

    /// <exception cref="StoreException">What lies there is no list of transactions.</exception>
    internal async Task<IReadOnlyList<(ulong Batch, Transaction Transaction)>> GetAsync(
        ulong number, CancellationToken cancellation)
    {
        if (await blobs.GetAsync(NameOf(number), cancellation) is not { } bytes)
        {
            return [];
        }

        try
        {
            return Decode(bytes.Span);
        }
        catch (RlpException damage)
        {
            throw new StoreException($"{NameOf(number)} is damaged: {damage.Message}", damage);
        }
    }

    /// <summary>The block is too far below the head for its list to be read again.</summary>
    internal Task DeleteAsync(ulong number, CancellationToken cancellation) =>
        blobs.DeleteAsync(NameOf(number), cancellation);

    private static List<(ulong, Transaction)> Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        reader.RequireEnd();
        var waiting = new List<(ulong, Transaction)>();
        while (!list.AtEnd)
        {
            var batch = list.ReadUInt64();
            var decoded = TransactionCodec.Decode(list.ReadBytes());
            waiting.Add(decoded.Succeeded
                ? (batch, decoded.Value)
                : throw new RlpException("An item is no transaction."));
        }

        return waiting;
    }

    private static string NameOf(ulong number) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Folder}/{number}");
}
