using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node.Documents;

/// <summary>Several instances that begin an empty chain at once, each write and read of theirs at any moment.</summary>
public sealed class ConcurrentOpeningTests
{
    private const int Rounds = 8;
    private const int Openers = 4;
    private const int Accounts = 60;

    [Fact]
    public async Task Openers_that_help_each_other_write_the_first_block_read_every_balance()
    {
        var accounts = Enumerable.Range(1, Accounts).Select(i => Address.FromNumber((ulong)i)).ToList();
        var genesis = new Genesis
        {
            Spec = ChainSpec.AllAtZero(Fork.Cancun, 1337, equalTimestamps: true),
            Alloc = accounts.ToDictionary(
                address => address,
                _ => new GenesisAccount(new UInt256(7), 0, [], new Dictionary<UInt256, UInt256>())),
            GasLimit = 30_000_000, Timestamp = 1,
        };
        var options = new DocumentChainOptions { State = new() { PageBytes = 1_024 } };
        for (var round = 0; round < Rounds; round++)
        {
            var documents = new Yielding(new InMemoryDocumentStore(), new Random(round));
            var ports = new DocumentChainPorts(
                documents, new InMemoryBlobStore(), new InMemoryRowStore(), TimeProvider.System);
            var chains = await Task.WhenAll(Enumerable.Range(0, Openers).Select(
                _ => Task.Run(() => DocumentChain.OpenAsync(ports, genesis, options))));
            foreach (var chain in chains)
            {
                using var closing = chain;
                var state = chain.StateAt(0).State!;
                Assert.All(accounts, address =>
                {
                    state.ReadAccount(address, out var account);
                    Assert.Equal(7UL, (ulong)account.Balance);
                });
            }
        }
    }

    /// <summary>Gives others the turn before and after each request.</summary>
    private sealed class Yielding(IDocumentStore inner, Random random) : IDocumentStore
    {
        public async Task<Document?> GetAsync(DocumentKey key, CancellationToken cancellation = default) =>
            await Between(() => inner.GetAsync(key, cancellation));

        public async Task<DocumentWrite> CreateAsync(
            DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            await Between(() => inner.CreateAsync(key, body, cancellation));

        public async Task<DocumentWrite> ReplaceAsync(
            DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default) =>
            await Between(() => inner.ReplaceAsync(key, body, etag, cancellation));

        public async Task<DocumentWrite> UpsertAsync(
            DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            await Between(() => inner.UpsertAsync(key, body, cancellation));

        public async Task<DocumentWrite> DeleteAsync(
            DocumentKey key, string? etag = null, CancellationToken cancellation = default) =>
            await Between(() => inner.DeleteAsync(key, etag, cancellation));

        private async Task<T> Between<T>(Func<Task<T>> request)
        {
            await TurnsAsync();
            var answer = await request();
            await TurnsAsync();
            return answer;
        }

        private async Task TurnsAsync()
        {
            int turns;
            lock (random)
            {
                turns = random.Next(6);
            }

            for (var turn = 0; turn < turns; turn++)
            {
                await Task.Yield();
            }
        }
    }
}
