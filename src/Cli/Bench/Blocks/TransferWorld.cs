using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.Blocks;

/// <summary>Accounts that send each other plain transfers.</summary>
internal sealed class TransferWorld
{
    private readonly int _accounts;

    internal TransferWorld(int accounts)
    {
        _accounts = accounts;
        State.Put(BlockRuns.Coinbase, 1);
        for (var i = 0; i < accounts; i++)
        {
            State.Put(AccountAt(i), 1_000_000_000_000_000_000);
        }
    }

    internal MemoryState State { get; } = new();

    /// <summary>A block on the state before any other, with sender and recipient drawn evenly.</summary>
    internal BlockInput Block(int transfers, int seed)
    {
        var random = new Random(seed);
        var nonces = new ulong[_accounts];
        var transactions = new Transaction[transfers];
        for (var i = 0; i < transactions.Length; i++)
        {
            var sender = random.Next(_accounts);
            transactions[i] = new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = 1, Nonce = nonces[sender]++, GasLimit = 21_000,
                MaxFeePerGas = 20, MaxPriorityFeePerGas = 1, To = AccountAt(random.Next(_accounts)), Value = 1,
                Sender = AccountAt(sender),
            };
        }

        return BlockRuns.Block(State, transactions);
    }

    private static Address AccountAt(int index) => Address.FromNumber(0x1000_0000 + (ulong)index);
}
