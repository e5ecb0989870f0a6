namespace SuperVm.Azure;

/// <summary>What the adapters asked of the cloud since they were made; the bill is a product of these.</summary>
public sealed class CloudCounters
{
    private long _queueOperations;
    private long _blobOperations;
    private long _tableRequests;
    private long _documentRequests;
    private long _throttled;
    private long _milliRequestUnits;
    private long _documentBytesRead;
    private long _documentBytesWritten;
    private long _documentWrites;

    /// <summary>Calls to queues: sends, receives (one for up to 32 messages), renewals, completions, counts.</summary>
    public long QueueOperations => Interlocked.Read(ref _queueOperations);

    public long BlobOperations => Interlocked.Read(ref _blobOperations);

    public long TableRequests => Interlocked.Read(ref _tableRequests);

    /// <summary>Requests to the document database, repeated ones included.</summary>
    public long DocumentRequests => Interlocked.Read(ref _documentRequests);

    /// <summary>Those of them that write.</summary>
    public long DocumentWrites => Interlocked.Read(ref _documentWrites);

    /// <summary>Bytes of documents that were read, as they travel.</summary>
    public long DocumentBytesRead => Interlocked.Read(ref _documentBytesRead);

    /// <summary>Bytes of documents that were written, as they travel.</summary>
    public long DocumentBytesWritten => Interlocked.Read(ref _documentBytesWritten);

    /// <summary>Requests that the document database put off (status 429).</summary>
    public long Throttled => Interlocked.Read(ref _throttled);

    /// <summary>Request units that the document database charged.</summary>
    public double RequestUnits => Interlocked.Read(ref _milliRequestUnits) / 1000.0;

    internal void QueueOperation() => Interlocked.Increment(ref _queueOperations);

    internal void BlobOperation() => Interlocked.Increment(ref _blobOperations);

    internal void TableRequest() => Interlocked.Increment(ref _tableRequests);

    internal void DocumentRead(long bytes) => Interlocked.Add(ref _documentBytesRead, bytes);

    internal void DocumentWritten(long bytes)
    {
        Interlocked.Increment(ref _documentWrites);
        Interlocked.Add(ref _documentBytesWritten, bytes);
    }

    internal void DocumentRequest(double units, bool throttled)
    {
        Interlocked.Increment(ref _documentRequests);
        Interlocked.Add(ref _milliRequestUnits, (long)(units * 1000));
        if (throttled)
        {
            Interlocked.Increment(ref _throttled);
        }
    }
}
