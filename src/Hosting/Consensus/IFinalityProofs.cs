using SuperVm.Core.Consensus;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>What proves who decides and what is final, wherever a host keeps it; for JSON-RPC.</summary>
/// <remarks>A <see cref="Core.Storage.StoreException"/> comes from a store that fails.</remarks>
internal interface IFinalityProofs
{
    ConsensusParameters Parameters { get; }

    /// <summary>Epoch 0.</summary>
    Epoch Genesis { get; }

    /// <summary>The newest epoch that has begun, and its set; null before consensus has.</summary>
    (ulong Number, ValidatorSet Validators)? Newest { get; }

    /// <summary>The step to the epoch that begins after a border block; null where there is none.</summary>
    EpochProof? Step(ulong border);

    /// <summary>A quorum's attestation of a block; null where only a later block's vouches for it.</summary>
    CheckpointCertificate? Attestation(ulong number);

    /// <summary>The certificate by which a block's batch was committed; null where it is not kept.</summary>
    QuorumCertificate? Commit(ulong number);

    /// <summary>Every other validator as this one sees it; empty where somebody else speaks with them.</summary>
    IReadOnlyList<PeerReport> Peers { get; }
}
