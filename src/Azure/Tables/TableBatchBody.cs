using System.Globalization;
using System.Text;

namespace SuperVm.Azure.Tables;

/// <summary>An entity group transaction: a multipart body with one change set (OData 3, "Batch Processing").</summary>
internal static class TableBatchBody
{
    internal const string Boundary = "batch_supervm";
    private const string ChangeSet = "changeset_supervm";

    internal static byte[] Write(string tableUrl, IReadOnlyList<TableOperation> operations)
    {
        var text = new StringBuilder();
        Line(text, $"--{Boundary}");
        Line(text, $"Content-Type: multipart/mixed; boundary={ChangeSet}");
        Line(text, "");
        foreach (var (action, row) in operations)
        {
            WriteOperation(text, tableUrl, action, row);
        }

        Line(text, $"--{ChangeSet}--");
        Line(text, $"--{Boundary}--");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>The status and the index of the operation that failed; null where all were done.</summary>
    /// <remarks>A refused change set is answered by one response; its message begins with the index.</remarks>
    internal static (int Status, int Index)? Failure(string answer)
    {
        for (var at = answer.IndexOf("HTTP/1.1 ", StringComparison.Ordinal); at >= 0;
            at = answer.IndexOf("HTTP/1.1 ", at + 1, StringComparison.Ordinal))
        {
            var status = int.Parse(answer.AsSpan(at + 9, 3), CultureInfo.InvariantCulture);
            if (status >= 300)
            {
                return (status, IndexOf(answer, at));
            }
        }

        return null;
    }

    private static int IndexOf(string answer, int from)
    {
        const string Mark = "\"value\":\"";
        var at = answer.IndexOf(Mark, from, StringComparison.Ordinal) + Mark.Length;
        var to = answer.IndexOf(':', at);
        return to > at && int.TryParse(answer.AsSpan(at, to - at), CultureInfo.InvariantCulture, out var index)
            ? index
            : 0;
    }

    private static void WriteOperation(StringBuilder text, string tableUrl, TableAction action, TableRow row)
    {
        var entity = $"{tableUrl}(PartitionKey='{row.Partition}',RowKey='{row.Row}')";
        var (method, url) = action switch
        {
            TableAction.Insert => ("POST", tableUrl),
            TableAction.Delete => ("DELETE", entity),
            _ => ("PUT", entity),
        };
        Line(text, $"--{ChangeSet}");
        Line(text, "Content-Type: application/http");
        Line(text, "Content-Transfer-Encoding: binary");
        Line(text, "");
        Line(text, $"{method} {url} HTTP/1.1");
        Line(text, "Accept: application/json;odata=minimalmetadata");
        Line(text, "DataServiceVersion: 3.0;");
        Line(text, "Prefer: return-no-content");
        if (action is TableAction.Replace or TableAction.Delete)
        {
            Line(text, $"If-Match: {row.ETag ?? "*"}");
        }

        if (action != TableAction.Delete)
        {
            Line(text, "Content-Type: application/json");
            Line(text, "");
            Line(text, Encoding.UTF8.GetString(TableJson.Write(row)));
        }
        else
        {
            Line(text, "");
        }
    }

    private static void Line(StringBuilder text, string line) => text.Append(line).Append("\r\n");
}
