using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>Entries by number, each stored by one writer: the only atomicity that the cloud side relies on.</summary>
public interface IReplicaJournal
{
    /// <summary>
    /// What is kept now: the newest base (null: none yet) and the entries after it. What is appended next stands on it.
    /// </summary>
    Task<(byte[]? Base, IReadOnlyList<byte[]> Entries)> LoadAsync(CancellationToken cancellation);

    /// <summary>Appends an entry; false where others appended since the last load: load again.</summary>
    Task<bool> TryAppendAsync(byte[] entry, CancellationToken cancellation);

    /// <summary>Bytes of an entry; what is larger becomes a base.</summary>
    int MostEntryBytes { get; }

    /// <summary>Whether enough was appended that a new base saves more than it costs.</summary>
    bool WantsBase { get; }

    /// <summary>Puts a base in the place of all before; false where others appended since: load again.</summary>
    Task<bool> TryRebaseAsync(byte[] saved, CancellationToken cancellation);
}

/// <summary>What a replica's effects need in the cloud: at least once, in any order between kinds.</summary>
public interface IJournaledRunnerPorts
{
    /// <summary>Milliseconds since 1970.</summary>
    long NowMs { get; }

    /// <summary>
    /// Keeps what is final (<see cref="BatchCommitted"/>, <see cref="BlockFinalized"/>, <see cref="EvidenceFound"/>,
    /// <see cref="SnapshotAdopted"/>). Called after the state is saved, and again by whoever opens the journal:
    /// idempotent. Not before: a certificate may count this validator's own vote, which is no promise until then.
    /// </summary>
    Task ArchiveAsync(IReadOnlyList<Effect> effects, CancellationToken cancellation);

    Task SendAsync(IReadOnlyList<Address> to, ConsensusMessage message, CancellationToken cancellation);

    /// <summary>
    /// What execution made of the batch at a place that was reported: its block, and, at an epoch's border, the next
    /// set. Null where a state above it was taken over: the replica is about to go on from there.
    /// </summary>
    /// <exception cref="Storage.StoreException">It cannot be read yet; the events come again.</exception>
    Task<BatchExecuted?> ExecutedAsync(ulong sequence, CancellationToken cancellation);

    /// <summary>Timers (as delayed messages), execution, serving, snapshots; reports the rest.</summary>
    Task CarryOutAsync(Effect effect, CancellationToken cancellation);
}

/// <summary>
/// Runs a replica over a journal: step, append what changed together with the outgoing messages, then send. Any number
/// of workers may do so at once: one of them wins, the others load again.
/// </summary>
/// <remarks>
/// <code>
///   queue ─▶ Step … ─▶ append {changes, outbox, events} ─▶ archive (idempotent) ─▶ send, timers, execute ─▶ delete
///             ▲           │ lost: load base and entries, go their steps, archive what is final in the last one
///             └───────────┘
/// </code>
/// The replica stays in memory between calls: a worker alone reads once. The events' queue messages are deleted last. A
/// worker that dies after the append leaves them to be delivered again: then the saved outbox is sent again and the
/// replica starts anew, so that batches that wait are executed and timers are set; the events themselves change nothing
/// twice.
/// </remarks>
public sealed class JournaledRunner(ReplicaContext context, IReplicaJournal journal, IJournaledRunnerPorts ports)
{
    /// <summary>Lost races after which a call gives up; the queue brings its events again.</summary>
    public const int MaximumAttempts = 16;

    /// <summary>Batches that one call reports as executed.</summary>
    private const int MostReports = 256;

    private readonly SemaphoreSlim _alone = new(1);
    private OpenedReplica? _opened;
    private volatile ReplicaStanding? _standing;

    /// <summary>The replica as of the last call; null where the next one opens the journal.</summary>
    internal Replica? Replica => _opened?.Replica;

    /// <summary>How the replica stood after the last call; null before the first.</summary>
    public ReplicaStanding? Standing => _standing;

    /// <summary>Steps through the events; false where other workers won every attempt.</summary>
    /// <param name="events">The events, in order.</param>
    /// <param name="isRepeated">Whether the queue delivers one of them again.</param>
    /// <param name="cancellation">Ends early; the events come again.</param>
    /// <exception cref="RlpException">The journal is damaged.</exception>
    public async Task<bool> ProcessAsync(
        IReadOnlyList<ReplicaEvent> events, bool isRepeated, CancellationToken cancellation)
    {
        await _alone.WaitAsync(cancellation);
        try
        {
            // What a dead worker left undone (execution, timers) is asked for again by a new start.
            return await ProcessAloneAsync(
                isRepeated ? [new Started(ports.NowMs), .. events] : events, isRepeated, cancellation);
        }
        finally
        {
            _alone.Release();
        }
    }

    /// <summary>How the replica stands, by this worker's knowledge; reads the journal where it has none.</summary>
    public async Task<ReplicaStanding> StandingAsync(CancellationToken cancellation)
    {
        await _alone.WaitAsync(cancellation);
        try
        {
            _opened ??= await OpenAsync(cancellation);
            return _standing = ReplicaStanding.Of(_opened.Replica);
        }
        finally
        {
            _alone.Release();
        }
    }

    private async Task<bool> ProcessAloneAsync(
        IReadOnlyList<ReplicaEvent> happened, bool isRepeated, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaximumAttempts; attempt++)
        {
            var opened = _opened ??= await OpenAsync(cancellation);
            var events = await InOrderAsync(opened.Replica, happened, cancellation);
            _opened = null; // a step that is not kept must not be seen
            var (effects, outgoing) = Step(opened.Replica, events);
            var changes = opened.Replica.TakeChanges();
            var entry = ReplicaRecords.Entry(
                changes, [.. outgoing.Select(one => (one.To, MessageCodec.Encode(one.Message)))], events);
            ReplicaRecords.Note(opened.Requests, changes);
            var isKept = entry.Length <= journal.MostEntryBytes
                ? await journal.TryAppendAsync(entry, cancellation)
                : await journal.TryRebaseAsync(ReplicaRecords.Base(opened.Replica, opened.Requests), cancellation);
            if (!isKept)
            {
                continue;
            }

            // Where this fails the journal is opened anew, and the last entry's steps bring it again.
            await ports.ArchiveAsync([.. effects.Where(ReplicaRecords.IsFinal)], cancellation);
            _opened = opened with { Unsent = outgoing, Final = [] };
            _standing = ReplicaStanding.Of(opened.Replica);
            foreach (var (to, message) in isRepeated ? opened.Unsent.Concat(outgoing) : outgoing)
            {
                await ports.SendAsync(to, message, cancellation);
            }

            foreach (var effect in effects)
            {
                await ports.CarryOutAsync(effect, cancellation);
            }

            await RebaseAsync(cancellation);
            return true;
        }

        return false;
    }

    /// <summary>
    /// What execution reports, in the batches' order and without a gap: queues keep no order, other workers may have
    /// taken what came before, and a report stands for all batches up to it. A replica takes a report as the next one
    /// only.
    /// </summary>
    private async Task<IReadOnlyList<ReplicaEvent>> InOrderAsync(
        Replica replica, IReadOnlyList<ReplicaEvent> happened, CancellationToken cancellation)
    {
        var reports = happened.OfType<BatchExecuted>().ToLookup(report => report.Sequence);
        if (reports.Count == 0)
        {
            return happened;
        }

        List<ReplicaEvent> events = [.. happened.Where(one => one is not BatchExecuted)];
        var last = Math.Min(reports.Max(report => report.Key), replica.Executed + MostReports);
        for (var sequence = replica.Executed + 1; sequence <= last; sequence++)
        {
            var isBorder = context.Parameters.EpochLength != 0 && sequence % context.Parameters.EpochLength == 0;
            var report = reports[sequence].FirstOrDefault(one => !isBorder || one.NextValidators is not null)
                ?? await ports.ExecutedAsync(sequence, cancellation);
            if (report is null)
            {
                break;
            }

            events.Add(report);
        }

        return events;
    }

    private async Task<OpenedReplica> OpenAsync(CancellationToken cancellation)
    {
        var (saved, entries) = await journal.LoadAsync(cancellation);
        var opened = ReplicaRecords.Open(context, saved, entries);
        if (opened.Final.Count > 0)
        {
            await ports.ArchiveAsync(opened.Final, cancellation); // who appended it may have died before
        }

        return opened with { Final = [] };
    }

    /// <summary>A base that is not written, for whatever reason, only makes the next opening longer.</summary>
    private async Task RebaseAsync(CancellationToken cancellation)
    {
        if (journal.WantsBase && _opened is { } opened
            && !await journal.TryRebaseAsync(ReplicaRecords.Base(opened.Replica, opened.Requests), cancellation))
        {
            _opened = null;
        }
    }

    private static (List<Effect> Effects, List<(IReadOnlyList<Address> To, ConsensusMessage Message)> Outgoing) Step(
        Replica replica, IReadOnlyList<ReplicaEvent> events)
    {
        var effects = new List<Effect>();
        var outgoing = new List<(IReadOnlyList<Address> To, ConsensusMessage Message)>();
        var peers = replica.Peers;
        foreach (var happened in events)
        {
            foreach (var effect in replica.Step(happened))
            {
                effects.Add(effect);
                Collect(effect, peers, outgoing);
            }

            peers = replica.Peers;
        }

        return (effects, outgoing);
    }

    private static void Collect(
        Effect effect, IReadOnlyList<Address> peers, List<(IReadOnlyList<Address>, ConsensusMessage)> outgoing)
    {
        switch (effect)
        {
            case Send e:
                outgoing.Add(([e.To], e.Message));
                break;
            case Broadcast e when peers.Count > 0:
                outgoing.Add((peers, e.Message));
                break;
            default:
                break;
        }
    }
}

/// <summary>How a replica stands.</summary>
/// <param name="Epoch">The newest epoch.</param>
/// <param name="IsValidator">Whether its set has this one.</param>
/// <param name="Peers">The others that it sends to.</param>
/// <param name="View">The view's label.</param>
/// <param name="IsActive">Whether no view change is under way.</param>
/// <param name="Committed">The last committed batch.</param>
/// <param name="Executed">The last batch that was reported as executed.</param>
/// <param name="Finalized">The last attested block.</param>
public sealed record ReplicaStanding(
    Epoch Epoch, bool IsValidator, IReadOnlyList<Address> Peers, ulong View, bool IsActive, ulong Committed,
    ulong Executed, ulong Finalized)
{
    internal static ReplicaStanding Of(Replica replica) => new(
        replica.Epoch, replica.IsValidator, replica.Peers, replica.View, replica.IsActive, replica.Committed,
        replica.Executed, replica.Finalized);
}
