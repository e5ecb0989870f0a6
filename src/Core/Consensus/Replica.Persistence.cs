using System.Buffers.Binary;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>One record of a replica's durable state: a new value for a key, or null to delete it.</summary>
public readonly record struct RecordChange(byte[] Key, byte[]? Value);

/// <summary>
/// The state as records. Durable ones hold everything the replica promised (votes, certificates, its view, accepted
/// bodies, its clients' transactions) and are written before the effects are carried out; others' votes and
/// what the network will send again are only in <see cref="Save"/>.
/// </summary>
public sealed partial class Replica
{
    private const byte CoreKey = (byte)'c';
    private const byte EpochKey = (byte)'e';
    private const byte ChangeKey = (byte)'v';
    private const byte SlotKey = (byte)'s';
    private const byte OwnKey = (byte)'k';
    private const byte BodyKey = (byte)'b';
    private const byte RequestKey = (byte)'q';
    private const byte VolatileKey = (byte)'x';

    private readonly SortedSet<ulong> _dirtySlots = [];
    private readonly List<ulong> _removedSlots = [];
    private readonly List<Hash256> _dirtyBodies = [];
    private readonly HashSet<ulong> _savedOwn = [];
    private bool _dirtyCore = true;
    private bool _dirtyChange = true;
    private ulong _savedEpoch = ulong.MaxValue;

    private void Touch(Slot slot) => _dirtySlots.Add(slot.Sequence);

    private void KeepBody(Batch batch)
    {
        if (_bodies.TryAdd(batch.Digest, batch))
        {
            _dirtyBodies.Add(batch.Digest);
        }
    }

    private void ForgetBody(in Hash256 digest)
    {
        if (_bodies.Remove(digest))
        {
            _dirtyBodies.Add(digest);
        }
    }

    private void ForgetBodiesOf(Slot slot)
    {
        foreach (var digest in _bodies.Where(body => body.Value.Sequence == slot.Sequence)
            .Select(body => body.Key).ToList())
        {
            ForgetBody(digest);
        }
    }

    /// <summary>The durable records that changed since the last call, in a fixed order. Empty where none did.</summary>
    public IReadOnlyList<RecordChange> TakeChanges()
    {
        var changes = new List<RecordChange>();
        if (_dirtyCore)
        {
            changes.Add(new RecordChange([CoreKey], Written(WriteCore)));
        }

        if (_savedEpoch != _epoch.Number)
        {
            changes.Add(new RecordChange([EpochKey], Written(WriteEpochs)));
        }

        if (_dirtyChange && !_rules.LostDurableState)
        {
            changes.Add(new RecordChange([ChangeKey], Written(WriteOwnChange)));
        }

        foreach (var sequence in _removedSlots)
        {
            changes.Add(new RecordChange(Key(SlotKey, sequence), null));
            if (_savedOwn.Remove(sequence))
            {
                changes.Add(new RecordChange(Key(OwnKey, sequence), null));
            }
        }

        foreach (var sequence in _dirtySlots)
        {
            if (_slots.TryGetValue(sequence, out var slot) && (!_rules.LostDurableState || slot.Decided is not null))
            {
                changes.Add(new RecordChange(Key(SlotKey, sequence), Written(writer => WriteSlot(writer, slot))));
            }
        }

        TakeOwnAndBodies(changes);
        (_dirtyCore, _dirtyChange, _savedEpoch) = (false, false, _epoch.Number);
        _removedSlots.Clear();
        _dirtySlots.Clear();
        _dirtyBodies.Clear();
        _pool.Changed.Clear();
        return changes;
    }

    private void TakeOwnAndBodies(List<RecordChange> changes)
    {
        foreach (var (sequence, own) in _own)
        {
            if (_savedOwn.Add(sequence))
            {
                changes.Add(new RecordChange(Key(OwnKey, sequence), MessageCodec.Encode(own)));
            }
        }

        foreach (var digest in _dirtyBodies)
        {
            changes.Add(new RecordChange(
                Key(BodyKey, digest), _bodies.TryGetValue(digest, out var body) ? Written(body.Write) : null));
        }

        foreach (var hash in _pool.Changed)
        {
            changes.Add(new RecordChange(Key(RequestKey, hash), _pool.Find(hash)?.Transaction));
        }
    }

    private void WriteSlot(RlpWriter writer, Slot slot) =>
        slot.Write(writer, slot.Proposal is not null && _bodies.ContainsKey(slot.Proposal.Digest));

    /// <summary>
    /// The whole state, volatile parts included: <see cref="Load"/> answers a replica that behaves the same.
    /// </summary>
    public byte[] Save()
    {
        var records = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        void Put(byte[] key, byte[] value) => records[Convert.ToHexString(key)] = value;
        Put([CoreKey], Written(WriteCore));
        Put([EpochKey], Written(WriteEpochs));
        Put([ChangeKey], Written(WriteOwnChange));
        foreach (var slot in _slots.Values)
        {
            Put(Key(SlotKey, slot.Sequence), Written(writer => WriteSlot(writer, slot)));
        }

        foreach (var (sequence, own) in _own)
        {
            Put(Key(OwnKey, sequence), MessageCodec.Encode(own));
        }

        foreach (var (digest, body) in _bodies)
        {
            Put(Key(BodyKey, digest), Written(body.Write));
        }

        Put([VolatileKey], Written(WriteVolatile));
        var writer = new RlpWriter(4096);
        var list = writer.BeginList();
        foreach (var (key, value) in records)
        {
            writer.WriteBytes(Convert.FromHexString(key));
            writer.WriteBytes(value);
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>The replica that <see cref="Save"/> wrote.</summary>
    /// <exception cref="RlpException">Bytes that Save did not write.</exception>
    public static Replica Load(ReplicaContext context, ReadOnlySpan<byte> saved)
    {
        var reader = new RlpReader(saved);
        var list = reader.ReadList();
        reader.RequireEnd();
        var records = new List<KeyValuePair<byte[], byte[]>>();
        while (!list.AtEnd)
        {
            records.Add(new(list.ReadBytes().ToArray(), list.ReadBytes().ToArray()));
        }

        return FromRecords(context, records);
    }

    /// <summary>
    /// The replica of the durable records that <see cref="TakeChanges"/> wrote; at the genesis if none.
    /// </summary>
    /// <exception cref="RlpException">Records that were not written so, or not completely.</exception>
    public static Replica FromRecords(ReplicaContext context, IEnumerable<KeyValuePair<byte[], byte[]>> records)
    {
        var replica = new Replica(context);
        var byKind = records.ToLookup(record => record.Key[0]);
        if (!byKind.Contains(CoreKey))
        {
            return replica;
        }

        replica.ReadEpochs(byKind[EpochKey].Single().Value);
        replica.ReadCore(byKind[CoreKey].Single().Value);
        foreach (var (_, value) in byKind[ChangeKey])
        {
            replica.ReadOwnChange(value);
        }

        foreach (var (_, value) in byKind[BodyKey])
        {
            var reader = new RlpReader(value);
            var body = Batch.Read(ref reader);
            replica._bodies.Add(body.Digest, body);
        }

        foreach (var (_, value) in byKind[SlotKey])
        {
            var reader = new RlpReader(value);
            var slot = Slot.Read(ref reader, replica._epoch.Validators.Count, replica._bodies);
            replica._slots.Add(slot.Sequence, slot);
        }

        foreach (var (_, value) in byKind[OwnKey])
        {
            if (MessageCodec.TryDecode(value, out var message) && message is Checkpoint own)
            {
                replica._own.Add(own.Statement.Sequence, own);
                replica._savedOwn.Add(own.Statement.Sequence);
            }
        }

        replica.RestoreRequests(byKind);
        (replica._dirtyCore, replica._dirtyChange, replica._savedEpoch) = (false, false, replica._epoch.Number);
        replica._pool.Changed.Clear();
        replica._dirtySlots.Clear();
        replica._dirtyBodies.Clear();
        return replica;
    }

    /// <summary>Tells a replica that was restored from durable records what was ordered lately, oldest first.</summary>
    public void RememberOrdered(IReadOnlyList<Hash256> hashes)
    {
        foreach (var hash in hashes)
        {
            _pool.Ordered(hash);
        }
    }

    private void RestoreRequests(ILookup<byte, KeyValuePair<byte[], byte[]>> byKind)
    {
        foreach (var (_, own) in _own)
        {
            if (IsValidator && _epoch.Contains(own.Statement.Sequence))
            {
                Votes(own.Statement.Sequence)[_self] = own;
            }
        }

        if (byKind.Contains(VolatileKey))
        {
            ReadVolatile(byKind[VolatileKey].Single().Value);
        }

        foreach (var (_, value) in byKind[RequestKey])
        {
            _pool.Restore(value, Address, local: true, _now, waiting: true);
        }

        foreach (var slot in _slots.Values)
        {
            if (slot.Proposal is not null && slot.Hashes is not null && !_bodies.ContainsKey(slot.Proposal.Digest))
            {
                Assemble(slot);
            }

            foreach (var hash in slot.View == _view && slot.Proposal is not null ? slot.Hashes ?? [] : [])
            {
                _pool.MarkProposed(hash);
            }
        }
    }

    private static byte[] Written(Action<RlpWriter> write)
    {
        var writer = new RlpWriter(256);
        write(writer);
        return writer.ToArray();
    }

    private static byte[] Key(byte kind, ulong sequence)
    {
        var key = new byte[9];
        key[0] = kind;
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1), sequence);
        return key;
    }

    private static byte[] Key(byte kind, in Hash256 hash) => [kind, .. hash.Bytes];
}
