using System.Globalization;
using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>
/// A development chain's genesis as a file, in geth's form, for those who are given the file and not the accounts. One
/// field is this software's own: <c>config.equalTimestamps</c>, blocks may have their parent's time.
/// </summary>
public static class DevGenesisFile
{
    private static readonly string[] AtZero =
    [
        "homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock", "constantinopleBlock",
        "petersburgBlock", "istanbulBlock", "muirGlacierBlock", "berlinBlock", "londonBlock", "arrowGlacierBlock",
        "grayGlacierBlock", "mergeNetsplitBlock", "terminalTotalDifficulty", "shanghaiTime", "cancunTime", "pragueTime",
        "osakaTime",
    ];

    /// <summary>
    /// The newest fork from block 0 on, the accounts with so many wei each, and the validators' registry where there is
    /// one.
    /// </summary>
    public static byte[] Write(
        ulong chainId, IEnumerable<DevAccount> accounts, in UInt256 balance, ulong timestamp,
        DevRegistry? registry = null)
    {
        return Write(DevGenesis.Create(chainId, Fork.Osaka, accounts, balance, timestamp, registry));
    }

    /// <summary>The newest fork from block 0 on, and what is allocated, storage too.</summary>
    public static byte[] Write(Genesis genesis)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartObject("config"u8);
            json.WriteNumber("chainId"u8, genesis.Spec.ChainId);
            foreach (var name in AtZero)
            {
                json.WriteNumber(name, 0);
            }

            json.WriteBoolean("equalTimestamps"u8, true);
            json.WriteEndObject();
            json.WriteString("timestamp"u8, Quantity(genesis.Timestamp));
            json.WriteString("gasLimit"u8, Quantity(genesis.GasLimit));
            json.WriteStartObject("alloc"u8);
            foreach (var (address, account) in genesis.Alloc)
            {
                json.WriteStartObject(address.ToString());
                json.WriteString("balance"u8, account.Balance.ToString());
                json.WriteString("nonce"u8, Quantity(account.Nonce));
                json.WriteString("code"u8, Hex.Encode(account.Code));
                if (account.Storage.Count > 0)
                {
                    json.WriteStartObject("storage"u8);
                    foreach (var (slot, value) in account.Storage)
                    {
                        json.WriteString(Hex.Encode(slot.ToBigEndian()), Hex.Encode(value.ToBigEndian()));
                    }

                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static string Quantity(ulong value) =>
        string.Create(CultureInfo.InvariantCulture, $"0x{value:x}");
}
