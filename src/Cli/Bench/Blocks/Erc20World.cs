using System.Text;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.Blocks;

/// <summary>Holders of a token, some of them hot: a share of the transfers goes to one of four.</summary>
internal sealed class Erc20World
{
    private const int HotHolders = 4;

    private static readonly Address Token = Address.FromNumber(0x70);

    private readonly int _holders;

    internal Erc20World(int holders)
    {
        _holders = holders;
        State.Put(BlockRuns.Coinbase, 1);
        State.Put(Token, 0, EvmContracts.Load()[EvmContracts.Token]);
        for (var i = 0; i < holders; i++)
        {
            State.Put(HolderAt(i), 1_000_000_000_000_000_000);
            State.PutSlot(Token, EntryOf(HolderAt(i), 0), 1_000_000_000);
        }
    }

    internal MemoryState State { get; } = new();

    /// <summary>A block on the state before any other.</summary>
    internal BlockInput Block(int transfers, int hotPercent, int seed)
    {
        var random = new Random(seed);
        var selector = Keccak256.Hash(Encoding.ASCII.GetBytes("transfer(address,uint256)")).Bytes[..4].ToArray();
        var nonces = new ulong[_holders];
        var transactions = new Transaction[transfers];
        for (var i = 0; i < transactions.Length; i++)
        {
            var sender = random.Next(_holders);
            var recipient = random.Next(100) < hotPercent ? random.Next(HotHolders) : random.Next(_holders);
            transactions[i] = new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = 1, Nonce = nonces[sender]++, GasLimit = 100_000,
                MaxFeePerGas = 20, MaxPriorityFeePerGas = 1, To = Token, Sender = HolderAt(sender),
                Data = (byte[])[
                    .. selector, .. HolderAt(recipient).ToWord().ToBigEndian(), .. UInt256.One.ToBigEndian()],
            };
        }

        return BlockRuns.Block(State, transactions);
    }

    /// <summary>Where Solidity keeps the entry of the mapping at a slot.</summary>
    internal static UInt256 EntryOf(in Address key, in UInt256 slot) =>
        UInt256.FromBigEndian(Keccak256.Hash([.. key.ToWord().ToBigEndian(), .. slot.ToBigEndian()]).Bytes);

    private static Address HolderAt(int index) => Address.FromNumber(0x2000_0000 + (ulong)index);
}
