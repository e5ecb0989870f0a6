using System.Globalization;
using System.Text;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.EndToEnd;

/// <summary>What the transactions of a load do.</summary>
internal enum LoadKind
{
    Transfers,
    Erc20,
}

/// <summary>A batch of transactions: the requests that submit it and that ask for its receipts, as bytes.</summary>
internal sealed record LoadBatch(int Count, byte[] Submit, byte[] LastReceipt, byte[] Receipts)
{
    /// <summary>The time stamp of its submission.</summary>
    internal long SentAt { get; set; }
}

/// <summary>Accounts of its own on a node, and signed batches ready to be sent.</summary>
/// <remarks>Needs the development accounts and, for ERC-20, anvil_setCode and anvil_setStorageAt.</remarks>
internal sealed class LoadPlan
{
    internal const int BatchSize = 50;
    private const int Accounts = 50;
    private static readonly UInt256 GasPrice = 20_000_000_000;
    private static readonly Address Token = Address.FromNumber(0xE2E0_0001);
    private static readonly byte[] TransferSelector =
        Keccak256.Hash("transfer(address,uint256)"u8).Bytes[..4].ToArray();

    private readonly LoadKind _kind;
    private readonly byte[][] _keys = [.. Enumerable.Range(0, Accounts).Select(
        i => Keccak256.Hash(Encoding.ASCII.GetBytes($"e2e{i}")).ToArray())];
    private readonly Address[] _addresses;
    private readonly ulong[] _nonces = new ulong[Accounts];
    private readonly ulong _chainId;

    /// <summary>Gives the accounts money, and tokens where they are needed.</summary>
    internal LoadPlan(RpcSocket node, LoadKind kind)
    {
        _kind = kind;
        _addresses = [.. _keys.Select(key => Secp256k1.AddressOf(key))];
        _chainId = Number(node.Call("eth_chainId").GetString()!);
        Fund(node);
        if (kind == LoadKind.Erc20)
        {
            node.Call("anvil_setCode", Token.ToString(), Hex.Encode(EvmContracts.Load()[EvmContracts.Token]));
            foreach (var address in _addresses)
            {
                node.Call(
                    "anvil_setStorageAt", Token.ToString(), BalanceSlot(address).ToString(),
                    Hex.Encode(new UInt256(1_000_000_000).ToBigEndian()));
            }
        }
    }

    /// <summary>Signed batches by lane; a lane owns its accounts, so that nonces arrive in order.</summary>
    internal LoadBatch[][] Sign(int count, int lanes)
    {
        var perLane = count / lanes / BatchSize;
        var plan = new LoadBatch[lanes][];
        System.Threading.Tasks.Parallel.For(0, lanes, lane =>
        {
            plan[lane] = new LoadBatch[perLane];
            var mine = Enumerable.Range(0, Accounts).Where(i => i % lanes == lane).ToArray();
            for (var i = 0; i < perLane; i++)
            {
                plan[lane][i] = Batch(mine, i * BatchSize);
            }
        });
        return plan;
    }

    private LoadBatch Batch(int[] accounts, int first)
    {
        var submit = new StringBuilder("[");
        var receipts = new StringBuilder("[");
        var last = string.Empty;
        for (var i = 0; i < BatchSize; i++)
        {
            var from = accounts[(first + i) % accounts.Length];
            var to = _addresses[(((first + i) * 7) + 1) % Accounts];
            var signed = TransactionSigner.Sign(Unsigned(_nonces[from]++, to), _keys[from]);
            var comma = i == 0 ? string.Empty : ",";
            submit.Append(comma).Append(Request(
                i, "eth_sendRawTransaction", Hex.Encode(TransactionCodec.Encode(signed))));
            last = Request(i, "eth_getTransactionReceipt", signed.Hash.ToString());
            receipts.Append(comma).Append(last);
        }

        return new LoadBatch(BatchSize, Ascii(submit.Append(']')), Encoding.ASCII.GetBytes(last),
            Ascii(receipts.Append(']')));
    }

    private Transaction Unsigned(ulong nonce, in Address to) => new()
    {
        Type = TransactionType.DynamicFee,
        ChainId = _chainId,
        Nonce = nonce,
        GasLimit = _kind == LoadKind.Transfers ? 21_000UL : 80_000UL,
        MaxFeePerGas = GasPrice,
        MaxPriorityFeePerGas = 1_000_000_000,
        To = _kind == LoadKind.Transfers ? to : Token,
        Value = _kind == LoadKind.Transfers ? 1UL : 0UL,
        Data = _kind == LoadKind.Transfers
            ? default
            : (byte[])[.. TransferSelector, .. to.ToWord().ToBigEndian(), .. UInt256.One.ToBigEndian()],
    };

    private void Fund(RpcSocket node)
    {
        var funder = Mnemonic.PrivateKeyAt(Mnemonic.SeedOf(Mnemonic.Development), "m/44'/60'/0'/0/0");
        var nonce = NonceOf(node, Secp256k1.AddressOf(funder));
        var hash = string.Empty;
        foreach (var address in _addresses)
        {
            var transfer = TransactionSigner.Sign(
                new Transaction
                {
                    Type = TransactionType.DynamicFee, ChainId = _chainId, Nonce = nonce++, GasLimit = 21_000,
                    To = address, Value = new UInt256(100) * 1_000_000_000_000_000_000, MaxFeePerGas = GasPrice,
                    MaxPriorityFeePerGas = 1_000_000_000,
                },
                funder);
            hash = node.Call("eth_sendRawTransaction", Hex.Encode(TransactionCodec.Encode(transfer))).GetString()!;
        }

        while (node.Call("eth_getTransactionReceipt", hash).ValueKind == System.Text.Json.JsonValueKind.Null)
        {
            Thread.Yield();
        }

        for (var i = 0; i < Accounts; i++)
        {
            _nonces[i] = NonceOf(node, _addresses[i]);
        }
    }

    /// <summary>Where Solidity keeps the entry of the mapping at slot 0.</summary>
    private static Hash256 BalanceSlot(in Address holder) =>
        Keccak256.Hash([.. holder.ToWord().ToBigEndian(), .. new byte[32]]);

    private static ulong NonceOf(RpcSocket node, in Address address) =>
        Number(node.Call("eth_getTransactionCount", address.ToString(), "latest").GetString()!);

    private static ulong Number(string text) =>
        ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static string Request(int id, string method, string parameter) =>
        $$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}","params":["{{parameter}}"]}""";

    private static byte[] Ascii(StringBuilder text) => Encoding.ASCII.GetBytes(text.ToString());
}
