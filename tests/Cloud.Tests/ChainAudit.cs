using System.Globalization;
using SuperVm.Azure;
using SuperVm.Azure.Blobs;
using SuperVm.Azure.Functions;
using SuperVm.Cli.Cloud;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Tests.Roles;

namespace SuperVm.Cloud.Tests;

/// <summary>
/// Reads a validator's whole chain from its stores, as they lie there, and holds it against one process.
/// </summary>
/// <remarks>
/// <code>
///   nothing waits ─▶ every block, in order ─▶ each sent hash once, successful
///                                         └─▶ its batch ─▶ a chain in one process ─▶ the same block, root and hash
/// </code>
/// A block is one blob and a batch is one: many thousand transactions are checked by a few thousand reads, and by none
/// through the apps.
/// </remarks>
internal sealed class ChainAudit
{
    /// <summary>Blobs asked for at once.</summary>
    private const int Reads = 8;

    private readonly CloudRoles _roles;
    private readonly IReadOnlyList<AddedBlock> _blocks;

    private ChainAudit(CloudRoles roles, IReadOnlyList<AddedBlock> blocks) => (_roles, _blocks) = (roles, blocks);

    /// <summary>Blocks after the first.</summary>
    internal int Blocks => _blocks.Count;

    /// <summary>Transactions in them.</summary>
    internal int Transactions => _blocks.Sum(block => block.Block.Block.Transactions.Count);

    /// <summary>Waits until everything that was ordered is executed, then reads all blocks.</summary>
    internal static async Task<ChainAudit> OfAsync(CloudValidator validator)
    {
        var roles = validator.Roles();
        var order = new DocumentKey(CloudNames.DocumentContainers.Replica, "order", "solo");
        var opened = await roles.OpenChainAsync();
        await CloudClient.UntilAsync(async () =>
        {
            var depths = await validator.DepthsAsync(default);
            var ordered = await roles.Ports.Documents.GetAsync(order) is { } document
                ? SoloState.Decode(document.Body.Span).Last.Sequence
                : 0;
            await opened.RefreshAsync(TimeSpan.Zero, default);
            return depths is { Inbox: 0, Batches: 0 } && opened.Chain.Head.Number == ordered;
        });
        var blocks = new AddedBlock[opened.Chain.Head.Number];
        await System.Threading.Tasks.Parallel.ForAsync(
            0, blocks.Length, new ParallelOptions { MaxDegreeOfParallelism = Reads }, (i, _) =>
            {
                var number = (ulong)i + 1;
                blocks[i] = new(opened.Chain.GetBlock(number)!, opened.Chain.GetReceipts(number)!);
                return ValueTask.CompletedTask;
            });
        return new(roles, blocks);
    }

    /// <summary>Every one of the hashes stands in one block, once, and succeeded.</summary>
    internal void RequireOnce(IReadOnlyCollection<string> hashes)
    {
        Assert.NotEmpty(hashes);
        var places = new Dictionary<string, bool>();
        foreach (var (block, receipts) in _blocks)
        {
            for (var i = 0; i < receipts.Count; i++)
            {
                var hash = block.Block.Transactions[i].Hash.ToString();
                Assert.True(places.TryAdd(hash, receipts[i].Succeeded), $"{hash} is there twice");
            }
        }

        Assert.DoesNotContain(hashes, hash => !places.GetValueOrDefault(hash));
        Assert.Equal(hashes.Count, hashes.Distinct().Count());
    }

    /// <summary>Executes the ordered batches on a chain of one process and compares block by block.</summary>
    internal async Task RequireSameInOneProcessAsync()
    {
        var settings = _roles.Settings.Cloud with { BlobContainer = CloudNames.BlobContainers.Config };
        var config = new AzureBlobStore(settings, new CloudCounters());
        var genesis = GenesisReader.Read((await config.GetAsync(_roles.Settings.Genesis))!.Value);
        Assert.True(genesis.Succeeded);
        using var single = new SingleProcessChain(genesis.Value);
        var archive = await BatchesAsync();
        var execute = new ExecuteService(_roles.Ports with { Blobs = archive }, single, null);
        foreach (var (block, _) in _blocks)
        {
            var place = new BatchPlace(block.Number, new Hash256(block.Header.ExtraData.Span));
            Assert.Equal(RoleEnd.Done, await execute.ExecuteAsync(BatchNotice.Encode(place), default));
            Assert.Equal(block.Number, single.Chain.Head.Number);
            Assert.Equal(block.Header.StateRoot, single.Chain.Head.Header.StateRoot);
            Assert.Equal(block.Hash, single.Chain.Head.Hash);
        }
    }

    /// <summary>
    /// The batches alone: what execution keeps beside blocks, the one process works out by itself.
    /// </summary>
    private async Task<InMemoryBlobStore> BatchesAsync()
    {
        var archive = new InMemoryBlobStore();
        await System.Threading.Tasks.Parallel.ForEachAsync(
            _blocks, new ParallelOptions { MaxDegreeOfParallelism = Reads }, async (block, cancellation) =>
            {
                var digest = Convert.ToHexStringLower(block.Block.Header.ExtraData.Span);
                var name = string.Create(CultureInfo.InvariantCulture, $"batches/{digest}");
                var batch = await _roles.Ports.Blobs.GetAsync(name, cancellation);
                await archive.PutAsync(name, batch!.Value, cancellation);
            });
        return archive;
    }
}
