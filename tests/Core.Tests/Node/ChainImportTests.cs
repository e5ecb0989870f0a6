using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Core.Tests.State;

namespace SuperVm.Core.Tests.Node;

public sealed class ChainImportTests
{
    [FixtureFact("rpc_io")]
    public void A_public_chain_from_Homestead_to_BPO2_is_imported_to_its_head() =>
        ImportAll(Path.Combine(Fixtures.Folder("rpc_io"), "rpc_io"));

    [FixtureFact("small")]
    public void The_chain_of_hives_sync_test_is_imported_to_its_head() =>
        ImportAll(Path.Combine(Fixtures.Folder("small"), "chains", "hive_sync"));

    [FixtureFact("rpc_io")]
    public void States_of_all_blocks_stay_readable_and_provable()
    {
        var folder = Path.Combine(Fixtures.Folder("rpc_io"), "rpc_io");
        using var chain = Chain.Open(new MemoryKeyValueStore(), GenesisOf(folder));
        var touched = new HashSet<Address>();
        var balances = new List<Dictionary<Address, Account>>();
        foreach (var block in BlocksOf(folder))
        {
            Assert.Equal(ImportStatus.Head, chain.Import(block).Status);
            touched.Add(block.Header.Coinbase);
            foreach (var transaction in block.Transactions)
            {
                touched.Add(transaction.Sender!.Value);
                touched.Add(transaction.To ?? transaction.Sender.Value);
            }

            balances.Add(touched.ToDictionary(
                address => address, address => AccountAt(chain, block.Header.Number, address)));
        }

        Assert.NotEmpty(balances);
        foreach (var number in Enumerable.Range(1, balances.Count))
        {
            foreach (var (address, account) in balances[number - 1])
            {
                Assert.Equal(account, AccountAt(chain, (ulong)number, address));
            }

            var some = balances[number - 1].Keys.ElementAt(number % balances[number - 1].Count);
            var proof = chain.GetProof((ulong)number, some, [0, 1, 2]).Proof!;
            ProofVerifier.AssertProves(chain.GetHeader((ulong)number)!.Header.StateRoot, proof);
        }
    }

    private static Account AccountAt(Chain chain, ulong number, in Address address)
    {
        chain.StateAt(number).State!.ReadAccount(address, out var account);
        return account;
    }

    private static void ImportAll(string folder)
    {
        using var store = new MemoryKeyValueStore();
        var genesis = GenesisOf(folder);
        var chain = Chain.Open(store, genesis);
        var count = 0;
        foreach (var block in BlocksOf(folder))
        {
            var result = chain.Import(block);
            Assert.True(result.Status == ImportStatus.Head, $"block {block.Header.Number}: {result}");
            if (++count % 16 == 0)
            {
                chain.Dispose();
                chain = Chain.Open(store, genesis);
            }
        }

        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "headfcu.json")));
        var head = document.RootElement.GetProperty("params")[0].GetProperty("headBlockHash").GetString();
        Assert.Equal(head, chain.Head.Hash.ToString());
        chain.Dispose();
        using var reopened = Chain.Open(store, genesis);
        AssertLookups(reopened);
    }

    private static void AssertLookups(Chain chain)
    {
        var parent = chain.Genesis.Hash;
        for (var number = 1UL; number <= chain.Head.Number; number++)
        {
            var block = chain.GetBlock(number)!;
            Assert.Equal(parent, block.Header.ParentHash);
            Assert.Equal(HeaderCodec.Hash(block.Header), block.Hash);
            Assert.Equal(block.Hash, chain.GetBlock(block.Hash)!.Hash);
            Assert.Equal(block.Hash, chain.GetHeader(number)!.Hash);
            Assert.Equal(block.Hash, chain.BlockHashes.HashOf(number));
            Assert.True(chain.IsCanonical(block.Hash));
            Assert.Equal(BlockCodec.EncodedSize(block.Block), block.Size);
            var receipts = chain.GetReceipts(number)!;
            Assert.Equal(block.Block.Transactions.Count, receipts.Count);
            for (var i = 0; i < receipts.Count; i++)
            {
                var transaction = block.Block.Transactions[i];
                Assert.Equal(new TransactionLocation(number, block.Hash, i), chain.FindTransaction(transaction.Hash));
                Assert.Equal(block.Header.GasUsed, receipts[^1].CumulativeGasUsed);
                Assert.NotNull(transaction.Sender);
            }

            parent = block.Hash;
        }

        Assert.Null(chain.GetBlock(chain.Head.Number + 1));
        Assert.Null(chain.GetBlock(Hash256.Zero));
        Assert.Null(chain.GetReceipts(chain.Head.Number + 1));
        Assert.Null(chain.FindTransaction(chain.Head.Hash));
    }

    private static Genesis GenesisOf(string folder) =>
        GenesisReader.Read(File.ReadAllBytes(Path.Combine(folder, "genesis.json"))).OrThrow();

    private static IEnumerable<Block> BlocksOf(string folder)
    {
        var bytes = File.ReadAllBytes(Path.Combine(folder, "chain.rlp"));
        for (var position = 0; position < bytes.Length;)
        {
            var length = BlockCodec.LengthOfFirst(bytes.AsSpan(position), out _);
            yield return BlockCodec.Decode(bytes.AsSpan(position, length)).OrThrow();
            position += length;
        }
    }
}
