using System.Globalization;

namespace SuperVm.Cli.Cloud;

/// <summary>Requests that cost money.</summary>
internal readonly record struct CloudCosts(double Queue, double Blob, double Table, double Document)
{
    /// <summary>Bytes of a kilobyte, as request units count them.</summary>
    private const double Kilobyte = 1_024;

    /// <summary>Those of the document requests that write.</summary>
    internal double DocumentWrites { get; init; }

    /// <summary>Bytes of documents that were read.</summary>
    internal double ReadBytes { get; init; }

    /// <summary>Bytes of documents that were written.</summary>
    internal double WrittenBytes { get; init; }

    /// <summary>Request units as the database charged them; its emulator charges none.</summary>
    internal double Units { get; init; }

    /// <summary>
    /// Request units by the table of Azure's documentation, items not indexed: a point read of 1 KB is 1 unit and of
    /// 100 KB 10, twice that under strong consistency; a write 5 and 50; what is between, in proportion.
    /// </summary>
    internal double EstimatedUnits
    {
        get
        {
            var reads = Document - DocumentWrites;
            return (2 * Between(reads, ReadBytes, 1, 10)) + Between(DocumentWrites, WrittenBytes, 5, 50);
        }
    }

    public static CloudCosts operator +(CloudCosts a, CloudCosts b) =>
        new(a.Queue + b.Queue, a.Blob + b.Blob, a.Table + b.Table, a.Document + b.Document)
        {
            DocumentWrites = a.DocumentWrites + b.DocumentWrites, ReadBytes = a.ReadBytes + b.ReadBytes,
            WrittenBytes = a.WrittenBytes + b.WrittenBytes, Units = a.Units + b.Units,
        };

    public static CloudCosts operator -(CloudCosts a, CloudCosts b) =>
        new(a.Queue - b.Queue, a.Blob - b.Blob, a.Table - b.Table, a.Document - b.Document)
        {
            DocumentWrites = a.DocumentWrites - b.DocumentWrites, ReadBytes = a.ReadBytes - b.ReadBytes,
            WrittenBytes = a.WrittenBytes - b.WrittenBytes, Units = a.Units - b.Units,
        };

    /// <summary>What an app's counters say, as Prometheus text.</summary>
    internal static CloudCosts In(string metrics)
    {
        double Of(string name) => metrics.Split('\n')
            .Where(line => line.StartsWith(name + " ", StringComparison.Ordinal))
            .Select(line => double.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture))
            .FirstOrDefault();
        return new(
            Of("supervm_queue_operations_total"), Of("supervm_blob_operations_total"),
            Of("supervm_table_requests_total"), Of("supervm_document_requests_total"))
        {
            DocumentWrites = Of("supervm_document_writes_total"),
            ReadBytes = Of("supervm_document_read_bytes_total"),
            WrittenBytes = Of("supervm_document_written_bytes_total"),
            Units = Of("supervm_request_units_total"),
        };
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Queue} queue operations, {Blob} blob operations, {Table} table requests, {Document} document requests "
        + $"({EstimatedUnits:F0} request units by size)");

    /// <summary>The smallest item costs one thing and one of 100 KB another.</summary>
    private static double Between(double requests, double bytes, double atOne, double atHundred)
    {
        var aKilobyte = (atHundred - atOne) / 99;
        return (requests * atOne) + (Math.Max(0, (bytes / Kilobyte) - requests) * aKilobyte);
    }
}
