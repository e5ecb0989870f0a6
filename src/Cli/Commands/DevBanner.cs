using System.Globalization;
using System.Text;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Commands;

/// <summary>What `supervm dev` shows once it listens.</summary>
internal static class DevBanner
{
    private const int ShownAccounts = 20;

    internal static string Text(
        IReadOnlyList<DevAccount> accounts, ulong ether, string mnemonic, Node node, string store, Uri address)
    {
        var text = new StringBuilder(4_096);
        text.Append("SuperVM development chain\n\nAccounts\n");
        var shown = Math.Min(accounts.Count, ShownAccounts);
        for (var i = 0; i < shown; i++)
        {
            var checksummed = AddressText.Checksummed(accounts[i].Address);
            text.Append(CultureInfo.InvariantCulture, $"({i}) {checksummed} ({ether} ETH)\n");
        }

        text.Append("\nPrivate keys (known to everybody: never send real money there)\n");
        for (var i = 0; i < shown; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"({i}) {Hex.Encode(accounts[i].PrivateKey)}\n");
        }

        if (accounts.Count > shown)
        {
            text.Append(CultureInfo.InvariantCulture, $"… and {accounts.Count - shown} more\n");
        }

        var head = node.Chain.Head;
        var mining = node.Options.BlockTime is { } time
            ? string.Create(CultureInfo.InvariantCulture, $"every {time.TotalSeconds} s")
            : node.Options.AllowDevelopmentMethods ? "as transactions come" : "as batches are ordered";
        var next = node.Spec.RulesAt(head.Number + 1, head.Header.Timestamp, head.TotalDifficulty);
        return text.Append(CultureInfo.InvariantCulture, $"""

            Mnemonic   {mnemonic}
            Path       {Mnemonic.EthereumPath}N
            Chain id   {node.Chain.ChainId}
            Fork       {next.Fork}
            Gas limit  {node.Options.GasLimit ?? head.Header.GasLimit}
            Head       block {head.Number} {head.Hash}
            Store      {store}
            Signatures {Secp256k1.BackendDescription}
            Mining     {mining}

            Listening on {address.ToString().TrimEnd('/')}
            """).ToString();
    }
}
