using System.Text.Json;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Reads the genesis.json that geth, Hardhat and hive use: config, alloc and the header's fields.</summary>
/// <remarks>
/// Numbers stand as JSON numbers, decimal strings or hex after 0x; a missing field and null mean the same. What cannot
/// be carried out is refused, with the name of the field.
/// </remarks>
public static class GenesisReader
{
    /// <summary>Bytes of a file that is read; main net's has under 1 MB.</summary>
    public const int MaximumBytes = 256 << 20;

    /// <param name="utf8">The file.</param>
    /// <param name="specWithoutConfig">The rules where the file has no config; null refuses such a file.</param>
    public static Decoded<Genesis> Read(ReadOnlyMemory<byte> utf8, ChainSpec? specWithoutConfig = null)
    {
        if (utf8.Length > MaximumBytes)
        {
            return Decoded<Genesis>.Refused($"A genesis file has at most {MaximumBytes >> 20} MiB.");
        }

        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 16 });
            return Read(new GenesisNode(document.RootElement, string.Empty), specWithoutConfig);
        }
        catch (JsonException problem)
        {
            return Decoded<Genesis>.Refused($"Not JSON: {problem.Message}");
        }
        catch (InvalidOperationException)
        {
            // The answer of System.Text.Json to an escaped half of a surrogate pair.
            return Decoded<Genesis>.Refused("Not JSON: a string is no valid Unicode text.");
        }
        catch (FormatException problem)
        {
            return Decoded<Genesis>.Refused(problem.Message);
        }
    }

    /// <exception cref="FormatException">A field that is missing or has no sense; the message names it.</exception>
    private static Genesis Read(GenesisNode root, ChainSpec? specWithoutConfig)
    {
        root.RequireObject();
        var config = root.Find("config");
        var spec = config is { } present
            ? GenesisConfigReader.Read(present)
            : specWithoutConfig ?? throw new FormatException("config is missing.");
        var genesis = new Genesis
        {
            Spec = spec,
            Alloc = ReadAlloc(root.Find("alloc")),
            Nonce = root.UInt64("nonce") ?? 0,
            Timestamp = root.UInt64("timestamp") ?? 0,
            ExtraData = root.Bytes("extraData") ?? [],
            GasLimit = root.UInt64("gasLimit") ?? throw new FormatException("gasLimit is missing."),
            Difficulty = root.UInt256("difficulty") ?? UInt256.Zero,
            MixHash = root.Hash256("mixHash") ?? root.Hash256("mixhash") ?? Primitives.Hash256.Zero,
            Coinbase = root.Address("coinbase") ?? Primitives.Address.Zero,
            BaseFeePerGas = root.UInt256("baseFeePerGas"),
            ExcessBlobGas = root.UInt64("excessBlobGas"),
            BlobGasUsed = root.UInt64("blobGasUsed"),
            ParentBeaconBlockRoot = root.Hash256("parentBeaconBlockRoot"),
        };
        if (root.UInt64("number") is > 0)
        {
            throw new FormatException("number: a genesis block has number 0.");
        }

        if (genesis.GasLimit > BaseFee.MaximumGasLimit)
        {
            throw new FormatException($"gasLimit is above {BaseFee.MaximumGasLimit}.");
        }

        return genesis;
    }

    private static Dictionary<Address, GenesisAccount> ReadAlloc(GenesisNode? alloc)
    {
        var accounts = new Dictionary<Address, GenesisAccount>();
        if (alloc is not { } node)
        {
            return accounts;
        }

        foreach (var (name, entry) in node.Members())
        {
            if (!Primitives.Address.TryParse(name, out var address))
            {
                throw new FormatException($"alloc: \"{Shorten(name)}\" is no address of 20 bytes.");
            }

            entry.RequireObject();
            var account = new GenesisAccount(
                entry.UInt256("balance") ?? UInt256.Zero,
                entry.UInt64("nonce") ?? 0,
                entry.Bytes("code") ?? [],
                ReadStorage(entry.Find("storage")));
            if (!accounts.TryAdd(address, account))
            {
                throw new FormatException($"alloc: {address} stands there twice.");
            }
        }

        return accounts;
    }

    private static Dictionary<UInt256, UInt256> ReadStorage(GenesisNode? storage)
    {
        var slots = new Dictionary<UInt256, UInt256>();
        if (storage is not { } node)
        {
            return slots;
        }

        foreach (var (name, entry) in node.Members())
        {
            var slot = node.Word(name, name);
            var value = entry.AsWord();
            if (!value.IsZero && !slots.TryAdd(slot, value))
            {
                throw new FormatException($"{node.Path}: slot {slot.ToQuantity()} stands there twice.");
            }
        }

        return slots;
    }

    internal static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 77), "...");
}
