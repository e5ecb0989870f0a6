using System.CommandLine;
using System.Diagnostics;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Cli.Bench;

/// <summary>The state root and the commit of blocks of several sizes over a large state, in memory.</summary>
internal sealed class RootBenchmark : IBenchmark
{
    private const int TinyBlocks = 2_000;
    private const int TouchedByTinyBlock = 3;

    private readonly Option<int> _accounts = new("--accounts")
    {
        Description = "Accounts of the state",
        DefaultValueFactory = _ => 1_000_000,
    };

    private readonly Option<int> _changes = new("--changes")
    {
        Description = "Accounts that a large block changes; as many slots of one contract in a second figure",
        DefaultValueFactory = _ => 10_000,
    };

    public string Name => "root";

    public string Description => "State root and commit: 10,000 of 1,000,000 accounts, 10,000 slots, one transfer";

    public IReadOnlyList<Option> Options => [_accounts, _changes];

    public Task RunAsync(BenchContext context)
    {
        var accounts = context.Options.GetRequiredValue(_accounts);
        var changes = context.Options.GetRequiredValue(_changes);
        using var store = new MemoryKeyValueStore();
        var started = Stopwatch.GetTimestamp();
        using (var batch = store.CreateBatch())
        {
            StateStore.WriteGenesis(Genesis(accounts), batch);
            context.Report("genesis_root", "s", Stopwatch.GetElapsedTime(started).TotalSeconds);
            store.Write(batch);
        }

        var state = StateStore.Open(store)!;
        var random = new Random(1);
        Measure(context, "accounts", store, state, block => ChangeAccounts(block, random, changes, accounts));
        Measure(context, "slots", store, state, block => ChangeSlots(block, random, changes));
        MeasureTiny(context, store, state, random, accounts);
        return Task.CompletedTask;
    }

    private static void Measure(
        BenchContext context, string name, MemoryKeyValueStore store, StateStore state, Action<BlockState> change)
    {
        var roots = new double[context.Runs];
        var commits = new double[context.Runs];
        for (var run = -2; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var block = new BlockState(state.Latest);
            change(block);
            var started = Stopwatch.GetTimestamp();
            var transition = state.Prepare(block);
            var prepared = Stopwatch.GetTimestamp();
            using var batch = store.CreateBatch();
            state.Commit(transition, batch);
            if (run >= 0)
            {
                roots[run] = Stopwatch.GetElapsedTime(started, prepared).TotalMilliseconds;
                commits[run] = Stopwatch.GetElapsedTime(prepared).TotalMilliseconds;
            }
        }

        context.Report($"root_{name}", "ms", roots);
        context.Report($"commit_{name}", "ms", commits);
    }

    private static void MeasureTiny(
        BenchContext context, MemoryKeyValueStore store, StateStore state, Random random, int accounts)
    {
        var samples = new double[context.Runs];
        for (var run = -1; run < context.Runs; run++)
        {
            var elapsed = 0L;
            for (var i = 0; i < TinyBlocks; i++)
            {
                var block = new BlockState(state.Latest);
                ChangeAccounts(block, random, TouchedByTinyBlock, accounts);
                var started = Stopwatch.GetTimestamp();
                var transition = state.Prepare(block);
                using var batch = store.CreateBatch();
                state.Commit(transition, batch);
                elapsed += Stopwatch.GetTimestamp() - started;
            }

            if (run >= 0)
            {
                samples[run] = elapsed * 1e6 / Stopwatch.Frequency / TinyBlocks;
            }
        }

        context.Report("tiny_block", "us", samples);
    }

    private static void ChangeAccounts(BlockState block, Random random, int count, int accounts)
    {
        var changes = new StateChanges();
        for (var i = 0; i < count; i++)
        {
            var address = AddressOf(random.Next(accounts));
            block.ReadAccount(address, out var account);
            account = account with { Nonce = account.Nonce + 1, Balance = account.Balance + 1 };
            changes.Accounts.Add(new AccountChange(address, true, account, false, null));
        }

        block.Apply(changes);
    }

    private static void ChangeSlots(BlockState block, Random random, int count)
    {
        var changes = new StateChanges();
        var address = AddressOf(0);
        block.ReadAccount(address, out var account);
        account = account with { HasStorage = true };
        changes.Accounts.Add(new AccountChange(address, true, account, false, null));
        for (var i = 0; i < count; i++)
        {
            changes.Slots.Add(new SlotChange(address, (ulong)random.Next(100 * count), (ulong)random.NextInt64() + 1));
        }

        block.Apply(changes);
    }

    private static List<AllocatedAccount> Genesis(int accounts)
    {
        var list = new List<AllocatedAccount>(accounts);
        for (var i = 0; i < accounts; i++)
        {
            list.Add(new AllocatedAccount(AddressOf(i), 1, (ulong)i + 1_000_000, null, null));
        }

        return list;
    }

    private static Address AddressOf(int index)
    {
        Span<byte> bytes = stackalloc byte[4];
        BitConverter.TryWriteBytes(bytes, index);
        return new Address(Keccak256.Hash(bytes).Bytes[12..]);
    }
}
