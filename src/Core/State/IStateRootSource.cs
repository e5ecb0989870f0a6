using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>Answers the state root of a block's changes so far without keeping them.</summary>
/// <remarks>Receipts before Byzantium hold the root after every transaction (EIP-658 put a status in its place).</remarks>
public interface IStateRootSource
{
    /// <summary>The root of the parent's state with the changes of <paramref name="state"/>.</summary>
    Hash256 RootOf(BlockState state);
}
