using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>A state from others in the place of the one that is in use.</summary>
public sealed partial class DocumentChain
{
    /// <summary>Begins to take over the state after an attested block, or goes on with it.</summary>
    /// <param name="number">The block.</param>
    /// <param name="blockHash">Its hash, which a quorum attests.</param>
    /// <param name="saved">What <see cref="StateTakeover.Save"/> answered; nothing for the beginning.</param>
    public StateTakeover BeginTakeover(ulong number, in Hash256 blockHash, ReadOnlySpan<byte> saved = default)
    {
        var takeover = new StateTakeover(_ports, _options, Genesis, number, blockHash);
        if (!saved.IsEmpty)
        {
            takeover.Load(saved);
        }

        return takeover;
    }

    /// <summary>
    /// Makes the block the head, with the state that was written for it; does nothing where the head is as far already.
    /// Blocks below those that came with it, and states below its own, cannot be read any more.
    /// </summary>
    /// <remarks>
    /// A block that is being written on the old head is lost by its claim: its flip fails, and its pages are of the
    /// generation that nobody reads any more.
    /// </remarks>
    /// <exception cref="StoreException">A service failed; call again.</exception>
    public Task TakeOverAsync(StateTakeover takeover, CancellationToken cancellation = default) =>
        AloneAsync(async () =>
        {
            for (var attempt = 0; attempt < MostFlips; attempt++)
            {
                await RefreshNowAsync(cancellation);
                if (_view.Block.Number >= takeover.Number)
                {
                    return true;
                }

                await _head.TrySwapAsync(takeover.Head, _view.ETag, cancellation);
            }

            throw new StoreException("The head document changes faster than a state can be taken over.");
        });
}
