using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>What JSON-RPC may ask of consensus; the epoch is the replica's newest.</summary>
internal sealed class ConsensusView(ConsensusArchive archive, ConsensusParameters parameters, Epoch genesis)
    : IFinalityProofs
{
    private volatile Epoch? _epoch;

    internal ConsensusArchive Archive => archive;

    public ConsensusParameters Parameters => parameters;

    public Epoch Genesis => genesis;

    public (ulong Number, ValidatorSet Validators)? Newest =>
        _epoch is { } epoch ? (epoch.Number, epoch.Validators) : null;

    public EpochProof? Step(ulong border) => archive.EpochStep(border);

    public CheckpointCertificate? Attestation(ulong number) => archive.Attestation(number);

    public QuorumCertificate? Commit(ulong number) => archive.Batch(number)?.Certificate;

    IReadOnlyList<PeerReport> IFinalityProofs.Peers => Peers();

    /// <summary>Health and traffic of the peers.</summary>
    internal Func<IReadOnlyList<PeerReport>> Peers { get; set; } = static () => [];

    internal Epoch? Epoch
    {
        get => _epoch;
        set => _epoch = value;
    }
}
