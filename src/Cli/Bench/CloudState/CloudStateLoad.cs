using System.Text;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Bench.CloudState;

/// <summary>Many accounts with money and tokens, and batches of transfers between any of them.</summary>
internal sealed class CloudStateLoad(int accounts)
{
    private const ulong Gwei = 1_000_000_000;

    private static readonly byte[] Selector =
        Keccak256.Hash(Encoding.ASCII.GetBytes("transfer(address,uint256)")).Bytes[..4].ToArray();

    private readonly Dictionary<int, ulong> _nonces = [];
    private readonly Random _random = new(1);
    private ulong _timestamp = 1_700_000_000;

    internal static Address AccountAt(int index) => Address.FromNumber(0x2000_0000 + (ulong)index);

    internal Address AnyAccount() => AccountAt(_random.Next(accounts));

    internal Genesis Genesis()
    {
        var genesis = DevGenesis.Create(ChainSpec.DevelopmentChainId, Fork.Osaka, [], 0, _timestamp);
        var none = new Dictionary<UInt256, UInt256>();
        var alloc = new Dictionary<Address, GenesisAccount>(genesis.Alloc);
        var balances = new Dictionary<UInt256, UInt256>(accounts);
        for (var i = 0; i < accounts; i++)
        {
            alloc[AccountAt(i)] = new GenesisAccount(UInt256.Parse("10000000000000000000000"), 0, [], none);
            balances[BalanceSlot(AccountAt(i))] = Gwei;
        }

        alloc[EvmContracts.Token] = new GenesisAccount(0, 1, EvmContracts.Load()[EvmContracts.Token], balances);
        return genesis with { Alloc = alloc };
    }

    internal BlockAttributes Attributes() => new()
    {
        Coinbase = Address.FromNumber(0xC01),
        Timestamp = ++_timestamp,
    };

    /// <summary>Transactions of one batch, their senders known as ingest leaves them.</summary>
    internal List<Transaction> Batch(int size, bool tokens)
    {
        var batch = new List<Transaction>(size);
        for (var i = 0; i < size; i++)
        {
            var sender = _random.Next(accounts);
            var nonce = _nonces.GetValueOrDefault(sender);
            _nonces[sender] = nonce + 1;
            var recipient = AnyAccount();
            var transaction = new Transaction
            {
                Type = TransactionType.DynamicFee,
                ChainId = ChainSpec.DevelopmentChainId,
                Nonce = nonce,
                GasLimit = tokens ? 100_000UL : 21_000UL,
                MaxFeePerGas = 10 * Gwei,
                MaxPriorityFeePerGas = Gwei,
                To = tokens ? EvmContracts.Token : recipient,
                Value = tokens ? UInt256.Zero : UInt256.One,
                Data = tokens
                    ? (byte[])[.. Selector, .. recipient.ToWord().ToBigEndian(), .. UInt256.One.ToBigEndian()]
                    : default,
                R = (ulong)i + 1,
                S = nonce + 1,
                Sender = AccountAt(sender),
            };
            transaction.Hash = Keccak256.Hash(TransactionCodec.Encode(transaction));
            batch.Add(transaction);
        }

        return batch;
    }

    /// <summary>Where Solidity keeps the entry of the mapping at slot 0.</summary>
    private static UInt256 BalanceSlot(in Address holder) =>
        UInt256.FromBigEndian(Keccak256.Hash([.. holder.ToWord().ToBigEndian(), .. new byte[32]]).Bytes);
}
