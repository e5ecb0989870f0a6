using SuperVm.Core.Execution;
using SuperVm.Core.Mempool;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Nodes;

/// <summary>The block that would come next and the state after it; kept until head or pool move.</summary>
internal sealed class PendingBlocks(IChain chain, TransactionPool pool, BlockProducer producer)
{
    private readonly Lock _gate = new();
    private Kept? _kept;

    internal ProducedBlock Get()
    {
        lock (_gate)
        {
            var (head, version) = (chain.Head.Hash, pool.Version);
            if (_kept is not { } kept || kept.Head != head || kept.Version != version)
            {
                var made = producer.Preview();
                _kept = kept = new Kept(head, version, made with { State = new SharedState(made.State) });
            }

            return kept.Block;
        }
    }

    private sealed record Kept(Hash256 Head, long Version, ProducedBlock Block);

    /// <summary>One reader at a time: the state of a block under way is not made for several.</summary>
    private sealed class SharedState(IStateReader state) : IStateReader
    {
        private readonly Lock _gate = new();

        public ReadStatus ReadAccount(in Address address, out Account account)
        {
            lock (_gate)
            {
                return state.ReadAccount(address, out account);
            }
        }

        public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
        {
            lock (_gate)
            {
                return state.ReadSlot(address, slot, out value);
            }
        }

        public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
        {
            lock (_gate)
            {
                return state.ReadCode(codeHash, out code);
            }
        }
    }
}
