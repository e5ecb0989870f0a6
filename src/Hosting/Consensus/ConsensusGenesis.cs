using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Node;

namespace SuperVm.Hosting.Consensus;

/// <summary>What a chain says of its consensus: where it begins, and who decides after an epoch's last block.</summary>
/// <remarks>The same for a validator's process and for the roles in the cloud, so that both agree.</remarks>
internal static class ConsensusGenesis
{
    /// <summary>A replica's surroundings: limits of the host, everything that must agree from the chain.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="limits">The host's limits and times.</param>
    /// <param name="registry">The registry that genesis holds; null for a set that never changes.</param>
    /// <param name="validators">The set where there is no registry.</param>
    /// <param name="signer">Signs this replica's votes.</param>
    /// <param name="inspector">Says what a transaction is.</param>
    internal static ReplicaContext ContextOf(
        IChain chain, ConsensusParameters limits, ValidatorRegistry? registry,
        IReadOnlyList<ValidatorPeer> validators, IConsensusSigner signer, ITransactionInspector inspector)
    {
        var genesis = chain.Genesis;
        var parameters = limits with
        {
            ChainId = chain.ChainId, GasLimit = genesis.Header.GasLimit,
            EpochLength = registry?.Parameters.EpochLength ?? 0, Kind = registry?.Parameters.Kind ?? default,
            WorkBits = registry?.Parameters.WorkBits ?? 0,
        };
        var set = registry?.NextSet() ?? new ValidatorSet(
            [.. validators.Select(peer => new Validator(peer.Address, peer.Power))]);
        return new ReplicaContext(
            parameters, signer, new Secp256k1Verifier(), inspector,
            Epoch.Genesis(set, genesis.Hash, parameters.EpochLength, parameters.Kind),
            BatchHeader.Genesis(genesis.Hash, genesis.Header.Timestamp, genesis.Header.GasLimit));
    }

    /// <summary>Whether a block is an epoch's last.</summary>
    internal static bool IsBorder(ConsensusParameters parameters, ulong number) =>
        parameters.EpochLength != 0 && number > 0 && number % parameters.EpochLength == 0;

    /// <summary>
    /// The set of the epoch after a border block, as the registry stands after it; null where nobody is registered, so
    /// that the old set goes on.
    /// </summary>
    /// <exception cref="InvalidDataException">The block's state cannot be read.</exception>
    internal static ValidatorSet? RegisteredAfter(IChain chain, ulong number)
    {
        var state = chain.StateAt(number).State
            ?? throw new InvalidDataException($"the state of block {number}, an epoch's last, cannot be read");
        return ValidatorRegistry.Read(state)?.NextSet();
    }
}
