using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>Instances that only read, while others move the head.</summary>
public sealed class DocumentReaderTests
{
    private static readonly PagedOptions Tiny = new() { PageBytes = 512, LogBytes = 512, HistoryBlocks = 4_000 };

    [Fact]
    public async Task Readers_on_many_threads_see_each_block_as_it_is_while_an_executor_moves_the_head()
    {
        const int Blocks = 40;
        var world = new DocumentWorld(21, 100, Tiny);
        var batches = Enumerable.Range(0, Blocks).Select(_ => world.NextBatch(10)).ToArray();
        using var executor = await world.OpenAsync();
        using var reader = await world.OpenAsync();
        var watched = world.Senders.Append(DocumentWorld.Storage).Append(DocumentWorld.Person(7))
            .Concat(world.Created.Take(4)).ToArray();
        var done = false;
        var readers = Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            var found = new List<string>();
            while (!Volatile.Read(ref done))
            {
                await reader.RefreshAsync(TimeSpan.FromMilliseconds(thread));
                var head = reader.Head.Number;
                foreach (var number in new[] { head, (ulong)random.Next((int)head + 1) })
                {
                    found.AddRange(world.Differences(reader, [number], [watched[random.Next(watched.Length)]]));
                }
            }

            return found;
        })).ToArray();
        for (var i = 0; i < Blocks; i++)
        {
            await executor.ProduceAsync((ulong)i + 1, batches[i].Attributes, batches[i].Batch);
        }

        Volatile.Write(ref done, true);
        Assert.All(await Task.WhenAll(readers), Assert.Empty);
        await reader.RefreshAsync();
        Assert.Equal((ulong)Blocks, reader.Head.Number);
        Assert.Empty(world.Differences(reader, [0, Blocks / 2, Blocks], watched));
    }

    [Fact]
    public async Task A_reader_whose_head_is_far_behind_still_reads_its_own_head()
    {
        var world = new DocumentWorld(22, 100, Tiny);
        using var executor = await world.OpenAsync();
        using var late = await world.OpenAsync();
        for (ulong number = 1; number <= 45; number++)
        {
            var (attributes, batch) = world.NextBatch(10);
            await executor.ProduceAsync(number, attributes, batch);
            if (number == 3)
            {
                await late.RefreshAsync();
            }
        }

        // All its pages are of blocks far above: splits, spilled history and all.
        Address[] watched =
            [.. world.Senders, DocumentWorld.Storage, DocumentWorld.Person(9), .. world.Created.Take(3)];
        Assert.Equal(3UL, late.Head.Number);
        Assert.Empty(world.Differences(late, [0, 2, 3], watched));
        var announced = new List<ulong>();
        late.HeadChanged += change => announced.AddRange(change.Added.Select(block => block.Block.Number));
        var (next, more) = world.NextBatch(5);
        var made = await late.ProduceAsync(46, next, more);
        Assert.Equal(ProduceStatus.Made, made.Status);
        Assert.Equal(world.Oracle.Head.Hash, made.Block!.Hash);
        Assert.Equal(Enumerable.Range(4, 43).Select(number => (ulong)number), announced);
    }

    [Fact]
    public async Task Old_states_are_pruned_with_their_blobs_and_what_is_promised_stays_readable()
    {
        var world = new DocumentWorld(23, 60, Tiny with { HistoryBlocks = PagedOptions.FewestHistoryBlocks });
        var blobs = new CountedBlobs();
        using var chain = await world.OpenAsync(world.Ports with { Blobs = blobs });
        for (ulong number = 1; number <= 120; number++)
        {
            var (attributes, batch) = world.NextBatch(6);
            await chain.ProduceAsync(number, attributes, batch);
        }

        Address[] watched = [.. world.Senders, DocumentWorld.Storage];
        Assert.Equal(120UL - PagedOptions.FewestHistoryBlocks, chain.OldestStateNumber);
        Assert.Empty(world.Differences(chain, [chain.OldestStateNumber, 100, 120], watched));
        Assert.Equal(StateAvailability.Pruned, chain.StateAt(chain.OldestStateNumber - 1).Availability);
        Assert.Equal(StateAvailability.UnknownBlock, chain.StateAt(121).Availability);
        Assert.Equal(StateAvailability.Pruned, chain.GetProof(0, watched[0], []).Availability);
        Assert.True(blobs.Deleted > 0);
    }

    [Fact]
    public async Task Headers_of_hundreds_of_blocks_are_found_in_groups()
    {
        var world = new DocumentWorld(24);
        using var chain = await world.OpenAsync();
        for (ulong number = 1; number <= 300; number++)
        {
            var (attributes, batch) = world.NextBatch(0);
            await chain.ProduceAsync(number, attributes, batch);
        }

        var blobs = new CountedBlobs(world.Ports.Blobs);
        using var reader = await world.OpenAsync(world.Ports with { Blobs = blobs });
        var before = blobs.Reads;
        for (ulong number = 0; number <= 300; number++)
        {
            Assert.Equal(world.Oracle.GetHeader(number)!.Hash, reader.GetHeader(number)!.Hash);
        }

        Assert.Null(reader.GetHeader(301));
        Assert.True(blobs.Reads - before <= 4, $"{blobs.Reads - before} blobs for 300 headers");
        Assert.Equal(world.Oracle.GetHeader(77)!.Hash, reader.BlockHashes.HashOf(77));
    }

    [Fact]
    public async Task Blocks_that_are_read_next_are_fetched_at_once()
    {
        const int Blocks = 8;
        var world = new DocumentWorld(26);
        using (var chain = await world.OpenAsync())
        {
            for (ulong number = 1; number <= Blocks + 1; number++)
            {
                var (attributes, batch) = world.NextBatch(2);
                await chain.ProduceAsync(number, attributes, batch);
            }
        }

        var blobs = new MeetingBlobs(world.Ports.Blobs, Blocks);
        using var reader = await world.OpenAsync(world.Ports with { Blobs = blobs });
        var numbers = Enumerable.Range(1, Blocks).Select(number => (ulong)number).ToList();
        blobs.IsOpen = false;
        await Task.Run(() => reader.Prefetch(numbers)); // ends only because all of them are asked for together
        Assert.Empty(world.Differences(reader, numbers, world.Senders));
        Assert.Equal(Blocks, blobs.Reads);
    }

    [Fact]
    public async Task A_dropped_transaction_is_found_with_its_reason_and_an_included_one_keeps_its_place()
    {
        var world = new DocumentWorld(25);
        using var chain = await world.OpenAsync();
        var (attributes, batch) = world.NextBatch(10);
        var made = (await chain.ProduceAsync(1, attributes, batch)).Block!;
        var included = made.Block.Transactions[0].Hash;
        var unknown = new Hash256(Enumerable.Repeat((byte)0xAB, 32).ToArray());
        await chain.RecordDroppedAsync([(unknown, "NonceTooLow"), (included, "NonceTooLow")]);
        using var reader = await world.OpenAsync();
        Assert.Equal("NonceTooLow", (await reader.FindAsync(unknown))!.DropReason);
        Assert.Null(reader.FindTransaction(unknown));
        Assert.Equal(new TransactionLocation(1, made.Hash, 0), (await reader.FindAsync(included))!.Place);
    }

    [Fact]
    public async Task Safe_and_final_blocks_are_seen_by_others()
    {
        var world = new DocumentWorld(26);
        using var chain = await world.OpenAsync();
        using var reader = await world.OpenAsync();
        for (ulong number = 1; number <= 3; number++)
        {
            var (attributes, batch) = world.NextBatch(2);
            await chain.ProduceAsync(number, attributes, batch);
        }

        await reader.SetFinalityAsync(99, 2); // another head than the document's: looked up and written
        await chain.RefreshAsync();
        Assert.Equal((3UL, 2UL), (chain.SafeNumber, chain.FinalizedNumber));
        Assert.Equal((3UL, 2UL), (reader.SafeNumber, reader.FinalizedNumber));
        Assert.Equal(RewindStatus.Done, chain.Rewind(3));
        Assert.Throws<NotSupportedException>(() => chain.Rewind(1));
    }

    [Fact]
    public async Task What_was_given_up_is_read_again()
    {
        var world = new DocumentWorld(27, 60, Tiny);
        using var chain = await world.OpenAsync();
        for (ulong number = 1; number <= 20; number++)
        {
            var (attributes, batch) = world.NextBatch(6);
            await chain.ProduceAsync(number, attributes, batch);
            if (number % 5 == 0)
            {
                chain.Forget();
                Assert.Equal(0, chain.Statistics()["page_cache_bytes"]);
            }
        }

        Assert.Empty(world.Differences(chain, [0, 3, 12, 20], world.Senders));
    }

    [Fact]
    public async Task A_chain_that_has_begun_is_opened_without_its_genesis_file()
    {
        var ports = new DocumentChainPorts(
            new InMemoryDocumentStore(), new InMemoryBlobStore(), new InMemoryRowStore(), TimeProvider.System);
        var read = new List<string>();
        async Task<Hash256> OpenAsync(string name, int wei)
        {
            var (chain, genesis) = await DocumentChain.OpenAsync(
                ports,
                name,
                _ =>
                {
                    read.Add(name);
                    return Task.FromResult<ReadOnlyMemory<byte>>(System.Text.Encoding.UTF8.GetBytes(
                        $$$"""
                        {"config":{"chainId":7,"homesteadBlock":0},"gasLimit":"0x1c9c380","extraData":"0x1234","alloc":{
                         "0x00000000000000000000000000000000000000aa":{"balance":"{{{wei}}}"},
                         "0x00000000000000000000000000000000000000bb":{"nonce":"9"}} }
                        """));
                },
                read => DocumentChain.OpenAsync(ports, read),
                [Address.FromNumber(0xBB)]);
            using var opened = chain;
            Assert.Equal(9UL, genesis.Alloc[Address.FromNumber(0xBB)].Nonce);
            chain.StateAt(0).State!.ReadAccount(Address.FromNumber(0xAA), out var account);
            Assert.Equal((7UL, (UInt256)1), (chain.ChainId, account.Balance));
            Assert.Equal(chain.Genesis.Hash, chain.GetBlock(0)!.Hash);
            return chain.Genesis.Hash;
        }

        var first = await OpenAsync("one.json", 1);
        Assert.Equal(first, await OpenAsync("one.json", 1));
        Assert.Equal(["one.json"], read);

        // Another name may be another chain: it is read, and refused where it is.
        Assert.Equal(first, await OpenAsync("copy.json", 1));
        var refusal = await Assert.ThrowsAsync<StoreException>(() => OpenAsync("other.json", 2));
        Assert.Contains("belongs to another chain", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["one.json", "copy.json", "other.json"], read);
    }

    /// <summary>Counts what is read and deleted.</summary>
    private sealed class CountedBlobs(IBlobStore? below = null) : IBlobStore
    {
        private readonly IBlobStore _below = below ?? new InMemoryBlobStore();

        internal int Reads { get; private set; }

        internal int Deleted { get; private set; }

        public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            _below.PutAsync(name, body, cancellation);

        public Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default)
        {
            Reads++;
            return _below.GetAsync(name, cancellation);
        }

        public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default)
        {
            Deleted++;
            return _below.DeleteAsync(name, cancellation);
        }
    }

    /// <summary>Once it is closed nobody reads until so many do.</summary>
    private sealed class MeetingBlobs(IBlobStore inner, int many) : IBlobStore
    {
        private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _reads;

        internal bool IsOpen { get; set; } = true;

        internal int Reads => _reads;

        public async Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default)
        {
            if (!IsOpen)
            {
                if (Interlocked.Increment(ref _reads) == many)
                {
                    _met.SetResult();
                }

                await _met.Task.WaitAsync(TimeSpan.FromMinutes(1), cancellation);
            }

            return await inner.GetAsync(name, cancellation);
        }

        public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            inner.PutAsync(name, body, cancellation);

        public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default) =>
            inner.DeleteAsync(name, cancellation);
    }
}
