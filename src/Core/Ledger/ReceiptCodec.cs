using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Bytes of receipts: the consensus form under the receipts root, and the form that is stored.</summary>
/// <remarks>
/// <code>
///   consensus  type? | rlp([status or root, cumulativeGas, bloom, logs])             Yellow Paper 4.3.1, EIP-658, 2718
///   stored     rlp([type, status or root, cumulativeGas, gasUsed, created, logs])    the bloom is worked out anew
///   log        [address, [topic…], data]
/// </code>
/// </remarks>
public static class ReceiptCodec
{
    private const int MaximumTopics = 4;

    /// <summary>The consensus form: an item of the receipts trie.</summary>
    public static byte[] Encode(Receipt receipt)
    {
        var writer = new RlpWriter(400);
        if (receipt.Type != TransactionType.Legacy)
        {
            writer.WriteRaw([(byte)receipt.Type]);
        }

        var list = writer.BeginList();
        WriteOutcome(writer, receipt);
        writer.WriteUInt64(receipt.CumulativeGasUsed);
        writer.WriteBytes(receipt.LogsBloom.Bytes);
        WriteLogs(writer, receipt.Logs);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>Reads the consensus form; gas used and the created address stay unset.</summary>
    public static Decoded<Receipt> Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return ReadConsensus(bytes);
        }
        catch (RlpException refusal)
        {
            return Decoded<Receipt>.Refused(refusal.Message);
        }
    }

    /// <summary>The receipts of a block as a store keeps them.</summary>
    public static byte[] EncodeForStorage(IReadOnlyList<Receipt> receipts)
    {
        var writer = new RlpWriter(1024);
        var all = writer.BeginList();
        foreach (var receipt in receipts)
        {
            var list = writer.BeginList();
            writer.WriteUInt64((byte)receipt.Type);
            WriteOutcome(writer, receipt);
            writer.WriteUInt64(receipt.CumulativeGasUsed);
            writer.WriteUInt64(receipt.GasUsed);
            writer.WriteOptionalAddress(receipt.ContractAddress);
            WriteLogs(writer, receipt.Logs);
            writer.EndList(list);
        }

        writer.EndList(all);
        return writer.ToArray();
    }

    public static Decoded<IReadOnlyList<Receipt>> DecodeFromStorage(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new RlpReader(bytes);
            var items = reader.ReadList();
            reader.RequireEnd();
            var receipts = new List<Receipt>();
            while (!items.AtEnd)
            {
                receipts.Add(ReadStored(ref items));
            }

            return receipts;
        }
        catch (RlpException refusal)
        {
            return Decoded<IReadOnlyList<Receipt>>.Refused(refusal.Message);
        }
    }

    /// <summary>RLP of logs as a list: what state tests take the logs hash of.</summary>
    public static byte[] EncodeLogs(IReadOnlyList<Log> logs)
    {
        var writer = new RlpWriter(256);
        WriteLogs(writer, logs);
        return writer.ToArray();
    }

    private static Receipt ReadConsensus(ReadOnlySpan<byte> bytes)
    {
        var type = TransactionType.Legacy;
        if (!bytes.IsEmpty && bytes[0] < 0xC0)
        {
            type = TypeOf(bytes[0]);
            bytes = bytes[1..];
        }

        var reader = new RlpReader(bytes);
        var fields = reader.ReadList();
        reader.RequireEnd();
        var (succeeded, postState) = ReadOutcome(ref fields);
        var cumulative = fields.ReadUInt64();
        var bloom = fields.ReadBytes();
        if (bloom.Length != Bloom.Size)
        {
            throw new RlpException("A logs bloom has 256 bytes.");
        }

        var receipt = new Receipt
        {
            Type = type,
            Succeeded = succeeded,
            PostState = postState,
            CumulativeGasUsed = cumulative,
            LogsBloom = new Bloom(bloom),
            Logs = ReadLogs(ref fields),
        };
        fields.RequireEnd();
        return receipt;
    }

    private static Receipt ReadStored(ref RlpReader items)
    {
        var fields = items.ReadList();
        var type = fields.ReadUInt64();
        var (succeeded, postState) = ReadOutcome(ref fields);
        var receipt = new Receipt
        {
            Type = type == 0 ? TransactionType.Legacy : TypeOf(type),
            Succeeded = succeeded,
            PostState = postState,
            CumulativeGasUsed = fields.ReadUInt64(),
            GasUsed = fields.ReadUInt64(),
            ContractAddress = fields.ReadOptionalAddress(),
            Logs = ReadLogs(ref fields),
        };
        fields.RequireEnd();
        return receipt with { LogsBloom = Bloom.Of(receipt.Logs) };
    }

    private static TransactionType TypeOf(ulong number) =>
        number is >= (byte)TransactionType.AccessList and <= (byte)TransactionType.SetCode
            ? (TransactionType)number
            : throw new RlpException("A receipt of a type that is not known.");

    private static void WriteOutcome(RlpWriter writer, Receipt receipt)
    {
        if (receipt.PostState is { } root)
        {
            writer.WriteHash256(root);
        }
        else
        {
            writer.WriteUInt64(receipt.Succeeded ? 1UL : 0);
        }
    }

    private static (bool Succeeded, Hash256? PostState) ReadOutcome(ref RlpReader fields)
    {
        var bytes = fields.ReadBytes();
        return bytes.Length switch
        {
            0 => (false, null),
            1 when bytes[0] == 1 => (true, null),
            Hash256.Size => (false, new Hash256(bytes)),
            _ => throw new RlpException("A receipt has neither a status nor a state root."),
        };
    }

    private static void WriteLogs(RlpWriter writer, IReadOnlyList<Log> logs)
    {
        var list = writer.BeginList();
        foreach (var log in logs)
        {
            var item = writer.BeginList();
            writer.WriteAddress(log.Address);
            var topics = writer.BeginList();
            foreach (var topic in log.Topics)
            {
                writer.WriteHash256(topic);
            }

            writer.EndList(topics);
            writer.WriteBytes(log.Data);
            writer.EndList(item);
        }

        writer.EndList(list);
    }

    private static List<Log> ReadLogs(ref RlpReader fields)
    {
        var list = fields.ReadList();
        var logs = new List<Log>();
        while (!list.AtEnd)
        {
            var item = list.ReadList();
            var address = item.ReadAddress();
            var topicItems = item.ReadList();
            var topics = new List<Hash256>(MaximumTopics);
            while (!topicItems.AtEnd)
            {
                topics.Add(topicItems.ReadHash256());
            }

            if (topics.Count > MaximumTopics)
            {
                throw new RlpException("A log has at most four topics.");
            }

            logs.Add(new Log(address, [.. topics], item.ReadBytes().ToArray()));
            item.RequireEnd();
        }

        return logs;
    }
}
