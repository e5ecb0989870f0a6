using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>One document with compare-and-swap: the only atomicity that the cloud side relies on.</summary>
public interface IReplicaDocument
{
    /// <summary>The content and its tag, or null where there is no document yet.</summary>
    Task<(byte[] Content, string Tag)?> LoadAsync(CancellationToken cancellation);

    /// <summary>
    /// Replaces the content if the tag is still the document's (null: if there is none); false where it is not.
    /// </summary>
    Task<bool> TrySaveAsync(byte[] content, string? tag, CancellationToken cancellation);
}

/// <summary>What a replica's effects need in the cloud: at least once, in any order between kinds.</summary>
public interface IDocumentRunnerPorts
{
    /// <summary>Milliseconds since 1970.</summary>
    long NowMs { get; }

    /// <summary>
    /// Keeps what is final (<see cref="BatchCommitted"/>, <see cref="BlockFinalized"/>, <see cref="EvidenceFound"/>,
    /// <see cref="SnapshotAdopted"/>). Called before the state is saved, perhaps more than once: idempotent.
    /// </summary>
    Task ArchiveAsync(IReadOnlyList<Effect> effects, CancellationToken cancellation);

    Task SendAsync(IReadOnlyList<Address> to, ConsensusMessage message, CancellationToken cancellation);

    /// <summary>Timers (as delayed messages), execution, serving, snapshots; reports the rest.</summary>
    Task CarryOutAsync(Effect effect, CancellationToken cancellation);
}

/// <summary>
/// Runs a replica whose whole state is one document: load, step, save by compare-and-swap together with the outgoing
/// messages, then send. Any number of workers may do so at once: one of them wins, the others load again.
/// </summary>
/// <remarks>
/// <code>
///   queue ─▶ load ─▶ Step … ─▶ archive (idempotent) ─▶ compare-and-swap {state, outbox} ─▶ send, timers, execute ─▶
/// delete
///             ▲                                             │ lost
///             └─────────────────────────────────────────────┘
/// </code>
/// The events' queue messages are deleted last. A worker that dies after the save leaves them to be delivered again:
/// then the saved outbox is sent again and the replica starts anew, so that batches that wait are executed and timers
/// are set; the events themselves change nothing twice.
/// </remarks>
public sealed class DocumentRunner(ReplicaContext context, IReplicaDocument document, IDocumentRunnerPorts ports)
{
    /// <summary>Lost races after which a call gives up; the queue brings its events again.</summary>
    public const int MaximumAttempts = 16;

    /// <summary>The replica after the last save of this worker; null before the first.</summary>
    public Replica? Last { get; private set; }

    /// <summary>Steps through the events; false where other workers won every attempt.</summary>
    /// <param name="events">The events, in order.</param>
    /// <param name="isRepeated">Whether the queue delivers one of them again.</param>
    /// <param name="cancellation">Ends early; the events come again.</param>
    /// <exception cref="RlpException">The document is damaged.</exception>
    public async Task<bool> ProcessAsync(
        IReadOnlyList<ReplicaEvent> events, bool isRepeated, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaximumAttempts; attempt++)
        {
            var loaded = await document.LoadAsync(cancellation);
            var (replica, unsent) = Open(loaded?.Content);
            var peers = replica.Peers;
            var effects = new List<Effect>();
            var outgoing = new List<(IReadOnlyList<Address> To, ConsensusMessage Message)>();
            // What a dead worker left undone (execution, timers) is asked for again by a new start.
            foreach (var happened in isRepeated ? [new Started(ports.NowMs), .. events] : events)
            {
                foreach (var effect in replica.Step(happened))
                {
                    effects.Add(effect);
                    Collect(effect, peers, outgoing);
                }

                peers = replica.Peers;
            }

            await ports.ArchiveAsync([.. effects.Where(IsFinal)], cancellation);
            if (!await document.TrySaveAsync(Content(replica, outgoing), loaded?.Tag, cancellation))
            {
                continue;
            }

            Last = replica;
            var repeated = isRepeated ? unsent : [];
            foreach (var (to, message) in repeated.Concat(outgoing))
            {
                await ports.SendAsync(to, message, cancellation);
            }

            foreach (var effect in effects)
            {
                await ports.CarryOutAsync(effect, cancellation);
            }

            return true;
        }

        return false;
    }

    /// <summary>The replica as it stands, for reads.</summary>
    public async Task<Replica> LoadAsync(CancellationToken cancellation) =>
        Open((await document.LoadAsync(cancellation))?.Content).Replica;

    private static bool IsFinal(Effect effect) =>
        effect is BatchCommitted or BlockFinalized or EvidenceFound or SnapshotAdopted;

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

    private (Replica Replica, List<(IReadOnlyList<Address> To, ConsensusMessage Message)> Unsent) Open(byte[]? content)
    {
        var unsent = new List<(IReadOnlyList<Address>, ConsensusMessage)>();
        if (content is null)
        {
            return (new Replica(context), unsent);
        }

        var reader = new RlpReader(content);
        var list = reader.ReadList();
        reader.RequireEnd();
        var replica = Replica.Load(context, list.ReadBytes());
        var outbox = list.ReadList();
        while (!outbox.AtEnd)
        {
            var receivers = outbox.ReadList();
            var to = new List<Address>();
            while (!receivers.AtEnd)
            {
                to.Add(receivers.ReadAddress());
            }

            if (!MessageCodec.TryDecode(outbox.ReadBytes(), out var message))
            {
                throw new RlpException("A saved message is malformed.");
            }

            unsent.Add((to, message));
        }

        return (replica, unsent);
    }

    private static byte[] Content(
        Replica replica, List<(IReadOnlyList<Address> To, ConsensusMessage Message)> outgoing)
    {
        var writer = new RlpWriter(8192);
        var list = writer.BeginList();
        writer.WriteBytes(replica.Save());
        var outbox = writer.BeginList();
        foreach (var (to, message) in outgoing)
        {
            var receivers = writer.BeginList();
            foreach (var address in to)
            {
                writer.WriteAddress(address);
            }

            writer.EndList(receivers);
            writer.WriteBytes(MessageCodec.Encode(message));
        }

        writer.EndList(outbox);
        writer.EndList(list);
        return writer.ToArray();
    }
}
