using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Roles;

/// <summary>What the roles ask of the chain's store: one of them makes its blocks, all read them.</summary>
public interface IRoleChain
{
    /// <summary>Reads, as of the last refresh.</summary>
    IChain Chain { get; }

    /// <summary>
    /// Looks whether the head moved, unless that was done within <paramref name="maximumAge"/>; true where it did.
    /// Raises <see cref="IChain.HeadChanged"/>.
    /// </summary>
    Task<bool> RefreshAsync(TimeSpan maximumAge, CancellationToken cancellation);

    /// <summary>
    /// Makes block <paramref name="number"/> out of the candidates, once: where it is there already, answers it and
    /// executes nothing; null where another instance was faster (refresh and call again), or where a state was taken
    /// over and the block is older than those that came with it.
    /// </summary>
    /// <param name="number">The head's number and one, or less.</param>
    /// <param name="attributes">What the batch fixes.</param>
    /// <param name="candidates">In order.</param>
    /// <param name="beforeHead">
    /// Called when the block is executed and nobody sees it yet, perhaps more than once with equal content: what it
    /// keeps is there when the block is.
    /// </param>
    /// <param name="cancellation">Ends early; nothing is half done for a reader.</param>
    Task<RoleBlock?> ProduceAsync(
        ulong number, BlockAttributes attributes, IReadOnlyList<Transaction> candidates,
        Func<ProducedBlock, CancellationToken, Task> beforeHead, CancellationToken cancellation);

    /// <summary>Keeps why transactions are in no block and never will be.</summary>
    Task RecordDroppedAsync(
        IReadOnlyList<(Hash256 Transaction, string Reason)> dropped, CancellationToken cancellation);

    /// <summary>Why a transaction is in no block; null where nothing is kept.</summary>
    Task<string?> FindDroppedAsync(Hash256 transaction, CancellationToken cancellation);

    /// <summary>Moves the final block.</summary>
    Task SetFinalityAsync(ulong number, CancellationToken cancellation);

    /// <summary>The state after a block, to be given out in parts; null where it cannot be read.</summary>
    IStateParts? ExportState(ulong number) => null;

    /// <summary>
    /// Begins to take over the state after an attested block, or goes on with it; null where that cannot be done here.
    /// </summary>
    StateTakeover? BeginTakeover(ulong number, in Hash256 blockHash, ReadOnlySpan<byte> saved) => null;

    /// <summary>Makes a state that is complete the one in use; nothing where the head is as far already.</summary>
    Task TakeOverAsync(StateTakeover takeover, CancellationToken cancellation) => Task.CompletedTask;
}

/// <summary>A block that is there.</summary>
/// <param name="Block">The block.</param>
/// <param name="Made">What making it answered; null where it was there before.</param>
public sealed record RoleBlock(ChainBlock Block, ProducedBlock? Made);
