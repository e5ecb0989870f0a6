using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>
/// Documents, blobs and rows that come back damaged: cut off, changed in a byte, of another version, or another one's.
/// What a reader answers is a <see cref="StoreException"/> or a value, never another failure and never without end.
/// </summary>
public sealed class DamagedDocumentsTests
{
    private const int Blocks = 40;
    private const int Seeds = 120;

    [Fact]
    public async Task Whatever_comes_back_damaged_is_a_failing_store_or_a_value()
    {
        var world = new DocumentWorld(77, accounts: 200);
        using (var chain = await world.OpenAsync())
        {
            for (ulong number = 1; number <= Blocks; number++)
            {
                var (attributes, batch) = world.NextBatch(8);
                await chain.ProduceAsync(number, attributes, batch);
            }
        }

        var refused = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var damage = new Damage(new Random(seed), oneIn: 2 + (seed % 30));
            var ports = world.Ports with
            {
                Documents = new DamagedDocuments(world.Ports.Documents, damage),
                Blobs = new DamagedBlobs(world.Ports.Blobs, damage),
                Rows = new DamagedRows(world.Ports.Rows, damage),
            };
            refused += await ReadAllAsync(world, ports, seed) ? 1 : 0;
        }

        Assert.InRange(refused, Seeds / 2, Seeds);
        using var whole = await world.OpenAsync();
        Assert.Empty(world.Differences(whole, [Blocks], world.Senders));
    }

    [Fact]
    public async Task An_executor_over_damaged_pages_writes_nothing_wrong()
    {
        for (var seed = 0; seed < 24; seed++)
        {
            var world = new DocumentWorld(seed, accounts: 50);
            using (var chain = await world.OpenAsync())
            {
                await ProduceAsync(world, chain, 3);
            }

            var (attributes, batch) = world.NextBatch(8);
            var damage = new Damage(new Random(seed), oneIn: 6) { CutsOnly = true };
            try
            {
                using var damaged = await world.OpenAsync(world.Ports with
                {
                    Documents = new DamagedDocuments(world.Ports.Documents, damage),
                    Blobs = new DamagedBlobs(world.Ports.Blobs, damage),
                });
                await damaged.ProduceAsync(4, attributes, batch);
            }
            catch (StoreException)
            {
                // Whoever comes next makes the block.
            }

            using var healthy = await world.OpenAsync();
            await healthy.ProduceAsync(4, attributes, batch);
            Assert.Equal(world.Oracle.Head.Hash, healthy.Head.Hash);
        }
    }

    private static async Task ProduceAsync(DocumentWorld world, DocumentChain chain, ulong blocks)
    {
        for (ulong number = 1; number <= blocks; number++)
        {
            var (attributes, batch) = world.NextBatch(8);
            await chain.ProduceAsync(number, attributes, batch);
        }
    }

    /// <summary>Reads what can be read, each for itself; whether some of it was refused.</summary>
    private static async Task<bool> ReadAllAsync(DocumentWorld world, DocumentChainPorts ports, int seed)
    {
        var refused = false;
        DocumentChain? chain = null;
        void Try(Action read)
        {
            try
            {
                read();
            }
            catch (StoreException damage)
            {
                refused = true;
                Assert.NotEmpty(damage.Message);
            }
            catch (Exception other)
            {
                Assert.Fail($"seed {seed}: {other}");
            }
        }

        Try(() => chain = world.OpenAsync(ports).GetAwaiter().GetResult());
        if (chain is null)
        {
            return refused;
        }

        using (chain)
        {
            foreach (var number in (ulong[])[0, 1, 17, Blocks - 1, Blocks])
            {
                Try(() => chain.GetBlock(number));
                Try(() => chain.GetReceipts(number));
                Try(() => chain.GetHeader(number));
                Try(() => chain.IsCanonical(world.Oracle.GetHeader(number)!.Hash));
                foreach (var address in (Address[])[world.Senders[0], DocumentWorld.Storage, DocumentWorld.Person(3)])
                {
                    Try(() => ReadState(chain, number, address));
                    Try(() => chain.GetProof(number, address, [1, 7]));
                }
            }

            foreach (var transaction in world.Oracle.GetBlock(Blocks)!.Block.Transactions)
            {
                Try(() => chain.FindTransaction(transaction.Hash));
            }

            Try(() => chain.RefreshAsync(TimeSpan.Zero).GetAwaiter().GetResult());
        }

        return await Task.FromResult(refused);
    }

    private static void ReadState(DocumentChain chain, ulong number, Address address)
    {
        if (chain.StateAt(number).State is { } state
            && state.ReadAccount(address, out var account) == ReadStatus.Found)
        {
            state.ReadSlot(address, 1, out _);
            state.ReadCode(account.CodeHash, out _);
        }
    }

    /// <summary>Damages one body of some, as its lot says.</summary>
    private sealed class Damage(Random random, int oneIn)
    {
        /// <summary>Bodies are cut off and never changed: what is changed in a value nobody can see.</summary>
        internal bool CutsOnly { get; init; }

        internal ReadOnlyMemory<byte> To(ReadOnlyMemory<byte> body)
        {
            lock (random)
            {
                if (body.Length == 0 || random.Next(oneIn) != 0)
                {
                    return body;
                }

                var damaged = body.ToArray();
                switch (CutsOnly ? 0 : random.Next(4))
                {
                    case 0:
                        return damaged.AsMemory(0, random.Next(damaged.Length));
                    case 1:
                        damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                        return damaged;
                    case 2:
                        damaged[random.Next(Math.Min(4, damaged.Length))]++; // versions and lengths
                        return damaged;
                    default:
                        random.NextBytes(damaged);
                        return damaged;
                }
            }
        }
    }

    private sealed class DamagedDocuments(IDocumentStore inner, Damage damage) : IDocumentStore
    {
        public async Task<Document?> GetAsync(DocumentKey key, CancellationToken cancellation = default) =>
            await inner.GetAsync(key, cancellation) is { } document
                ? new(damage.To(document.Body), document.ETag)
                : null;

        public Task<DocumentWrite> CreateAsync(
            DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            inner.CreateAsync(key, body, cancellation);

        public Task<DocumentWrite> ReplaceAsync(
            DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default) =>
            inner.ReplaceAsync(key, body, etag, cancellation);

        public Task<DocumentWrite> UpsertAsync(
            DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            inner.UpsertAsync(key, body, cancellation);

        public Task<DocumentWrite> DeleteAsync(
            DocumentKey key, string? etag = null, CancellationToken cancellation = default) =>
            inner.DeleteAsync(key, etag, cancellation);
    }

    private sealed class DamagedBlobs(IBlobStore inner, Damage damage) : IBlobStore
    {
        public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            inner.PutAsync(name, body, cancellation);

        public async Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default) =>
            await inner.GetAsync(name, cancellation) is { } body ? damage.To(body) : null;

        public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default) =>
            inner.DeleteAsync(name, cancellation);
    }

    private sealed class DamagedRows(IRowStore inner, Damage damage) : IRowStore
    {
        public async Task<ReadOnlyMemory<byte>?> GetAsync(
            string partition, string key, CancellationToken cancellation = default) =>
            await inner.GetAsync(partition, key, cancellation) is { } row ? damage.To(row) : null;

        public Task PutAsync(IReadOnlyList<Row> rows, CancellationToken cancellation = default) =>
            inner.PutAsync(rows, cancellation);
    }
}
