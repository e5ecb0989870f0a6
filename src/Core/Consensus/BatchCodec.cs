using System.Diagnostics.CodeAnalysis;
using SuperVm.Core.Encoding;

namespace SuperVm.Core.Consensus;

/// <summary>A batch as bytes, for whoever keeps or carries batches outside of consensus messages.</summary>
public static class BatchCodec
{
    /// <summary>RLP: header, the transactions' hashes, the transactions.</summary>
    public static byte[] Encode(Batch batch)
    {
        var writer = new RlpWriter(4_096);
        batch.Write(writer);
        return writer.ToArray();
    }

    /// <summary>
    /// False for bytes that are no batch, or whose transactions are not the header's by the inspector's hashes.
    /// </summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> bytes, ITransactionInspector inspector, [NotNullWhen(true)] out Batch? batch)
    {
        batch = null;
        try
        {
            var reader = new RlpReader(bytes);
            var read = Batch.Read(ref reader);
            reader.RequireEnd();
            if (read.IsComplete(inspector))
            {
                batch = read;
            }
        }
        catch (RlpException)
        {
            return false;
        }

        return batch is not null;
    }
}
