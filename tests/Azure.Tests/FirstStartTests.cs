using SuperVm.Azure.Functions;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Roles;
using SuperVm.Ports.Tests;

namespace SuperVm.Azure.Tests;

/// <summary>A validator's apps begin at once over an empty account: each sees the same first block, whole.</summary>
[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class FirstStartTests(EmulatorsFixture emulators)
{
    private const int Openers = 6;
    private const int Accounts = 300;

    /// <summary>First starts; more where everything is run.</summary>
    private static int Rounds => Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") is null ? 6 : 60;

    [PortFact]
    public async Task Of_many_that_open_an_empty_chain_one_writes_the_first_block_and_all_read_every_balance()
    {
        var accounts = Enumerable.Range(1, Accounts).Select(i => Address.FromNumber((ulong)i)).ToList();
        var genesis = GenesisOf(accounts);
        await new Tables.TableStore(emulators.Settings, new(), TimeProvider.System)
            .CreateTableAsync(CloudNames.Tables.Transactions);
        for (var round = 0; round < Rounds; round++)
        {
            var settings = new RoleSettings
            {
                Cloud = emulators.Settings with
                {
                    Database = EmulatorsFixture.NextName("first"),
                    BlobContainer = EmulatorsFixture.NextName("first"),
                },
                Genesis = EmulatorsFixture.NextName("genesis"),
            };
            var log = new System.Collections.Concurrent.ConcurrentQueue<string>();
            var roles = Enumerable.Range(0, Openers).Select(_ => new CloudRoles(settings, log.Enqueue)).ToList();
            await roles[0].Config.PutAsync(settings.Genesis, genesis);
            using var documents = new Cosmos.CosmosDocumentStore(settings.Cloud, new(), TimeProvider.System);
            await documents.CreateContainersAsync(CloudNames.DocumentContainers.All);

            var chains = await Task.WhenAll(roles.Select(one => Task.Run(one.OpenChainAsync)));
            Assert.Single(log, line => line == "writes the first block");
            Assert.Single(chains.Select(chain => chain.Chain.Head.Hash).Distinct());
            foreach (var chain in chains)
            {
                var state = chain.Chain.StateAt(0).State!;
                Assert.All(accounts, address =>
                {
                    state.ReadAccount(address, out var account);
                    Assert.Equal(7UL, (ulong)account.Balance);
                });
            }
        }
    }

    private static byte[] GenesisOf(List<Address> accounts)
    {
        var alloc = string.Join(',', accounts.Select(address => $"\"{address}\":{{\"balance\":\"7\"}}"));
        var file = System.Text.Encoding.UTF8.GetString(DevGenesisFile.Write(
            ChainSpec.DevelopmentChainId, [], UInt256.One, 1_700_000_000));
        return System.Text.Encoding.UTF8.GetBytes(
            file.Replace("\"alloc\": {", $"\"alloc\": {{{alloc},", StringComparison.Ordinal));
    }
}
