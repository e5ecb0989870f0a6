using System.Diagnostics;
using SuperVm.Azure.Blobs;
using SuperVm.Azure.Cosmos;
using SuperVm.Azure.Tables;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;
using SuperVm.Ports.Tests;
using Xunit.Abstractions;

namespace SuperVm.Azure.Tests;

/// <summary>
/// The chain over the real adapters: same blocks as in one process, few requests, reads from the cloud alone.
/// </summary>
[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class DocumentChainTests(EmulatorsFixture emulators, ITestOutputHelper output)
{
    private const ulong ChainIdentifier = 1337;

    private readonly Dictionary<int, ulong> _nonces = [];
    private readonly Random _random = new(7);

    /// <summary>Accounts: the figure where everything is run, fewer otherwise.</summary>
    private static int Accounts => Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") is null ? 4_000 : 100_000;

    [PortFact]
    public async Task Blocks_cost_few_requests_and_every_read_works_from_the_cloud_alone()
    {
        var counters = new CloudCounters();
        var settings = emulators.Settings with
        {
            Database = EmulatorsFixture.NextName("chain"),
            BlobContainer = EmulatorsFixture.NextName("chain"),
        };
        using var documents = new CosmosDocumentStore(settings, counters, TimeProvider.System);
        await documents.CreateContainersAsync(CloudNames.DocumentContainers.All);
        var tables = new TableStore(settings, counters, TimeProvider.System);
        var table = EmulatorsFixture.NextName("chain");
        await tables.CreateTableAsync(table);
        var ports = new DocumentChainPorts(
            documents, new AzureBlobStore(settings, counters), new TableRowStore(tables, table), TimeProvider.System);
        var genesis = Genesis();
        using var oracle = Chain.Open(new MemoryKeyValueStore(), genesis);

        // Pages in the proportion of a hundred thousand accounts on a hundred and twenty-eight of them.
        var options = new DocumentChainOptions
        {
            State = new PagedOptions { PageBytes = (int)((48L << 10) * Accounts / 100_000) },
        };
        var started = Stopwatch.GetTimestamp();
        using (await DocumentChain.OpenAsync(ports, genesis, options))
        {
            output.WriteLine($"genesis of {Accounts} accounts: {Stopwatch.GetElapsedTime(started).TotalSeconds:f1} s, "
                + $"{counters.DocumentRequests} document requests");
        }

        foreach (var size in (int[])[200, 200, 1_000])
        {
            using var cold = await DocumentChain.OpenAsync(ports, genesis, options);
            var before = (counters.DocumentRequests, counters.TableRequests, counters.BlobOperations);
            var (attributes, batch) = (AttributesAfter(oracle), Batch(size));
            started = Stopwatch.GetTimestamp();
            var made = await cold.ProduceAsync(oracle.Head.Number + 1, attributes, batch);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            Assert.Equal(oracle.Produce(attributes, batch).Block.Hash, made.Block!.Hash);
            var requests = (double)(counters.DocumentRequests - before.DocumentRequests) / size;
            output.WriteLine($"{size} transfers, cold: {requests:f2} document, "
                + $"{(double)(counters.TableRequests - before.TableRequests) / size:f3} table and "
                + $"{(double)(counters.BlobOperations - before.BlobOperations) / size:f3} blob requests each, "
                + $"{size / seconds:f0} tx/s");
            Assert.True(requests <= 3, $"{requests} requests a transaction");
        }

        using var reader = await DocumentChain.OpenAsync(ports, genesis, options);
        ExpectEqual(oracle, reader);
        var calls = counters.DocumentRequests;
        Assert.False(await reader.RefreshAsync());
        Assert.Equal(calls + 1, counters.DocumentRequests);
    }

    [PortFact]
    public async Task Of_three_apps_that_begin_a_chain_at_once_each_has_it_whole()
    {
        var counters = new CloudCounters();
        var settings = emulators.Settings with
        {
            Database = EmulatorsFixture.NextName("chain"),
            BlobContainer = EmulatorsFixture.NextName("chain"),
        };
        var tables = new TableStore(settings, counters, TimeProvider.System);
        var table = EmulatorsFixture.NextName("chain");
        await tables.CreateTableAsync(table);
        var genesis = Genesis();
        using var oracle = Chain.Open(new MemoryKeyValueStore(), genesis);
        using var first = new CosmosDocumentStore(settings, counters, TimeProvider.System);
        await first.CreateContainersAsync(CloudNames.DocumentContainers.All);
        var chains = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            // Its own client, never disposed of before the test is over.
            var documents = new CosmosDocumentStore(settings, counters, TimeProvider.System);
            return await DocumentChain.OpenAsync(
                new(documents, new AzureBlobStore(settings, counters), new TableRowStore(tables, table),
                    TimeProvider.System),
                genesis);
        }));
        Assert.All(chains, chain => ExpectEqual(oracle, chain));
        Assert.All(chains, chain =>
        {
            Assert.Equal(ReadStatus.Found, chain.StateAt(0).State!.ReadAccount(AccountAt(1), out var account));
            Assert.False(account.Balance.IsZero);
        });
        var (attributes, batch) = (AttributesAfter(oracle), Batch(50));
        var made = await Task.WhenAll(chains.Select(chain => chain.ProduceAsync(1, attributes, batch)));
        var hash = oracle.Produce(attributes, batch).Block.Hash;
        Assert.All(made, end => Assert.Equal(hash, end.Block!.Hash));
        Assert.Single(made, end => end.Status == ProduceStatus.Made);
        Assert.All(chains, chain => ExpectEqual(oracle, chain));
    }

    private static void ExpectEqual(Chain oracle, DocumentChain reader)
    {
        for (ulong number = 0; number <= oracle.Head.Number; number++)
        {
            var block = oracle.GetBlock(number)!;
            Assert.Equal(block.Hash, reader.GetBlock(number)!.Hash);
            Assert.Equal(number, reader.GetBlock(block.Hash)!.Number);
            Assert.Equal(oracle.GetReceipts(number)!.Count, reader.GetReceipts(number)!.Count);
            foreach (var transaction in block.Block.Transactions.Take(20))
            {
                Assert.Equal(oracle.FindTransaction(transaction.Hash), reader.FindTransaction(transaction.Hash));
                var address = transaction.To!.Value;
                oracle.StateAt(number).State!.ReadAccount(address, out var expected);
                reader.StateAt(number).State!.ReadAccount(address, out var actual);
                Assert.Equal(expected, actual);
                Assert.Equal(
                    oracle.GetProof(number, address, []).Proof!.Nodes,
                    reader.GetProof(number, address, []).Proof!.Nodes);
            }
        }
    }

    private static Address AccountAt(int index) => Address.FromNumber(0x2000_0000 + (ulong)index);

    private static Genesis Genesis()
    {
        var none = new Dictionary<UInt256, UInt256>();
        var rich = UInt256.Parse("10000000000000000000000");
        return new Genesis
        {
            Spec = ChainSpec.AllAtZero(Fork.Shanghai, ChainIdentifier),
            Alloc = Enumerable.Range(0, Accounts)
                .ToDictionary(AccountAt, _ => new GenesisAccount(rich, 0, [], none)),
            GasLimit = 100_000_000,
            Timestamp = 1_000,
        };
    }

    private static BlockAttributes AttributesAfter(Chain chain) => new()
    {
        Coinbase = Address.FromNumber(0xC01),
        Timestamp = chain.Head.Header.Timestamp + 2,
    };

    /// <summary>Transfers between any accounts; their senders are known, as ingest leaves them.</summary>
    private List<Transaction> Batch(int size)
    {
        var batch = new List<Transaction>(size);
        for (var i = 0; i < size; i++)
        {
            var sender = _random.Next(Accounts);
            var nonce = _nonces.GetValueOrDefault(sender);
            _nonces[sender] = nonce + 1;
            var transaction = new Transaction
            {
                Nonce = nonce,
                MaxFeePerGas = 10_000_000_000,
                MaxPriorityFeePerGas = 10_000_000_000,
                GasLimit = 21_000,
                To = AccountAt(_random.Next(Accounts)),
                Value = 1,
                V = 27,
                R = (ulong)i + 1,
                S = nonce + 1,
                Sender = AccountAt(sender),
            };
            transaction.Hash = Core.Cryptography.Keccak256.Hash(TransactionCodec.Encode(transaction));
            batch.Add(transaction);
        }

        return batch;
    }
}
