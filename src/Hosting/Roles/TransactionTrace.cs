using System.Text;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Roles;

/// <summary>The log lines that lead from a transaction's hash to its batch and from there to its block.</summary>
/// <remarks>
/// <code>
///   Ingest      supervm.submitted 2 tx 0x… 0x…               who has the hash finds when it was taken
///   Consensus   batch 7 0x… 2 tx 0x… 0x…                     … and the digest of the batch that it is in
///   Execute     supervm.head.moved block 7 0x… 2 tx … batch 0x…   who has the digest finds the block
///               dropped 0x… NonceTooLow block 7 batch 0x…    … or why there is none
/// </code>
/// Many hashes take several lines of the same beginning, each with its own count.
/// </remarks>
internal static class TransactionTrace
{
    /// <summary>Hashes of a line: 4 KiB, far below what a trace of Application Insights holds.</summary>
    internal const int MostHashes = 64;

    /// <summary>Writes the hashes; the first alone where the settings ask for short logs.</summary>
    internal static void Write(RolePorts ports, string beginning, IReadOnlyList<Hash256> hashes)
    {
        if (!ports.LogsTransactions || hashes.Count == 0)
        {
            ports.Log(hashes.Count == 0 ? $"{beginning} 0 tx" : $"{beginning} {hashes.Count} tx {hashes[0]} …");
            return;
        }

        var line = new StringBuilder();
        for (var from = 0; from < hashes.Count; from += MostHashes)
        {
            var count = Math.Min(MostHashes, hashes.Count - from);
            line.Clear().Append(beginning).Append(' ').Append(count).Append(" tx");
            for (var i = from; i < from + count; i++)
            {
                line.Append(' ').Append(hashes[i].ToString());
            }

            ports.Log(line.ToString());
        }
    }
}
