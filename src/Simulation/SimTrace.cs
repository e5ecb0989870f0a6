using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>One line for each thing that happens, in short words.</summary>
internal static class SimTrace
{
    internal static string Describe(Effect effect) => effect switch
    {
        Send e => $"send {Describe(e.Message)}",
        Broadcast e => $"broadcast {Describe(e.Message)}",
        SetTimer e => $"timer {e.Timer} {e.DelayMs}+{e.JitterMs} ms",
        ExecuteBatch e => $"execute {e.Batch.Sequence} {Short(e.Batch.Digest)}",
        BatchCommitted e => $"COMMITTED {e.Batch.Sequence} {Short(e.Batch.Digest)} view {View(e.Certificate.View)}",
        BlockFinalized e => $"FINALIZED {e.Certificate.Statement.Sequence} "
            + Short(e.Certificate.Statement.BlockHash),
        EvidenceFound e => $"EVIDENCE {e.Evidence.Kind} against {e.Evidence.Validator}",
        ServeBlocks e => $"serve from {e.From}",
        InstallSnapshot e => $"install snapshot {e.Sequence}",
        ReplicaHalted e => $"HALTED {e.Reason}",
        MessageDropped e => $"dropped {e.Kind}: {e.Reason}",
        _ => effect.GetType().Name,
    };

    internal static string Describe(ConsensusMessage message) => message switch
    {
        Request m => $"request of {m.Transactions.Count}",
        PrePrepare m => $"pre-prepare {m.Header.Sequence} {Short(m.Header.Digest)} view {View(m.View)}",
        Vote m => $"{m.Phase.ToString().ToLowerInvariant()} {m.Sequence} {Short(m.Digest)} view {View(m.View)} "
            + $"by {m.Validator}",
        Checkpoint m => $"checkpoint {m.Statement.Sequence} {Short(m.Statement.BlockHash)} by {m.Validator}",
        ViewChange m => $"view-change to {View(m.View)} stable {m.StableSequence} prepared "
            + $"{string.Join(',', m.Prepared.Select(Proof))} by {m.Validator}",
        NewView m => $"new-view {View(m.View)} by {m.Validator}",
        Status m => $"status view {View(m.View)}{(m.Active ? "" : "?")} committed {m.Committed} stable {m.Stable}",
        FetchBlocks m => $"fetch from {m.From}",
        Blocks m => $"blocks {string.Join(',', m.Batches.Select(b => b.Batch.Sequence))}",
        Snapshot m => $"snapshot {m.Attestation.Statement.Sequence}",
        FetchBatch m => $"fetch batch {m.Sequence}",
        BatchBody m => $"batch {m.Batch.Sequence}",
        _ => message.Kind.ToString(),
    };

    private static string Proof(PreparedProof proof) =>
        $"{proof.Header.Sequence}:{Short(proof.Header.Digest)}@{View(proof.Certificate.View)}";

    private static string View(ulong view) => $"{ViewLabel.EpochOf(view)}.{ViewLabel.NumberOf(view)}";

    private static string Short(in Hash256 hash) => hash.ToString()[2..8];
}
