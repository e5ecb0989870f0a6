using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>What a replica's journal holds: entries, and the base that they stand on.</summary>
/// <remarks>
/// <code>
///   entry   RLP [ changes [key, value…], outbox [[receivers], message …], events […] ]
///   base    RLP [ replica (Save), requests [key, value…] ]
/// </code>
/// The changes are what the replica promised, and count. The events are for what it only knows (others' votes, waiting
/// transactions): whoever opens the journal goes the same steps, and where that does not give the same changes, as
/// another version of the program may behave, the changes alone make the replica.
/// </remarks>
internal static class ReplicaRecords
{
    /// <summary>The key of what only a base holds (<see cref="Replica.Save"/>).</summary>
    private const byte VolatileKey = (byte)'x';

    /// <summary>The keys of clients' transactions, which a base holds beside the replica.</summary>
    private const byte RequestKey = (byte)'q';

    internal static byte[] Entry(
        IReadOnlyList<RecordChange> changes, IReadOnlyList<(IReadOnlyList<Address> To, byte[] Message)> outgoing,
        IReadOnlyList<ReplicaEvent> events)
    {
        var writer = new RlpWriter(4096);
        var list = writer.BeginList();
        WriteChanges(writer, changes);
        var outbox = writer.BeginList();
        foreach (var (to, message) in outgoing)
        {
            var receivers = writer.BeginList();
            foreach (var address in to)
            {
                writer.WriteAddress(address);
            }

            writer.EndList(receivers);
            writer.WriteBytes(message);
        }

        writer.EndList(outbox);
        var happened = writer.BeginList();
        foreach (var one in events)
        {
            ReplicaEventCodec.Write(writer, one);
        }

        writer.EndList(happened);
        writer.EndList(list);
        return writer.ToArray();
    }

    internal static byte[] Base(Replica replica, IReadOnlyDictionary<string, byte[]> requests)
    {
        var writer = new RlpWriter(8192);
        var list = writer.BeginList();
        writer.WriteBytes(replica.Save());
        WriteChanges(writer, [.. requests.Select(one => new RecordChange(Convert.FromHexString(one.Key), one.Value))]);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>Notes the clients' transactions among the changes.</summary>
    internal static void Note(Dictionary<string, byte[]> requests, IReadOnlyList<RecordChange> changes)
    {
        foreach (var (key, value) in changes)
        {
            if (key[0] != RequestKey)
            {
                continue;
            }

            if (value is null)
            {
                requests.Remove(Convert.ToHexString(key));
            }
            else
            {
                requests[Convert.ToHexString(key)] = value;
            }
        }
    }

    /// <summary>The replica of a base and the entries after it.</summary>
    /// <exception cref="RlpException">The journal is damaged.</exception>
    internal static OpenedReplica Open(ReplicaContext context, byte[]? saved, IReadOnlyList<byte[]> entries)
    {
        var opened = new OpenedReplica(new Replica(context), [], [], IsExact: true, []);
        var records = new Dictionary<string, byte[]>();
        if (saved is not null)
        {
            opened = OpenBase(context, saved, records);
        }

        var (replica, isExact) = (opened.Replica, true);
        List<(IReadOnlyList<Address>, ConsensusMessage)> unsent = [];
        List<Effect> final = [];
        foreach (var entry in entries)
        {
            var reader = new RlpReader(entry);
            var list = reader.ReadList();
            reader.RequireEnd();
            var changes = ReadChanges(ref list);
            unsent = ReadOutbox(ref list);
            Apply(records, changes);
            Note(opened.Requests, changes);
            final.Clear();
            isExact = isExact && StepsTo(replica, list.ReadList(), changes, final);
        }

        return new(
            isExact ? replica : Replica.FromRecords(context, records.Select(
                record => new KeyValuePair<byte[], byte[]>(Convert.FromHexString(record.Key), record.Value))),
            opened.Requests, unsent, isExact, final);
    }

    /// <summary>What is kept for good, for peers and for light verification.</summary>
    internal static bool IsFinal(Effect effect) =>
        effect is BatchCommitted or BlockFinalized or EvidenceFound or SnapshotAdopted;

    private static OpenedReplica OpenBase(ReplicaContext context, byte[] saved, Dictionary<string, byte[]> records)
    {
        var reader = new RlpReader(saved);
        var list = reader.ReadList();
        reader.RequireEnd();
        var whole = list.ReadBytes();
        var requests = new Dictionary<string, byte[]>();
        Apply(requests, ReadChanges(ref list));
        var inner = new RlpReader(whole);
        var pairs = inner.ReadList();
        while (!pairs.AtEnd)
        {
            var (key, value) = (pairs.ReadBytes().ToArray(), pairs.ReadBytes().ToArray());
            if (key[0] != VolatileKey)
            {
                records[Convert.ToHexString(key)] = value;
            }
        }

        foreach (var (key, value) in requests)
        {
            records[key] = value;
        }

        return new(Replica.Load(context, whole), requests, [], IsExact: true, []);
    }

    /// <summary>Goes an entry's steps; whether they led where the entry says.</summary>
    private static bool StepsTo(
        Replica replica, RlpReader events, IReadOnlyList<RecordChange> changes, List<Effect> final)
    {
        while (!events.AtEnd)
        {
            final.AddRange(replica.Step(ReplicaEventCodec.Read(ref events)).Where(IsFinal));
        }

        var own = replica.TakeChanges();
        return own.Count == changes.Count && own.Zip(changes).All(pair =>
            pair.First.Key.AsSpan().SequenceEqual(pair.Second.Key)
            && (pair.First.Value is null == pair.Second.Value is null)
            && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));
    }

    private static void Apply(Dictionary<string, byte[]> records, IReadOnlyList<RecordChange> changes)
    {
        foreach (var (key, value) in changes)
        {
            if (value is null)
            {
                records.Remove(Convert.ToHexString(key));
            }
            else
            {
                records[Convert.ToHexString(key)] = value;
            }
        }
    }

    private static void WriteChanges(RlpWriter writer, IReadOnlyList<RecordChange> changes)
    {
        var list = writer.BeginList();
        foreach (var (key, value) in changes)
        {
            writer.WriteBytes(key);
            Rlp.WriteFlag(writer, value is not null);
            writer.WriteBytes(value ?? []);
        }

        writer.EndList(list);
    }

    private static List<RecordChange> ReadChanges(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var changes = new List<RecordChange>();
        while (!list.AtEnd)
        {
            var (key, isThere) = (list.ReadBytes().ToArray(), Rlp.ReadFlag(ref list));
            var value = list.ReadBytes();
            changes.Add(new(key, isThere ? value.ToArray() : null));
        }

        return changes;
    }

    private static List<(IReadOnlyList<Address> To, ConsensusMessage Message)> ReadOutbox(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var unsent = new List<(IReadOnlyList<Address>, ConsensusMessage)>();
        while (!list.AtEnd)
        {
            var receivers = list.ReadList();
            var to = new List<Address>();
            while (!receivers.AtEnd)
            {
                to.Add(receivers.ReadAddress());
            }

            unsent.Add(MessageCodec.TryDecode(list.ReadBytes(), out var message)
                ? (to, message)
                : throw new RlpException("A saved message is malformed."));
        }

        return unsent;
    }
}

/// <summary>A replica out of its journal.</summary>
/// <param name="Replica">As it was after the last entry.</param>
/// <param name="Requests">Its clients' transactions by key.</param>
/// <param name="Unsent">What the last entry was to send.</param>
/// <param name="IsExact">Whether it knows all that it knew; if not, it keeps its promises and forgot the rest.</param>
/// <param name="Final">What the last entry made final, and is perhaps not in the archive yet.</param>
internal sealed record OpenedReplica(
    Replica Replica, Dictionary<string, byte[]> Requests,
    List<(IReadOnlyList<Address> To, ConsensusMessage Message)> Unsent, bool IsExact, IReadOnlyList<Effect> Final);
