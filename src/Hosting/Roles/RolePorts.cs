using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>What the roles of one validator stand on.</summary>
public sealed record RolePorts
{
    public required IMessageBus Bus { get; init; }

    public required IDocumentStore Documents { get; init; }

    public required IBlobStore Blobs { get; init; }

    /// <summary>Which of several instances works; null where there is one.</summary>
    public ILeaseStore? Leases { get; init; }

    /// <summary>
    /// Where this process runs, as the one that takes its place when it dies is called too; null where nobody knows.
    /// </summary>
    public string? Instance { get; init; }

    public required RoleNames Names { get; init; }

    /// <summary>The document container of clients' filters; null keeps them in the instance's memory.</summary>
    public string? FilterContainer { get; init; }

    /// <summary>Whether somebody takes proof jobs; where nobody does they are refused at the door.</summary>
    public bool HasProver { get; init; } = true;

    public required TimeProvider Clock { get; init; }

    /// <summary>What is kept in memory to be faster, to be given up when nothing comes.</summary>
    public RoleCaches Caches { get; init; } = new();

    /// <summary>Takes one line an event; must not block.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Whether lines name every transaction (<see cref="TransactionTrace"/>), or the first alone.</summary>
    public bool LogsTransactions { get; init; } = true;

    /// <summary>Told when a <see cref="FailPoint"/> is reached; does not return where a test has the process
    /// die.</summary>
    public Action<string> Reach { get; init; } = _ => { };
}

/// <summary>The names under which the roles find each other.</summary>
/// <param name="Inbox">The queue of the validator's order.</param>
/// <param name="Batches">The queue of ordered batches.</param>
/// <param name="Proofs">The queue of proof jobs.</param>
/// <param name="Replica">The document container of the order's state.</param>
/// <param name="ProofRecords">The document container of proof jobs' records.</param>
public sealed record RoleNames(string Inbox, string Batches, string Proofs, string Replica, string ProofRecords);

/// <summary>How a role ended with a message.</summary>
public enum RoleEnd
{
    /// <summary>All that follows from the message is done and kept.</summary>
    Done = 0,

    /// <summary>The message has no sense and never will.</summary>
    Malformed = 1,

    /// <summary>Something that it needs is not there yet, or a service fails: it is to come again.</summary>
    Again = 2,
}
