using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>What happened to a replica as bytes, so that another worker can go the same steps.</summary>
/// <remarks>
/// <code>
///   RLP [kind, clock, …]   1 started                     2 message: sender, message
///                          3 transactions: [bytes…]      4 time-out: timer, generation
///                          5 executed: sequence, block, [next set or nothing]
///                          6 snapshot: sequence, whether it is installed
/// </code>
/// </remarks>
internal static class ReplicaEventCodec
{
    internal static void Write(RlpWriter writer, ReplicaEvent happened)
    {
        var list = writer.BeginList();
        switch (happened)
        {
            case Started:
                Head(writer, 1, happened);
                break;
            case MessageArrived e:
                Head(writer, 2, happened);
                writer.WriteAddress(e.From);
                writer.WriteBytes(MessageCodec.Encode(e.Message));
                break;
            case RequestsSubmitted e:
                Head(writer, 3, happened);
                var transactions = writer.BeginList();
                foreach (var transaction in e.Transactions)
                {
                    writer.WriteBytes(transaction);
                }

                writer.EndList(transactions);
                break;
            case TimerExpired e:
                Head(writer, 4, happened);
                writer.WriteUInt64((ulong)e.Timer);
                writer.WriteUInt64(e.Generation);
                break;
            case BatchExecuted e:
                Head(writer, 5, happened);
                writer.WriteUInt64(e.Sequence);
                writer.WriteHash256(e.BlockHash);
                var next = writer.BeginList();
                e.NextValidators?.Write(writer);
                writer.EndList(next);
                break;
            case SnapshotInstalled e:
                Head(writer, 6, happened);
                writer.WriteUInt64(e.Sequence);
                Rlp.WriteFlag(writer, e.Success);
                break;
            default:
                throw new ArgumentException($"{happened.GetType().Name} is no event that is kept.", nameof(happened));
        }

        writer.EndList(list);
    }

    /// <exception cref="RlpException">Bytes that <see cref="Write"/> did not write.</exception>
    internal static ReplicaEvent Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var (kind, now) = (list.ReadUInt64(), (long)list.ReadUInt64());
        return kind switch
        {
            1 => new Started(now),
            2 => ReadMessage(ref list, now),
            3 => new RequestsSubmitted(now, ReadTransactions(ref list)),
            4 => new TimerExpired(now, (TimerKind)list.ReadUInt64(), list.ReadUInt64()),
            5 => new BatchExecuted(now, list.ReadUInt64(), list.ReadHash256(), ReadSet(ref list)),
            6 => new SnapshotInstalled(now, list.ReadUInt64(), Rlp.ReadFlag(ref list)),
            _ => throw new RlpException("An event is of an unknown kind."),
        };
    }

    private static void Head(RlpWriter writer, ulong kind, ReplicaEvent happened)
    {
        writer.WriteUInt64(kind);
        writer.WriteUInt64((ulong)happened.NowMs);
    }

    private static MessageArrived ReadMessage(ref RlpReader list, long now)
    {
        var from = list.ReadAddress();
        return MessageCodec.TryDecode(list.ReadBytes(), out var message)
            ? new MessageArrived(now, from, message)
            : throw new RlpException("A kept message is malformed.");
    }

    private static List<byte[]> ReadTransactions(ref RlpReader list)
    {
        var inner = list.ReadList();
        var transactions = new List<byte[]>();
        while (!inner.AtEnd)
        {
            transactions.Add(inner.ReadBytes().ToArray());
        }

        return transactions;
    }

    private static ValidatorSet? ReadSet(ref RlpReader list)
    {
        var inner = list.ReadList();
        return inner.AtEnd ? null : ValidatorSet.Read(ref inner);
    }
}
