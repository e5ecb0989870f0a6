using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>
/// Runs a replica over a key-value store: steps, saves state, archive and outgoing messages in one atomic write, and
/// only then sends and executes.
/// </summary>
/// <remarks>
/// <code>
///   events ─▶ Step … Step ─▶ one write {records, archive, outbox} ─▶ send, set timers, execute
/// </code>
/// A crash before the write leaves no trace of the events: the network and the timers bring them again. A crash after
/// it repeats the outbox and the unexecuted batches at the next start; receivers drop what they know, and execution is
/// idempotent. Several events may share a write (group commit). One thread at a time.
/// </remarks>
public sealed class DurableRunner
{
    /// <summary>
    /// The version of what is written here: records, archive, outbox. Raised with every change of their layout.
    /// </summary>
    public const byte FormatVersion = 2;

    private const byte RecordPrefix = (byte)'R';
    private static readonly byte[] OutboxKey = [(byte)'O'];
    private static readonly byte[] FormatKey = [(byte)'F'];

    private readonly ReplicaContext _context;
    private readonly IKeyValueStore _store;
    private readonly IConsensusTransport _transport;
    private readonly IConsensusTimers _timers;
    private readonly IBatchExecutor _executor;
    private readonly IConsensusObserver? _observer;
    private readonly List<Effect> _pending = [];
    private readonly List<(IReadOnlyList<Address> To, ConsensusMessage Message, byte[]? Encoded)> _outgoing = [];
    private bool _outboxIsEmpty;
    private bool _formatIsWritten;

    /// <summary>Loads the replica from the store, or begins at the genesis.</summary>
    /// <exception cref="StoreException">The stored state has another format, or is damaged.</exception>
    public DurableRunner(
        ReplicaContext context, IKeyValueStore store, IConsensusTransport transport, IConsensusTimers timers,
        IBatchExecutor executor, IConsensusObserver? observer = null)
    {
        (_context, _store, _transport, _timers) = (context, store, transport, timers);
        (_executor, _observer) = (executor, observer);
        Archive = new ConsensusArchive(store);
        _formatIsWritten = HasThisFormat(store);
        try
        {
            var records = store.Scan(Column.Consensus, new[] { RecordPrefix })
                .Select(record => new KeyValuePair<byte[], byte[]>(record.Key[1..], record.Value));
            Replica = Replica.FromRecords(context, records);
            RememberOrdered();
        }
        catch (Exception damage) when (damage is not (StoreException or OutOfMemoryException))
        {
            throw new StoreException($"The store's consensus state is damaged: {damage.Message}", damage);
        }
    }

    public Replica Replica { get; }

    public ConsensusArchive Archive { get; }

    /// <summary>
    /// Whether every write waits for the disk; without, a power failure (not a kill) may forget votes.
    /// </summary>
    public bool Sync { get; init; }

    /// <summary>Sends again what the last run saved, and begins.</summary>
    public void Start()
    {
        ResendOutbox();
        Process([new Started(_timers.NowMs)]);
    }

    /// <summary>Steps through the events, saves once, and carries the effects out.</summary>
    public void Process(IReadOnlyList<ReplicaEvent> events)
    {
        using var write = _store.CreateBatch();
        var peers = Replica.Peers;
        foreach (var happened in events)
        {
            foreach (var effect in Replica.Step(happened))
            {
                _pending.Add(effect);
                ConsensusArchive.Put(write, effect);
                Collect(effect, peers);
            }

            peers = Replica.Peers;
        }

        foreach (var (key, value) in Replica.TakeChanges())
        {
            if (value is null)
            {
                write.Delete(Column.Consensus, [RecordPrefix, .. key]);
            }
            else
            {
                write.Put(Column.Consensus, [RecordPrefix, .. key], value);
            }
        }

        SaveOutbox(write);
        if (write.Count > 0)
        {
            if (!_formatIsWritten)
            {
                write.Put(Column.Consensus, FormatKey, [FormatVersion]);
            }

            _store.Write(write, Sync);
            _formatIsWritten = true;
        }

        CarryOut();
    }

    /// <summary>Whether the store says its format; false where nothing is stored yet.</summary>
    /// <exception cref="StoreException">It is another format than this program's.</exception>
    private static bool HasThisFormat(IKeyValueStore store)
    {
        var written = store.Get(Column.Consensus, FormatKey);
        if (written is null && !store.Scan(Column.Consensus, new[] { RecordPrefix }).Any())
        {
            return false;
        }

        // Versions below 2 did not say which they are.
        var version = written is [var said] ? said : (byte)1;
        return version == FormatVersion ? true : throw new StoreException(
            $"The store's consensus state has format {version}; this program reads and writes format {FormatVersion}. "
            + (version > FormatVersion
                ? "Use the newer program that wrote it."
                : "Start with an empty data folder: the validator takes the chain from the others."));
    }

    /// <summary>Late copies of what the archive's newest batches ordered are dropped after a restart too.</summary>
    private void RememberOrdered()
    {
        var batches = new Stack<IReadOnlyList<Hash256>>();
        var remembered = 0;
        for (var sequence = Replica.Committed; sequence > 0; sequence--)
        {
            if (remembered >= _context.Parameters.RecentTransactions || Archive.Batch(sequence) is not { } found)
            {
                break;
            }

            batches.Push(found.Batch.Hashes);
            remembered += found.Batch.Hashes.Count;
        }

        while (batches.TryPop(out var hashes))
        {
            Replica.RememberOrdered(hashes);
        }
    }

    private void Collect(Effect effect, IReadOnlyList<Address> peers)
    {
        switch (effect)
        {
            case Send e:
                _outgoing.Add(([e.To], e.Message, null));
                break;
            case Broadcast e when peers.Count > 0:
                _outgoing.Add((peers, e.Message, IsPromise(e.Message) ? MessageCodec.Encode(e.Message) : null));
                break;
            default:
                break;
        }
    }

    /// <summary>Messages that bind the sender; the rest is asked for again when it is lost.</summary>
    private static bool IsPromise(ConsensusMessage message) => message.Kind is MessageKind.PrePrepare
        or MessageKind.Vote or MessageKind.Checkpoint or MessageKind.ViewChange or MessageKind.NewView;

    private void SaveOutbox(IWriteBatch write)
    {
        var writer = new RlpWriter(256);
        var list = writer.BeginList();
        var isEmpty = true;
        foreach (var (_, _, encoded) in _outgoing)
        {
            if (encoded is not null)
            {
                writer.WriteBytes(encoded);
                isEmpty = false;
            }
        }

        writer.EndList(list);
        if (!isEmpty)
        {
            write.Put(Column.Consensus, OutboxKey, writer.Written);
        }
        else if (!_outboxIsEmpty && write.Count > 0)
        {
            write.Delete(Column.Consensus, OutboxKey);
        }

        _outboxIsEmpty = isEmpty && (_outboxIsEmpty || write.Count > 0);
    }

    private void ResendOutbox()
    {
        if (_store.Get(Column.Consensus, OutboxKey) is not { } saved)
        {
            return;
        }

        var reader = new RlpReader(saved);
        var list = reader.ReadList();
        var peers = Replica.Peers;
        while (!list.AtEnd)
        {
            var encoded = list.ReadBytes().ToArray();
            if (MessageCodec.TryDecode(encoded, out var message) && peers.Count > 0)
            {
                _transport.Send(peers, message, encoded);
            }
        }
    }

    private void CarryOut()
    {
        foreach (var (to, message, encoded) in _outgoing)
        {
            _transport.Send(to, message, encoded);
        }

        _outgoing.Clear();
        var effects = _pending.ToArray();
        _pending.Clear();
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case SetTimer e:
                    _timers.Set(e.Timer, e.Generation, e.DelayMs, e.JitterMs);
                    break;
                case ExecuteBatch e:
                    _executor.Execute(e.Batch);
                    break;
                case InstallSnapshot e:
                    _executor.InstallSnapshot(e);
                    break;
                case ServeBlocks e when Archive.Serve(e.From, e.Count, _context.Parameters) is { } answer:
                    _transport.Send([e.To], answer, null);
                    break;
                default:
                    break;
            }

            _observer?.Happened(effect);
        }
    }
}
