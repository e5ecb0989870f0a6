using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Core.Tests.State;

namespace SuperVm.Core.Tests.Node;

public sealed class CrashTests
{
    [Fact]
    public void After_a_crash_behind_any_write_the_chain_is_at_a_whole_block_and_goes_on()
    {
        // Trie nodes are written every second block, so that many crashes fall between a block and its nodes.
        var options = new ChainOptions { State = new StateOptions { TrieBufferBlocks = 2, HistoryBlocks = 6 } };
        using var store = new RecordingStore();
        var scenario = new ChainScenario(Fork.London, store, options);
        var rival = new ChainScenario(Fork.London);
        var heads = new List<Hash256> { scenario.Chain.Genesis.Hash };
        scenario.Chain.HeadChanged += _ => heads.Add(scenario.Chain.Head.Hash);
        for (var i = 0; i < 10; i++)
        {
            scenario.Produce(seconds: 60);
        }

        scenario.Chain.Rewind(7);
        for (var i = 0; i < 3; i++)
        {
            scenario.Produce(seconds: 60, mark: 1);
        }

        scenario.Chain.Rewind(5);
        for (var number = 1UL; number <= 5; number++)
        {
            rival.Chain.Import(Copy(scenario.Chain.GetBlock(number)!.Block));
        }

        for (var i = 0; i < 3; i++)
        {
            scenario.Produce(seconds: 60, mark: 2);
            rival.Produce(seconds: 5, value: 9);
        }

        for (var number = 6UL; number <= 8; number++)
        {
            scenario.Chain.Import(Copy(rival.Chain.GetBlock(number)!.Block));
        }

        scenario.Chain.Dispose();
        Assert.Equal(rival.Chain.Head.Hash, scenario.Chain.Head.Hash);
        Assert.True(store.Copies.Count > heads.Count, "no flush was recorded");
        foreach (var copy in store.Copies)
        {
            Reopen(copy, options, heads);
        }
    }

    private static void Reopen(MemoryKeyValueStore copy, ChainOptions options, List<Hash256> heads)
    {
        var scenario = new ChainScenario(Fork.London, copy, options);
        var chain = scenario.Chain;
        Assert.Contains(chain.Head.Hash, heads);
        for (var number = chain.OldestStateNumber; number <= chain.Head.Number; number++)
        {
            var block = chain.GetBlock(number)!;
            var proof = chain.GetProof(number, ChainScenario.Counter, [0, 1]).Proof!;
            ProofVerifier.AssertProves(block.Header.StateRoot, proof);
            Assert.Equal((UInt256)(4 * number), ChainScenario.Slot(chain, number, 0));
            Assert.Equal(block.Block.Transactions.Count, chain.GetReceipts(number)!.Count);
        }

        var next = scenario.Produce();
        Assert.Empty(next.LeftOut);
        Assert.Equal((UInt256)(4 * next.Block.Number), ChainScenario.Slot(chain, next.Block.Number, 0));
        chain.Dispose();
    }

    private static Block Copy(Block block) => BlockCodec.Decode(BlockCodec.Encode(block)).OrThrow();

    /// <summary>Keeps a copy of itself behind every write: what a process that dies there leaves.</summary>
    private sealed class RecordingStore : IKeyValueStore
    {
        private readonly MemoryKeyValueStore _store = new();
        private readonly Lock _writing = new();

        internal List<MemoryKeyValueStore> Copies { get; } = [];

        public string Kind => "recording";

        public byte[]? Get(Column column, ReadOnlySpan<byte> key) => _store.Get(column, key);

        public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination) =>
            _store.Read(column, key, destination);

        public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => _store.GetMany(column, keys);

        public IKeyValueCursor OpenCursor(
            Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false) =>
            _store.OpenCursor(column, prefix, start, reverse);

        public IWriteBatch CreateBatch() => _store.CreateBatch();

        public void Write(IWriteBatch batch, bool sync = false)
        {
            lock (_writing)
            {
                _store.Write(batch, sync);
                Copies.Add(CopyOf(_store));
            }
        }

        public IKeyValueSnapshot Snapshot() => _store.Snapshot();

        public void CreateCheckpoint(string directory) => _store.CreateCheckpoint(directory);

        public IReadOnlyDictionary<string, double> Statistics() => _store.Statistics();

        public void Dispose() => _store.Dispose();

        private static MemoryKeyValueStore CopyOf(MemoryKeyValueStore store)
        {
            var copy = new MemoryKeyValueStore();
            using var batch = copy.CreateBatch();
            foreach (var column in Enum.GetValues<Column>())
            {
                foreach (var (key, value) in store.Scan(column, default))
                {
                    batch.Put(column, key, value);
                }
            }

            copy.Write(batch);
            return copy;
        }
    }
}
