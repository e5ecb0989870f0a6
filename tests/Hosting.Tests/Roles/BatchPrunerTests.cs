using SuperVm.Core.Consensus;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Roles.Consortium;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>Old batches go, what shows that they are final stays.</summary>
public sealed class BatchPrunerTests
{
    private readonly InMemoryBlobStore _blobs = new();
    private readonly CommittedArchive _archive;
    private readonly RolePorts _ports;
    private readonly List<Batch> _batches = [];

    public BatchPrunerTests()
    {
        _archive = new(_blobs, new(_blobs, new TransactionCache(ChainSpec.DevelopmentChainId)));
        _ports = new()
        {
            Bus = new InMemoryMessageBus(TimeProvider.System), Documents = new InMemoryDocumentStore(), Blobs = _blobs,
            Clock = TimeProvider.System, Names = new("inbox", "batches", "proofs", "replica", "proof-records"),
        };
    }

    [Fact]
    public async Task Bodies_below_the_limit_go_some_at_a_time_and_certificates_stay()
    {
        const ulong Final = BatchPruner.Fewest + 700;
        await CommitAsync(1, Final);
        var pruner = new BatchPruner(_ports, _archive, 1);
        await pruner.PruneAsync(BatchPruner.Fewest + BatchPruner.Every, default);
        Assert.NotNull(await _archive.GetAsync(1, default));
        await pruner.PruneAsync(Final, default);
        Assert.Null(await _archive.GetAsync(1, default));
        Assert.NotNull(await _archive.GetAsync(4 * BatchPruner.Every + 1, default));

        // Another process goes on where this one was; all that is due goes in the end, and no more.
        pruner = new BatchPruner(_ports, _archive, 1);
        for (var i = 0; i < 4; i++)
        {
            await pruner.PruneAsync(Final, default);
        }

        Assert.Null(await _archive.GetAsync(Final - BatchPruner.Fewest - 1, default));
        Assert.NotNull(await _archive.GetAsync(Final - BatchPruner.Fewest, default));
        Assert.NotNull(await _archive.CommitAsync(1, default));
        Assert.Null(await _archive.ServeAsync(1, 16, default));
        Assert.Equal(
            _batches[..40].Select(batch => batch.Digest),
            (await _archive.HeadersAsync(40, 100, default)).Select(header => header.Digest));
    }

    [Fact]
    public async Task Where_a_state_was_taken_over_nothing_below_it_is_looked_for()
    {
        const ulong First = 5_000;
        await CommitAsync(First, First + BatchPruner.Fewest + 200);
        var pruner = new BatchPruner(_ports, _archive, 1);
        await pruner.PruneAsync(First + BatchPruner.Fewest + 100, default);
        Assert.NotNull(await _archive.GetAsync(First + 100, default));
        await pruner.PruneAsync(First + BatchPruner.Fewest + 200, default);
        Assert.Null(await _archive.GetAsync(First + 100, default));
        Assert.NotNull(await _archive.GetAsync(First + 200, default));
        var all = new BatchPruner(_ports with { Documents = new InMemoryDocumentStore() }, _archive, 0);
        await all.PruneAsync(1_000_000, default);
        Assert.NotNull(await _archive.GetAsync(First + 200, default));
    }

    private async Task CommitAsync(ulong first, ulong last)
    {
        var parent = BatchHeader.Genesis(Hash256.Zero, 1, 30_000_000);
        for (var sequence = first; sequence <= last; sequence++)
        {
            parent = new BatchHeader(
                sequence, 0, 0, parent.Digest, Address.Zero, sequence, Hash256.Zero, 30_000_000, BatchHeader.HashOf([]),
                0);
            var batch = new Batch(parent, [], []);
            _batches.Add(batch);
            await _archive.PutAsync(
                new BatchCommitted(batch, new(VotePhase.Commit, 0, sequence, batch.Digest, [])), default);
        }
    }
}
