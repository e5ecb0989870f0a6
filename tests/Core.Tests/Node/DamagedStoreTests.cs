using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

public sealed class DamagedStoreTests
{
    private const ulong Blocks = 6;

    [Fact]
    public void A_damaged_store_is_refused_with_the_reason_and_nothing_worse()
    {
        var refused = 0;
        for (var seed = 0; seed < 250; seed++)
        {
            var random = new Random(seed);
            using var store = Fill();
            Damage(store, random);
            try
            {
                Use(store);
            }
            catch (StoreException refusal)
            {
                Assert.NotEmpty(refusal.Message);
                refused++;
            }
        }

        Assert.True(refused > 60, $"only {refused} of 250 damages were noticed");
    }

    private static MemoryKeyValueStore Fill()
    {
        var store = new MemoryKeyValueStore();
        var options = new ChainOptions { State = new StateOptions { TrieBufferBlocks = 4 } };
        var scenario = new ChainScenario(Fork.Cancun, store, options);
        for (var i = 0UL; i < Blocks; i++)
        {
            scenario.Produce();
        }

        scenario.Chain.Dispose();
        return store;
    }

    /// <summary>Changes, shortens, lengthens or deletes one value anywhere in the store.</summary>
    private static void Damage(MemoryKeyValueStore store, Random random)
    {
        var columns = Enum.GetValues<Column>().Where(column => store.Scan(column, default).Any()).ToArray();
        var column = columns[random.Next(columns.Length)];
        var pairs = store.Scan(column, default).ToArray();
        var (key, value) = pairs[random.Next(pairs.Length)];
        switch (random.Next(4))
        {
            case 0 when value.Length > 0:
                value[random.Next(value.Length)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                value = value[..random.Next(value.Length + 1)];
                break;
            case 2:
                value = [.. value, .. new byte[random.Next(1, 200)]];
                break;
            default:
                using (var batch = store.CreateBatch())
                {
                    batch.Delete(column, key);
                    store.Write(batch);
                }

                return;
        }

        store.Put(column, key, value);
    }

    /// <summary>Opens the chain, reads all of it, and goes on with it.</summary>
    private static void Use(MemoryKeyValueStore store)
    {
        var scenario = new ChainScenario(Fork.Cancun, store);
        var chain = scenario.Chain;
        for (var number = 0UL; number <= chain.Head.Number; number++)
        {
            var block = chain.GetBlock(number);
            chain.GetHeader(number);
            chain.GetReceipts(number);
            foreach (var transaction in block?.Block.Transactions ?? [])
            {
                chain.FindTransaction(transaction.Hash);
            }

            if (chain.StateAt(number).State is { } state)
            {
                state.ReadAccount(ChainScenario.Counter, out var account);
                state.ReadSlot(ChainScenario.Counter, 0, out _);
                state.ReadCode(account.CodeHash, out _);
            }

            chain.GetProof(number, ChainScenario.Counter, [0, 1]);
        }

        scenario.Produce();
        chain.Rewind(2);
        scenario.Produce();
        chain.Dispose();
    }
}
