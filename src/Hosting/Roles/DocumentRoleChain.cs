using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Roles;

/// <summary>The chain over documents, blobs and rows, as the roles ask for it.</summary>
public sealed class DocumentRoleChain(DocumentChain chain) : IRoleChain
{
    public IChain Chain => chain;

    public Task<bool> RefreshAsync(TimeSpan maximumAge, CancellationToken cancellation) =>
        chain.RefreshAsync(maximumAge, cancellation);

    public async Task<RoleBlock?> ProduceAsync(
        ulong number, BlockAttributes attributes, IReadOnlyList<Transaction> candidates,
        Func<ProducedBlock, CancellationToken, Task> beforeHead, CancellationToken cancellation)
    {
        var result = await chain.ProduceAsync(number, attributes, candidates, beforeHead, cancellation);
        return result is { Status: ProduceStatus.Made or ProduceStatus.AlreadyThere, Block: { } block }
            ? new(block, result.Made)
            : null;
    }

    public Task RecordDroppedAsync(
        IReadOnlyList<(Hash256 Transaction, string Reason)> dropped, CancellationToken cancellation) =>
        chain.RecordDroppedAsync(dropped, cancellation);

    public async Task<string?> FindDroppedAsync(Hash256 transaction, CancellationToken cancellation) =>
        (await chain.FindAsync(transaction, cancellation))?.DropReason;

    public Task SetFinalityAsync(ulong number, CancellationToken cancellation) =>
        chain.SetFinalityAsync(number, number, cancellation);

    public IStateParts? ExportState(ulong number) => chain.ExportState(number);

    public StateTakeover? BeginTakeover(ulong number, in Hash256 blockHash, ReadOnlySpan<byte> saved) =>
        chain.BeginTakeover(number, blockHash, saved);

    public Task TakeOverAsync(StateTakeover takeover, CancellationToken cancellation) =>
        chain.TakeOverAsync(takeover, cancellation);
}
