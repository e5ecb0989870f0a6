using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>What JSON-RPC may ask of consensus; the epoch is the replica's newest.</summary>
internal sealed class ConsensusView(ConsensusArchive archive, ConsensusParameters parameters, Epoch genesis)
{
    private volatile Epoch? _epoch;

    internal ConsensusArchive Archive => archive;

    internal ulong ChainId => parameters.ChainId;

    internal ConsensusParameters Parameters => parameters;

    /// <summary>Epoch 0.</summary>
    internal Epoch Genesis => genesis;

    /// <summary>Health and traffic of the peers.</summary>
    internal Func<IReadOnlyList<PeerReport>> Peers { get; set; } = static () => [];

    internal Epoch? Epoch
    {
        get => _epoch;
        set => _epoch = value;
    }
}
