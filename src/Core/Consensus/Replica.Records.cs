using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>The contents of the records that are not slots.</summary>
public sealed partial class Replica
{
    private void WriteCore(RlpWriter writer)
    {
        var list = writer.BeginList();
        writer.WriteUInt64(_view);
        Rlp.WriteFlag(writer, _active);
        writer.WriteUInt64((ulong)_attempts);
        Rlp.WriteFlag(writer, _halted);
        writer.WriteBytes(System.Text.Encoding.UTF8.GetBytes(_haltReason));
        writer.WriteUInt64(_committed);
        _committedHeader.Write(writer);
        writer.WriteUInt64(_executed);
        writer.WriteUInt64(_stable);
        _stableHeader.Write(writer);
        MessageCodec.WriteOptional(writer, _stableCertificate);
        var next = writer.BeginList();
        _nextValidators?.Write(writer);
        writer.EndList(next);
        writer.WriteHash256(_epochBase);
        MessageCodec.WriteOptional(writer, _beyond);
        _skips.Write(writer);
        writer.EndList(list);
    }

    private void ReadCore(byte[] bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        (_view, _active, _attempts) = (list.ReadUInt64(), Rlp.ReadFlag(ref list), (int)list.ReadUInt64());
        _halted = Rlp.ReadFlag(ref list);
        _haltReason = System.Text.Encoding.UTF8.GetString(list.ReadBytes());
        (_committed, _committedHeader) = (list.ReadUInt64(), BatchHeader.Read(ref list));
        (_executed, _stable, _stableHeader) = (list.ReadUInt64(), list.ReadUInt64(), BatchHeader.Read(ref list));
        _stableCertificate = MessageCodec.ReadOptional(ref list);
        var next = list.ReadList();
        _nextValidators = next.AtEnd ? null : ValidatorSet.Read(ref next);
        _epochBase = list.ReadHash256();
        _beyond = MessageCodec.ReadOptional(ref list);
        _skips.Read(ref list);
    }

    private void WriteEpochs(RlpWriter writer)
    {
        var list = writer.BeginList();
        _epoch.Write(writer);
        _previousEpoch?.Write(writer);
        writer.EndList(list);
    }

    private void ReadEpochs(byte[] bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        _epoch = Epoch.Read(ref list);
        _previousEpoch = list.AtEnd ? null : Epoch.Read(ref list);
        _changes = new ViewChange?[_epoch.Validators.Count];
        _reported = new ulong[_epoch.Validators.Count];
        _self = _epoch.Validators.IndexOf(Address);
    }

    private void WriteOwnChange(RlpWriter writer)
    {
        var list = writer.BeginList();
        writer.WriteBytes(IsValidator && _changes[_self] is { } own ? MessageCodec.Encode(own) : []);
        writer.WriteBytes(_newView is null ? [] : MessageCodec.Encode(_newView));
        writer.EndList(list);
    }

    private void ReadOwnChange(byte[] bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        if (MessageCodec.TryDecode(list.ReadBytes(), out var own) && IsValidator)
        {
            _changes[_self] = (ViewChange)own;
        }

        _newView = MessageCodec.TryDecode(list.ReadBytes(), out var view) ? (NewView)view : null;
    }

    private void WriteVolatile(RlpWriter writer)
    {
        var list = writer.BeginList();
        WriteTime(writer, _now);
        WriteTime(writer, _viewSinceMs);
        WriteTime(writer, _progressSinceMs);
        WriteTime(writer, _fetchSentMs);
        writer.WriteUInt64((ulong)_progressDelayMs);
        writer.WriteUInt64((ulong)_fetchTries);
        writer.WriteUInt64((ulong)_resendTurn);
        Rlp.WriteFlag(writer, _progressWanted);
        Rlp.WriteFlag(writer, _batchDue);
        writer.WriteUInt64((ulong)_owedStatuses);
        writer.WriteUInt64((ulong)_statusDelayMs);
        writer.WriteOptionalAddress(_fetchFrom);
        for (var i = 0; i < TimerKinds; i++)
        {
            Rlp.WriteFlag(writer, _armed[i]);
            writer.WriteUInt64(_generations[i]);
        }

        WriteMessages(writer, Unsent(_changes));
        WriteMessages(writer, Unsent(_checkpoints.Values.SelectMany(votes => votes)));
        WriteMessages(writer, _deferred);
        WriteMessages(writer, Unsent([_snapshot]));
        WritePeers(writer);
        WritePool(writer);
        writer.EndList(list);
    }

    private void WritePeers(RlpWriter writer)
    {
        var attested = writer.BeginList();
        foreach (var certificate in _attested.Values)
        {
            certificate.Write(writer);
        }

        writer.EndList(attested);
        WriteNumbers(writer, _reported);
        WriteNumbers(writer, _suspects.Select(validator => (ulong)validator));
        WriteNumbers(writer, _accused.OrderBy(pair => pair).SelectMany(pair =>
            (IEnumerable<ulong>)[pair.Epoch, (ulong)pair.Validator]));
        var peers = writer.BeginList();
        foreach (var (peer, record) in _peerBook.Records)
        {
            writer.WriteAddress(peer);
            writer.WriteUInt64((ulong)record.Score);
            writer.WriteUInt64((ulong)record.Dropped);
            WriteTime(writer, record.MutedUntilMs);
            WriteTime(writer, record.ScoredAtMs);
        }

        writer.EndList(peers);
        var helped = writer.BeginList();
        foreach (var (peer, at) in _helpedMs.OrderBy(pair => pair.Key))
        {
            writer.WriteAddress(peer);
            WriteTime(writer, at);
        }

        writer.EndList(helped);
    }

    private void WritePool(RlpWriter writer)
    {
        var pool = writer.BeginList();
        foreach (var entry in _pool.InOrder())
        {
            writer.WriteBytes(entry.Transaction);
            writer.WriteAddress(entry.Source);
            Rlp.WriteFlag(writer, entry.Local);
            Rlp.WriteFlag(writer, entry.Node is not null);
            WriteTime(writer, entry.ArrivedMs);
        }

        writer.EndList(pool);
        Rlp.WriteHashes(writer, [.. _pool.RecentInOrder()]);
        var fetched = writer.BeginList();
        foreach (var slot in _slots.Values)
        {
            foreach (var (_, body) in (slot.Fetched ?? []).OrderBy(pair => pair.Key))
            {
                writer.WriteUInt64(slot.Sequence);
                writer.WriteBytes(body);
            }
        }

        writer.EndList(fetched);
    }

    private void ReadVolatile(byte[] bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        (_now, _viewSinceMs) = (ReadTime(ref list), ReadTime(ref list));
        (_progressSinceMs, _fetchSentMs) = (ReadTime(ref list), ReadTime(ref list));
        (_progressDelayMs, _fetchTries) = ((int)list.ReadUInt64(), (int)list.ReadUInt64());
        _resendTurn = (int)list.ReadUInt64();
        (_progressWanted, _batchDue) = (Rlp.ReadFlag(ref list), Rlp.ReadFlag(ref list));
        (_owedStatuses, _statusDelayMs) = ((int)list.ReadUInt64(), (int)list.ReadUInt64());
        _fetchFrom = list.ReadOptionalAddress();
        for (var i = 0; i < TimerKinds; i++)
        {
            (_armed[i], _generations[i]) = (Rlp.ReadFlag(ref list), list.ReadUInt64());
        }

        foreach (var (_, message) in ReadMessages(ref list))
        {
            _changes[((ViewChange)message).Validator] = (ViewChange)message;
        }

        foreach (var (_, message) in ReadMessages(ref list))
        {
            Votes(((Checkpoint)message).Statement.Sequence)[((Checkpoint)message).Validator] = (Checkpoint)message;
        }

        foreach (var (from, message) in ReadMessages(ref list))
        {
            _deferred.Add((from, message));
            _deferredBy[from] = _deferredBy.GetValueOrDefault(from) + 1;
        }

        foreach (var (_, message) in ReadMessages(ref list))
        {
            OnSnapshot(Address.Zero, (Snapshot)message);
            _effects.Clear();
        }

        ReadPeers(ref list);
        ReadPool(ref list);
    }

    private void ReadPeers(ref RlpReader list)
    {
        var attested = list.ReadList();
        while (!attested.AtEnd)
        {
            var certificate = CheckpointCertificate.Read(ref attested);
            _attested.Add(certificate.Statement.Sequence, certificate);
        }

        _reported = [.. ReadNumbers(ref list)];
        _suspects.UnionWith(ReadNumbers(ref list).Select(validator => (int)validator));
        var accused = ReadNumbers(ref list);
        for (var i = 0; i < accused.Count; i += 2)
        {
            _accused.Add((accused[i], (int)accused[i + 1]));
        }

        var peers = list.ReadList();
        while (!peers.AtEnd)
        {
            _peerBook.Restore(peers.ReadAddress(), new PeerRecord(
                (int)peers.ReadUInt64(), (long)peers.ReadUInt64(), ReadTime(ref peers), ReadTime(ref peers)));
        }

        var helped = list.ReadList();
        while (!helped.AtEnd)
        {
            _helpedMs.Add(helped.ReadAddress(), ReadTime(ref helped));
        }
    }

    private void ReadPool(ref RlpReader list)
    {
        var pool = list.ReadList();
        while (!pool.AtEnd)
        {
            var transaction = pool.ReadBytes().ToArray();
            var source = pool.ReadAddress();
            var (local, waiting) = (Rlp.ReadFlag(ref pool), Rlp.ReadFlag(ref pool));
            _pool.Restore(transaction, source, local, ReadTime(ref pool), waiting);
        }

        foreach (var hash in Rlp.ReadHashes(ref list))
        {
            _pool.Ordered(hash);
        }

        var fetched = list.ReadList();
        while (!fetched.AtEnd)
        {
            var slot = _slots[fetched.ReadUInt64()];
            var body = fetched.ReadBytes().ToArray();
            if (_context.Inspector.TryInspect(body, out var hash, out _))
            {
                (slot.Fetched ??= [])[hash] = body;
            }
        }
    }

    // Times are signed in memory; on the record they are shifted so that long.MinValue / 2 is zero.
    private static void WriteTime(RlpWriter writer, long time) =>
        writer.WriteUInt64((ulong)(time - (long.MinValue / 2)));

    private static long ReadTime(ref RlpReader reader) => (long)reader.ReadUInt64() + (long.MinValue / 2);

    private static void WriteNumbers(RlpWriter writer, IEnumerable<ulong> numbers)
    {
        var list = writer.BeginList();
        foreach (var number in numbers)
        {
            writer.WriteUInt64(number);
        }

        writer.EndList(list);
    }

    private static List<ulong> ReadNumbers(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var numbers = new List<ulong>();
        while (!list.AtEnd)
        {
            numbers.Add(list.ReadUInt64());
        }

        return numbers;
    }

    private static IEnumerable<(Address From, ConsensusMessage Message)> Unsent(
        IEnumerable<ConsensusMessage?> messages) =>
        messages.Where(message => message is not null).Select(message => (Address.Zero, message!));

    private static void WriteMessages(
        RlpWriter writer, IEnumerable<(Address From, ConsensusMessage Message)> messages)
    {
        var list = writer.BeginList();
        foreach (var (from, message) in messages)
        {
            writer.WriteAddress(from);
            writer.WriteBytes(MessageCodec.Encode(message));
        }

        writer.EndList(list);
    }

    private static List<(Address From, ConsensusMessage Message)> ReadMessages(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var messages = new List<(Address, ConsensusMessage)>();
        while (!list.AtEnd)
        {
            var from = list.ReadAddress();
            if (!MessageCodec.TryDecode(list.ReadBytes(), out var message))
            {
                throw new RlpException("A saved message is malformed.");
            }

            messages.Add((from, message));
        }

        return messages;
    }
}
