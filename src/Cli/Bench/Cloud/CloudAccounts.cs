using System.Text;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Bench.Cloud;

/// <summary>What the transactions of a load do.</summary>
internal enum CloudLoadKind
{
    Transfers,
    Erc20,
}

/// <summary>
/// Many accounts that have keys, money and tokens from the first block on, and signed requests of any of them.
/// </summary>
internal sealed class CloudAccounts
{
    private const ulong Gwei = 1_000_000_000;
    private const int Seed = 1;

    private static readonly Address Token = EvmContracts.Token;
    private static readonly byte[] TransferSelector =
        Keccak256.Hash("transfer(address,uint256)"u8).Bytes[..4].ToArray();

    private readonly byte[][] _keys;
    private readonly Address[] _addresses;
    private readonly ulong[] _nonces;
    private readonly int[] _order;
    private int _next;

    internal CloudAccounts(int count)
    {
        (_keys, _addresses, _nonces) = (new byte[count][], new Address[count], new ulong[count]);
        System.Threading.Tasks.Parallel.For(0, count, i =>
        {
            _keys[i] = Keccak256.Hash(Encoding.ASCII.GetBytes($"cloud{i}")).ToArray();
            _addresses[i] = Secp256k1.AddressOf(_keys[i]);
        });
        _order = [.. Enumerable.Range(0, count)];
        new Random(Seed).Shuffle(_order);
    }

    /// <summary>A new chain begins: nobody has sent anything.</summary>
    internal void Begin()
    {
        Array.Clear(_nonces);
        _next = 0;
    }

    /// <summary>A genesis in which each has 10 ether and 10^9 of the token.</summary>
    internal byte[] Genesis()
    {
        var none = new Dictionary<UInt256, UInt256>();
        var alloc = new Dictionary<Address, GenesisAccount>(_addresses.Length + 1);
        var balances = new Dictionary<UInt256, UInt256>(_addresses.Length);
        foreach (var address in _addresses)
        {
            alloc[address] = new GenesisAccount(UInt256.Parse("10000000000000000000"), 0, [], none);
            balances[BalanceSlot(address)] = Gwei;
        }

        var now = (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var genesis = DevGenesis.Create(ChainSpec.DevelopmentChainId, Fork.Osaka, [], UInt256.Zero, now);
        foreach (var (address, account) in genesis.Alloc)
        {
            alloc[address] = account;
        }

        alloc[Token] = new GenesisAccount(0, 1, EvmContracts.Load()[Token], balances);
        return DevGenesisFile.Write(genesis with { Alloc = alloc });
    }

    /// <summary>
    /// Signed requests: every transaction has another sender, as long as there are accounts, and any recipient.
    /// </summary>
    internal List<CloudRequest> Sign(CloudLoadKind kind, int transactions, int inRequest)
    {
        var random = new Random(Seed);
        var unsigned = Enumerable.Range(0, transactions).Select(_ =>
        {
            var sender = _order[_next++ % _order.Length];
            return (sender, Transaction: Unsigned(kind, sender, _addresses[random.Next(_addresses.Length)]));
        }).ToArray();
        var requests = new CloudRequest[(transactions + inRequest - 1) / inRequest];
        System.Threading.Tasks.Parallel.For(0, requests.Length, i =>
        {
            var hashes = new List<Hash256>(inRequest);
            var body = new StringBuilder("[");
            foreach (var (sender, transaction) in unsigned.Skip(i * inRequest).Take(inRequest))
            {
                var signed = TransactionSigner.Sign(transaction, _keys[sender]);
                body.Append(hashes.Count == 0 ? string.Empty : ",").Append("{\"jsonrpc\":\"2.0\",\"id\":")
                    .Append(hashes.Count).Append(",\"method\":\"eth_sendRawTransaction\",\"params\":[\"")
                    .Append(Hex.Encode(TransactionCodec.Encode(signed))).Append("\"]}");
                hashes.Add(signed.Hash);
            }

            requests[i] = new(hashes, Encoding.ASCII.GetBytes(body.Append(']').ToString()));
        });
        return [.. requests];
    }

    private Transaction Unsigned(CloudLoadKind kind, int sender, in Address to) => new()
    {
        Type = TransactionType.DynamicFee,
        ChainId = ChainSpec.DevelopmentChainId,
        Nonce = _nonces[sender]++,
        GasLimit = kind == CloudLoadKind.Transfers ? 21_000UL : 80_000UL,
        MaxFeePerGas = 20 * Gwei,
        MaxPriorityFeePerGas = Gwei,
        To = kind == CloudLoadKind.Transfers ? to : Token,
        Value = kind == CloudLoadKind.Transfers ? 1UL : 0UL,
        Data = kind == CloudLoadKind.Transfers
            ? default
            : (byte[])[.. TransferSelector, .. to.ToWord().ToBigEndian(), .. UInt256.One.ToBigEndian()],
    };

    /// <summary>Where Solidity keeps the entry of the mapping at slot 0.</summary>
    private static UInt256 BalanceSlot(in Address holder) =>
        UInt256.FromBigEndian(Keccak256.Hash([.. holder.ToWord().ToBigEndian(), .. new byte[32]]).Bytes);
}

/// <summary>A JSON-RPC request with many transactions, as bytes.</summary>
internal sealed record CloudRequest(IReadOnlyList<Hash256> Hashes, byte[] Body)
{
    /// <summary>The time stamp of its submission.</summary>
    internal long SentAt { get; set; }
}
