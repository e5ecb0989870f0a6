using SuperVm.Core.Consensus;
using SuperVm.Core.Node;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>The proofs of finality that the order keeps in blobs, as the validator's other apps read them.</summary>
/// <remarks>
/// The newest epoch follows from the final block: the step over a border is archived before the border block is final.
/// </remarks>
internal sealed class CommittedProofs(CommittedArchive archive, IChain chain, ReplicaContext context) : IFinalityProofs
{
    public ConsensusParameters Parameters => context.Parameters;

    public Epoch Genesis => context.Genesis;

    public (ulong Number, ValidatorSet Validators)? Newest
    {
        get
        {
            var length = Parameters.EpochLength;
            var number = length == 0 ? 0 : chain.FinalizedNumber / length;
            return number > 0 && Step(number * length) is { } proof
                ? (number, proof.Validators)
                : (0, context.Genesis.Validators);
        }
    }

    /// <summary>The order speaks with the others, in its own process.</summary>
    public IReadOnlyList<PeerReport> Peers => [];

    public EpochProof? Step(ulong border) => archive.StepAsync(border, default).GetAwaiter().GetResult();

    public CheckpointCertificate? Attestation(ulong number) =>
        archive.AttestationAsync(number, default).GetAwaiter().GetResult();

    public QuorumCertificate? Commit(ulong number) =>
        archive.CommitAsync(number, default).GetAwaiter().GetResult();
}
