using System.Text;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Parallel;

/// <summary>Runs a block and tells all that consensus sees of it, so that two ways to run it can be compared.</summary>
internal static class BlockComparison
{
    internal static BlockOutcome Run(
        ConflictWorld world, IReadOnlyList<Transaction> transactions, ITransactionRunner runner, bool lazily,
        bool strict = false)
    {
        var input = new BlockInput
        {
            Context = world.Context, Transactions = transactions, ParentHash = Hash256.Zero,
            LeaveOutInvalid = !strict, SkipStatelessChecks = true,
        };
        IStateReader parent = lazily ? new LazyReader(world) : world;
        var processor = new BlockProcessor(new EvmEngine(), runner);
        return processor.Execute(input, parent);
    }

    /// <summary>Everything that consensus sees of a block, as text.</summary>
    internal static string Describe(
        ConflictWorld world, IReadOnlyList<Transaction> transactions, ITransactionRunner runner, bool lazily)
    {
        var outcome = Run(world, transactions, runner, lazily);
        var text = new StringBuilder();
        text.AppendLine($"{outcome.Error} gas {outcome.GasUsed} bloom {outcome.LogsBloom.GetHashCode()}");
        foreach (var left in outcome.LeftOut)
        {
            text.AppendLine($"left out {left.Index}: {left.Error}");
        }

        foreach (var receipt in outcome.Receipts)
        {
            text.AppendLine($"{receipt.Succeeded} {receipt.GasUsed} {receipt.CumulativeGasUsed} "
                + $"{receipt.ContractAddress} {string.Join(',', receipt.Logs.Select(log => log.Address))}");
        }

        foreach (var account in outcome.State.Accounts.OrderBy(account => account.Address))
        {
            var slots = account.Slots.Where(slot => slot.Value.Current != slot.Value.Original)
                .OrderBy(slot => slot.Key).Select(slot => $"{slot.Key}={slot.Value.Current}").ToArray();
            var record = account.Exists ? account.Current : default;
            if (account.Exists != account.OriginalExists || slots.Length > 0
                || (account.Exists && account.Current != account.Original))
            {
                text.AppendLine($"{account.Address} {account.Exists} {record.Nonce} {record.Balance} "
                    + $"{record.CodeHash} {string.Join(' ', slots)}");
            }
        }

        foreach (var hash in outcome.State.NewCode.Keys.Order())
        {
            text.AppendLine($"code {hash}");
        }

        return text.ToString();
    }

    /// <summary>Answers a key only after it was loaded.</summary>
    private sealed class LazyReader(ConflictWorld world) : IStateReader, IStateLoader
    {
        private readonly HashSet<Address> _accounts = [];
        private readonly HashSet<SlotKey> _slots = [];
        private readonly HashSet<Hash256> _codes = [];

        public ReadStatus ReadAccount(in Address address, out Account account)
        {
            lock (_accounts)
            {
                account = default;
                return _accounts.Contains(address) ? world.ReadAccount(address, out account) : ReadStatus.NotLoaded;
            }
        }

        public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
        {
            lock (_accounts)
            {
                value = default;
                return _slots.Contains(new SlotKey(address, slot))
                    ? world.ReadSlot(address, slot, out value)
                    : ReadStatus.NotLoaded;
            }
        }

        public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
        {
            lock (_accounts)
            {
                code = null;
                return _codes.Contains(codeHash) ? world.ReadCode(codeHash, out code) : ReadStatus.NotLoaded;
            }
        }

        public void Load(IReadOnlyList<MissingKey> keys)
        {
            Assert.InRange(keys.Count, 1, ParallelTransactionRunner.FetchLimit);
            lock (_accounts)
            {
                foreach (var key in keys)
                {
                    _ = key.Kind switch
                    {
                        MissingKind.Account => _accounts.Add(key.Address),
                        MissingKind.Slot => _slots.Add(new SlotKey(key.Address, key.Slot)),
                        _ => _codes.Add(key.CodeHash),
                    };
                }
            }
        }
    }
}
