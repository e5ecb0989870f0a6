using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Encoding;
using SuperVm.Core.Node;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Consensus;

/// <summary>
/// Holds the state of one block still for those who are too far behind for batches, and answers them.
/// </summary>
/// <remarks>
/// It is held from the first question on, and let go some time after the last, or when the chain has gone too far.
/// What is given out is not trusted by who takes it.
/// </remarks>
internal sealed class SnapshotServer(
    Chain chain, ConsensusArchive archive, ConsensusParameters parameters, ulong keptBatches, TimeProvider clock)
    : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private StateExport? _held;
    private long _usedAt;

    /// <summary>The block whose state is held; holds the newest where there is none yet.</summary>
    internal ulong? Hold()
    {
        lock (_gate)
        {
            if (_held is { } held && chain.Head.Number - held.Number <= keptBatches / 2)
            {
                return held.Number;
            }

            _held?.Dispose();
            _held = chain.ExportState();
            _usedAt = clock.GetTimestamp();
            if (_held.Number == 0
                || (parameters.EpochLength != 0 && _held.Number % parameters.EpochLength == 0))
            {
                // A snapshot's place lies inside an epoch; the next block will do.
                _held.Dispose();
                _held = null;
            }

            return _held?.Number;
        }
    }

    /// <summary>Lets go of what nobody has asked for lately.</summary>
    internal void Tick()
    {
        lock (_gate)
        {
            if (_held is not null && clock.GetElapsedTime(_usedAt) > Lease)
            {
                _held.Dispose();
                _held = null;
            }
        }
    }

    /// <summary>The part that is asked for; empty where it is not there (any more).</summary>
    internal StateChunk Answer(FetchState asked)
    {
        lock (_gate)
        {
            if (_held is not { } held || held.Number != asked.Sequence)
            {
                return new StateChunk(asked.Sequence, asked.Part, []);
            }

            _usedAt = clock.GetTimestamp();
            try
            {
                var reader = new RlpReader(asked.Query);
                var content = asked.Part switch
                {
                    StatePart.Blocks => SnapshotParts.Blocks(chain, reader.ReadUInt64(), held.Number),
                    StatePart.Nodes => SnapshotParts.Nodes(held, ref reader),
                    StatePart.Code => SnapshotParts.Code(held, ref reader),
                    _ => Batches(reader.ReadUInt64(), held.Number),
                };
                return new StateChunk(asked.Sequence, asked.Part, content);
            }
            catch (RlpException)
            {
                return new StateChunk(asked.Sequence, asked.Part, []);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _held?.Dispose();
            _held = null;
        }
    }

    private byte[] Batches(ulong from, ulong held)
    {
        var batches = new List<CertifiedBatch>();
        for (var sequence = Math.Max(1, from);
            sequence <= held && !SnapshotParts.IsFull(batches) && archive.Batch(sequence) is { } found; sequence++)
        {
            batches.Add(found with { Attestation = null });
        }

        return MessageCodec.Encode(new Blocks(batches));
    }
}
