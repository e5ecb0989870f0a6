using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.State;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Finds the block, or the state, that a request names.</summary>
internal sealed class BlockResolver(Node node)
{
    private static readonly RpcError HeaderNotFound = RpcError.Server("header not found");
    private static readonly RpcError BlockNotFound = new(RpcError.NotFoundCode, "block not found");
    private static readonly RpcError NotCanonical = RpcError.Server("hash is not currently canonical");

    private readonly IChain _chain = node.Chain;

    /// <summary>What calls see of the block that the last one was in: as a rule the next one's too.</summary>
    private SeenContext? _last;

    /// <summary>The number of the newest block that counts as final.</summary>
    internal ulong FinalizedNumber =>
        node.Options.IsInstantlyFinal ? _chain.Head.Number : _chain.FinalizedNumber;

    private ulong SafeNumber => node.Options.IsInstantlyFinal ? _chain.Head.Number : _chain.SafeNumber;

    /// <summary>
    /// The number that a reference without a hash stands for; pending counts as the one after the head.
    /// </summary>
    internal ulong NumberOf(in BlockReference reference) => reference.Kind switch
    {
        BlockReferenceKind.Latest => _chain.Head.Number,
        BlockReferenceKind.Pending => _chain.Head.Number + 1,
        BlockReferenceKind.Safe => SafeNumber,
        BlockReferenceKind.Finalized => FinalizedNumber,
        BlockReferenceKind.Earliest => 0,
        _ => reference.Number,
    };

    /// <summary>The block; null where it is not known. Pending is the block that would come next.</summary>
    internal ChainBlock? Find(in BlockReference reference) => reference.Kind switch
    {
        BlockReferenceKind.Latest => _chain.Head,
        BlockReferenceKind.Pending => node.Pending.Get().Block,
        BlockReferenceKind.Hash => _chain.GetBlock(reference.Hash),
        _ => _chain.GetBlock(NumberOf(reference)),
    };

    /// <summary>
    /// What is said of a block that was not found: null where there is none, an error where the chain has it and it is
    /// not kept here, as it came before a state that was taken over.
    /// </summary>
    internal RpcError? Absent(in BlockReference reference, RpcReply reply)
    {
        if (reference.Kind is not (BlockReferenceKind.Hash or BlockReferenceKind.Pending)
            && IsPruned(NumberOf(reference)))
        {
            return RpcError.PrunedHistory;
        }

        reply.Json.WriteNullValue();
        return null;
    }

    /// <summary>Whether the chain has a block that is not kept here.</summary>
    internal bool IsPruned(ulong number) => number <= _chain.Head.Number && _chain.GetHeader(number) is null;

    /// <summary>The state after the block, or why it cannot be read.</summary>
    internal RpcError? TryState(in BlockReference reference, out IStateReader state) =>
        TryStateOf(reference, out _, out state);

    /// <summary>The state after the block, with the number of the block where it is on the chain.</summary>
    internal RpcError? TryStateOf(in BlockReference reference, out ulong number, out IStateReader state)
    {
        if (reference.Kind == BlockReferenceKind.Pending)
        {
            number = _chain.Head.Number + 1;
            state = node.Pending.Get().State;
            return null;
        }

        state = EmptyStateReader.Instance;
        var error = TryNumber(reference, out number);
        return error ?? StateError(_chain.StateAt(number), number, out state);
    }

    /// <summary>The state after the block and what a call in that block sees of it.</summary>
    internal RpcError? TryCallContext(in BlockReference reference, out BlockContext context, out IStateReader state)
    {
        state = EmptyStateReader.Instance;
        context = null!;
        if (reference.Kind == BlockReferenceKind.Pending)
        {
            var pending = node.Pending.Get();
            state = pending.State;
            context = BlockContexts.Of(node.Spec, pending.Block.Header, _chain.BlockHashes);
            return null;
        }

        var error = TryNumber(reference, out var number) ?? StateError(_chain.StateAt(number), number, out state);
        if (error is not null)
        {
            return error;
        }

        var head = _chain.Head;
        var header = number == head.Number ? head.Header : _chain.GetHeader(number)?.Header;
        if (header is null)
        {
            return HeaderNotFound;
        }

        context = ContextOf(header);
        return null;
    }

    /// <summary>The number of a canonical block.</summary>
    internal RpcError? TryNumber(in BlockReference reference, out ulong number)
    {
        if (reference.Kind != BlockReferenceKind.Hash)
        {
            number = NumberOf(reference);
            return number <= _chain.Head.Number ? null : HeaderNotFound;
        }

        number = 0;
        if (_chain.GetBlock(reference.Hash) is not { } block)
        {
            return BlockNotFound;
        }

        number = block.Number;
        return _chain.IsCanonical(reference.Hash) ? null
            : reference.RequireCanonical ? NotCanonical
            : RpcError.Server("the state of blocks beside the canonical chain is not kept");
    }

    private BlockContext ContextOf(BlockHeader header)
    {
        if (Volatile.Read(ref _last) is { } last && ReferenceEquals(last.Header, header))
        {
            return last.Context;
        }

        var context = BlockContexts.Of(node.Spec, header, _chain.BlockHashes);
        Volatile.Write(ref _last, new SeenContext(header, context));
        return context;
    }

    private static RpcError? StateError(in StateLookup lookup, ulong number, out IStateReader state)
    {
        state = lookup.State ?? EmptyStateReader.Instance;
        return lookup.Availability switch
        {
            StateAvailability.Available => null,
            StateAvailability.Pruned => RpcError.Server($"missing trie node: the state of block {number} is pruned"),
            _ => HeaderNotFound,
        };
    }

    private sealed record SeenContext(BlockHeader Header, BlockContext Context);
}
