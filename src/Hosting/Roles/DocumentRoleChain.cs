using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

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
        return result.Status is ProduceStatus.Made or ProduceStatus.AlreadyThere
            ? new(result.Block!, result.Made)
            : null;
    }

    public Task RecordDroppedAsync(
        IReadOnlyList<(Hash256 Transaction, string Reason)> dropped, CancellationToken cancellation) =>
        chain.RecordDroppedAsync(dropped, cancellation);

    public async Task<string?> FindDroppedAsync(Hash256 transaction, CancellationToken cancellation) =>
        (await chain.FindAsync(transaction, cancellation))?.DropReason;

    public Task SetFinalityAsync(ulong number, CancellationToken cancellation) =>
        chain.SetFinalityAsync(number, number, cancellation);
}
