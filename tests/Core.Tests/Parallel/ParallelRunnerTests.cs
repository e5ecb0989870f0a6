using System.Text;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Parallel;

public sealed class ParallelRunnerTests
{
    public static TheoryData<int, Fork, int, bool> Cases
    {
        get
        {
            var cases = new TheoryData<int, Fork, int, bool>();
            for (var seed = 0; seed < 24; seed++)
            {
                cases.Add(seed, seed % 3 == 0 ? Fork.Shanghai : seed % 3 == 1 ? Fork.Osaka : Fork.Byzantium,
                    ((int[])[2, 4, 8])[seed % 3], seed % 2 == 0);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_parallel_block_equals_the_serial_block(int seed, Fork fork, int workers, bool validateAhead)
    {
        for (var round = 0; round < 6; round++)
        {
            var world = new ConflictWorld(fork);
            var transactions = world.RandomBlock(new Random((seed * 100) + round), 120);
            var serial = new SerialTransactionRunner(new EvmEngine());
            var options = new ParallelRunnerOptions(
                workers, validateAhead, SerialBelow: 0, Interleaving: round % 2 == 0 ? null : Disturb);
            var parallel = new ParallelTransactionRunner(() => new EvmEngine(), options);
            Assert.Equal(Describe(world, transactions, serial, false), Describe(world, transactions, parallel, false));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Keys_that_are_not_loaded_are_fetched_in_bulk_and_change_nothing(int workers)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var world = new ConflictWorld(Fork.Osaka);
            var transactions = world.RandomBlock(new Random(seed), 100);
            var serial = new SerialTransactionRunner(new EvmEngine());
            var parallel = new ParallelTransactionRunner(
                () => new EvmEngine(), new ParallelRunnerOptions(workers, SerialBelow: 0));
            Assert.Equal(Describe(world, transactions, serial, false), Describe(world, transactions, parallel, true));
            Assert.Equal(Describe(world, transactions, serial, true), Describe(world, transactions, parallel, false));
        }
    }

    [Fact]
    public void An_import_stops_at_the_transaction_at_which_the_serial_runner_stops()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var world = new ConflictWorld(Fork.Osaka);
            var transactions = world.RandomBlock(new Random(seed), 60);
            var serial = Run(world, transactions, new SerialTransactionRunner(new EvmEngine()), false, strict: true);
            var parallel = Run(world, transactions, new ParallelTransactionRunner(
                () => new EvmEngine(), new ParallelRunnerOptions(2, SerialBelow: 0)), false, strict: true);
            Assert.Equal(serial.Error, parallel.Error);
            Assert.Equal(serial.LeftOut, parallel.LeftOut);
        }
    }

    /// <summary>Gives the processor away now and then, for a while, wherever workers could meet.</summary>
    private static void Disturb(int worker)
    {
        if (Random.Shared.Next(128) == 0)
        {
            Thread.Yield();
        }
        else
        {
            Thread.SpinWait(Random.Shared.Next(30) * (worker + 1));
        }
    }

    private static BlockOutcome Run(
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
    private static string Describe(
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
