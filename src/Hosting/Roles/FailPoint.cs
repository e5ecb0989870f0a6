namespace SuperVm.Hosting.Roles;

/// <summary>
/// The places where a role may die and nothing may be lost or done twice. Each has a name, so that a test can kill the
/// process right there.
/// </summary>
public static class FailPoint
{
    /// <summary>Ingest: the transactions are in the pool, not in the queue.</summary>
    public const string IngestPooled = "ingest-pooled";

    /// <summary>Ingest: the transactions are in the queue, nobody is answered yet.</summary>
    public const string IngestQueued = "ingest-queued";

    /// <summary>Order: messages are taken, nothing is kept.</summary>
    public const string OrderTaken = "order-taken";

    /// <summary>Order: the batches' bodies are kept, the state is the old one.</summary>
    public const string OrderKept = "order-kept";

    /// <summary>Order: the state is saved, the batches are not announced.</summary>
    public const string OrderSaved = "order-saved";

    /// <summary>Order: the batches are announced, the messages are not completed.</summary>
    public const string OrderAnnounced = "order-announced";

    /// <summary>Execute: the batch is read, nothing is written.</summary>
    public const string ExecuteRead = "execute-read";

    /// <summary>Execute: the block is executed, what it left out is kept, the head is the old one.</summary>
    public const string ExecuteKept = "execute-kept";

    /// <summary>Execute: the head has moved, the message is not completed.</summary>
    public const string ExecuteMoved = "execute-moved";

    /// <summary>Order: a transfer of a state is begun, no message carries it on.</summary>
    public const string SnapshotBegun = "snapshot-begun";

    /// <summary>Order: a part of a state is staged, the transfer does not say so.</summary>
    public const string SnapshotStaged = "snapshot-staged";

    /// <summary>Order: a state is staged, the execution does not know.</summary>
    public const string SnapshotReady = "snapshot-ready";

    /// <summary>Order: the state is in place and the replica told, the transfer has not ended.</summary>
    public const string SnapshotAdopted = "snapshot-adopted";

    /// <summary>Execute: parts of a state are written, nobody knows.</summary>
    public const string InstallWritten = "install-written";

    /// <summary>Execute: a state is written whole, the head is the old one.</summary>
    public const string InstallKept = "install-kept";

    /// <summary>Execute: the head has moved to a state that was taken over, nobody knows.</summary>
    public const string InstallMoved = "install-moved";

    /// <summary>Prove: the answer is written, the message is not completed.</summary>
    public const string ProveAnswered = "prove-answered";

    public static IReadOnlyList<string> All { get; } =
    [
        IngestPooled, IngestQueued, OrderTaken, OrderKept, OrderSaved, OrderAnnounced, ExecuteRead, ExecuteKept,
        ExecuteMoved, SnapshotBegun, SnapshotStaged, SnapshotReady, SnapshotAdopted, InstallWritten, InstallKept,
        InstallMoved, ProveAnswered,
    ];
}
