using System.Text.Json;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>A genesis with a few of its accounts, and the root that all of them have.</summary>
internal sealed record GenesisBrief(Genesis Genesis, Hash256 StateRoot);

/// <summary>
/// What a genesis file says beside most of its accounts, kept where the chain lies: blob
/// <c>genesis/&lt;hash of the first block&gt;</c>, RLP <c>[name of the file, state root, the file, less in alloc]</c>.
/// </summary>
/// <remarks>The first block's hash fixes all of it but the name and the fork rules, which are as the file said when
/// the chain began.</remarks>
internal sealed class GenesisBriefs(IBlobStore blobs)
{
    private const string Folder = "genesis";
    private const int Bytes = 4_096;

    /// <summary>The brief of that first block and that file; null where there is none.</summary>
    /// <exception cref="StoreException">What lies there is damaged.</exception>
    internal async Task<GenesisBrief?> FindAsync(Hash256 firstBlock, string file, CancellationToken cancellation)
    {
        var name = NameOf(firstBlock);
        if (await blobs.GetAsync(name, cancellation) is not { } body)
        {
            return null;
        }

        try
        {
            return Decode(body.Span, file);
        }
        catch (Exception damage) when (damage is RlpException or FormatException)
        {
            throw new StoreException($"The store is damaged: {name}: {damage.Message}", damage);
        }
    }

    /// <summary>Keeps what a file says.</summary>
    /// <param name="firstBlock">The first block, which the file gives.</param>
    /// <param name="file">The file's name.</param>
    /// <param name="content">The file, which was read before and found good.</param>
    /// <param name="kept">Accounts that are not left out.</param>
    /// <param name="cancellation">Gives up.</param>
    internal Task PutAsync(
        ChainBlock firstBlock, string file, ReadOnlyMemory<byte> content, IReadOnlyCollection<Address> kept,
        CancellationToken cancellation)
    {
        var writer = new RlpWriter(Bytes);
        var list = writer.BeginList();
        writer.WriteBytes(System.Text.Encoding.UTF8.GetBytes(file));
        writer.WriteHash256(firstBlock.Header.StateRoot);
        writer.WriteBytes(WithAccounts(content, kept));
        writer.EndList(list);
        return blobs.PutAsync(NameOf(firstBlock.Hash), writer.ToArray(), cancellation);
    }

    private static GenesisBrief? Decode(ReadOnlySpan<byte> body, string file)
    {
        var reader = new RlpReader(body);
        var list = reader.ReadList();
        reader.RequireEnd();
        var name = System.Text.Encoding.UTF8.GetString(list.ReadBytes());
        var root = list.ReadHash256();
        var genesis = GenesisReader.Read(list.ReadBytes().ToArray());
        list.RequireEnd();
        return !genesis.Succeeded ? throw new FormatException(genesis.Error)
            : name == file ? new GenesisBrief(genesis.Value, root)
            : null;
    }

    private static byte[] WithAccounts(ReadOnlyMemory<byte> file, IReadOnlyCollection<Address> kept)
    {
        using var document = JsonDocument.Parse(file);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var field in document.RootElement.EnumerateObject())
            {
                if (!field.NameEquals("alloc"u8))
                {
                    field.WriteTo(json);
                    continue;
                }

                json.WriteStartObject("alloc"u8);
                foreach (var account in field.Value.EnumerateObject())
                {
                    if (Address.TryParse(account.Name, out var address) && kept.Contains(address))
                    {
                        account.WriteTo(json);
                    }
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static string NameOf(in Hash256 firstBlock) => $"{Folder}/{Convert.ToHexStringLower(firstBlock.Bytes)}";
}
