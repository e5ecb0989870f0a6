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

    /// <summary>Prove: the answer is written, the message is not completed.</summary>
    public const string ProveAnswered = "prove-answered";

    public static IReadOnlyList<string> All { get; } =
    [
        IngestPooled, IngestQueued, OrderTaken, OrderKept, OrderSaved, OrderAnnounced, ExecuteRead, ExecuteKept,
        ExecuteMoved, ProveAnswered,
    ];
}
