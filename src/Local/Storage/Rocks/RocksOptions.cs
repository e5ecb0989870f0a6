namespace SuperVm.Local.Storage.Rocks;

/// <summary>RocksDB's options for a node's store, with their limits; owns the native objects.</summary>
/// <remarks>
/// The founding roadmap's values: write buffer 128 MB, LZ4, Bloom filter of 10 bits a key, block cache 512 MB. Write
/// buffers and cache fill as data comes, so an idle node pays for neither. All columns share one cache and one budget
/// of write buffers.
/// </remarks>
internal sealed unsafe class RocksOptions : IDisposable
{
    private const uint MiB = 1024 * 1024;

    /// <summary>One column's write buffer; a full one is flushed to a sorted file.</summary>
    private const uint WriteBufferBytes = 128 * MiB;

    /// <summary>Full buffers of a column that may wait for their flush before writers slow down.</summary>
    private const int WriteBuffersPerColumn = 3;

    /// <summary>All columns' write buffers together.</summary>
    private const uint AllWriteBuffersBytes = 512 * MiB;

    /// <summary>Bounds what a restart after a crash has to replay.</summary>
    private const uint LogBytes = 256 * MiB;

    private const uint BlockCacheBytes = 512 * MiB;

    private const uint BlockBytes = 16 * 1024;

    private const double BloomBitsPerKey = 10;

    private const int MostBackgroundJobs = 4;

    private const int OpenFiles = 512;

    private const uint InfoLogBytes = 4 * MiB;

    private const uint InfoLogFiles = 2;

    private readonly nint _table = RocksNative.CreateTableOptions();
    private bool _disposed;

    internal RocksOptions(bool createIfMissing)
    {
        RocksNative.SetBlockSize(_table, BlockBytes);
        RocksNative.SetBlockCache(_table, Cache);
        RocksNative.SetFilter(_table, RocksNative.CreateBloomFilter(BloomBitsPerKey)); // the table options own it
        RocksNative.SetCacheIndexAndFilter(_table, 1); // within the cache's limit
        RocksNative.SetPinFirstLevel(_table, 1);

        RocksNative.SetCreateIfMissing(Handle, createIfMissing ? (byte)1 : (byte)0);
        RocksNative.SetCreateMissingColumns(Handle, createIfMissing ? (byte)1 : (byte)0);
        RocksNative.SetWriteBufferSize(Handle, WriteBufferBytes);
        RocksNative.SetWriteBufferCount(Handle, WriteBuffersPerColumn);
        RocksNative.SetTotalWriteBufferSize(Handle, AllWriteBuffersBytes);
        RocksNative.SetTotalLogSize(Handle, LogBytes);
        RocksNative.SetCompression(Handle, RocksNative.Lz4Compression);
        RocksNative.SetBackgroundJobs(Handle, Math.Clamp(Environment.ProcessorCount, 2, MostBackgroundJobs));
        RocksNative.SetOpenFiles(Handle, OpenFiles);
        RocksNative.SetInfoLogLevel(Handle, RocksNative.WarningLogLevel);
        RocksNative.SetInfoLogFiles(Handle, InfoLogFiles);
        RocksNative.SetInfoLogSize(Handle, InfoLogBytes);
        RocksNative.SetStatisticsPeriod(Handle, 0);
        RocksNative.SetTableOptions(Handle, _table);
        RocksNative.SetSync(SyncedWrite, 1);
    }

    internal nint Handle { get; } = RocksNative.CreateOptions();

    internal nint Cache { get; } = RocksNative.CreateCache(BlockCacheBytes);

    internal nint Write { get; } = RocksNative.CreateWriteOptions();

    internal nint SyncedWrite { get; } = RocksNative.CreateWriteOptions();

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        RocksNative.DestroyWriteOptions(SyncedWrite);
        RocksNative.DestroyWriteOptions(Write);
        RocksNative.DestroyOptions(Handle);
        RocksNative.DestroyTableOptions(_table);
        RocksNative.DestroyCache(Cache);
    }
}
