using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace SuperVm.Local.Storage.Rocks;

/// <summary>
/// The part of RocksDB's C API (rocksdb/c.h, 7.8 and newer) that the store uses; every native call is here.
/// </summary>
/// <remarks>
/// Pointers are plain <see cref="nint"/>; who owns which is kept by <see cref="RocksDatabase"/>,
/// <see cref="RocksView"/>, <see cref="RocksCursor"/> and <see cref="RocksBatch"/>. A call with an error pointer leaves
/// it null or sets a message that <see cref="TakeMessage"/> reads and frees. Calls that neither block nor allocate skip
/// the collector's transition.
/// </remarks>
internal static unsafe partial class RocksNative
{
    /// <summary>For the operator whose machine has none.</summary>
    internal const string InstallAdvice =
        "install it (Debian: apt-get install librocksdb7.8, or the librocksdb of the release)";

    internal const int Lz4Compression = 4;

    internal const int WarningLogLevel = 2;

    private const string Library = "rocksdb";

    /// <summary>Sonames differ between releases of distributions.</summary>
    private static readonly string[] FileNames =
    [
        "librocksdb.so.7.8", "librocksdb.so.7.9", "librocksdb.so.7.10", "librocksdb.so.8.9", "librocksdb.so.8.10",
        "librocksdb.so.8.11", "librocksdb.so.9.0", "librocksdb.so.9.10", "librocksdb.so.9.11", "librocksdb.so.10.2",
        "librocksdb.so.8", "librocksdb.so.9", "librocksdb.so.10", "librocksdb.so", "librocksdb.dylib",
    ];

    private static readonly Lazy<nint> Loaded = new(Load);

    static RocksNative() => NativeLibrary.SetDllImportResolver(typeof(RocksNative).Assembly, Resolve);

    /// <summary>Whether this machine has a RocksDB library with every function that is called here.</summary>
    internal static bool IsAvailable => Loaded.Value != 0;

    /// <summary>The message of a failed call, which is freed.</summary>
    internal static string TakeMessage(byte* error)
    {
        var message = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(error));
        Free(error);
        return message;
    }

    /// <summary>A span that can be pinned to a non-null pointer, also where it is empty.</summary>
    internal static ReadOnlySpan<byte> Pinnable(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? "\0"u8[..0] : bytes;

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
        => name == Library ? Loaded.Value : 0;

    private static nint Load()
    {
        foreach (var name in FileNames)
        {
            if (NativeLibrary.TryLoad(name, out var library))
            {
                // The newest function in use stands for all: older releases lack it.
                if (NativeLibrary.TryGetExport(library, "rocksdb_batched_multi_get_cf", out _))
                {
                    return library;
                }

                NativeLibrary.Free(library);
            }
        }

        return 0;
    }

    [LibraryImport(Library, EntryPoint = "rocksdb_free")]
    internal static partial void Free(void* pointer);

    [LibraryImport(Library, EntryPoint = "rocksdb_open_column_families", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint Open(
        nint options, string directory, int columns, nint* names, nint* columnOptions, nint* handles, byte** error);

    [LibraryImport(Library, EntryPoint = "rocksdb_close")]
    internal static partial void Close(nint database);

    [LibraryImport(Library, EntryPoint = "rocksdb_column_family_handle_destroy")]
    internal static partial void DestroyColumn(nint column);

    [LibraryImport(Library, EntryPoint = "rocksdb_property_value_cf", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial byte* Property(nint database, nint column, string name);

    [LibraryImport(Library, EntryPoint = "rocksdb_property_int_cf", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int NumericProperty(nint database, nint column, string name, ulong* value);

    [LibraryImport(Library, EntryPoint = "rocksdb_flush_cf")]
    internal static partial void Flush(nint database, nint flushOptions, nint column, byte** error);

    [LibraryImport(Library, EntryPoint = "rocksdb_flushoptions_create")]
    internal static partial nint CreateFlushOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_flushoptions_destroy")]
    internal static partial void DestroyFlushOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_object_create")]
    internal static partial nint CreateCheckpointObject(nint database, byte** error);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_create", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void CreateCheckpoint(
        nint checkpoint, string directory, ulong logSizeForFlush, byte** error);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_object_destroy")]
    internal static partial void DestroyCheckpointObject(nint checkpoint);

    [LibraryImport(Library, EntryPoint = "rocksdb_create_snapshot")]
    internal static partial nint CreateSnapshot(nint database);

    [LibraryImport(Library, EntryPoint = "rocksdb_release_snapshot")]
    internal static partial void ReleaseSnapshot(nint database, nint snapshot);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_create")]
    internal static partial nint CreateReadOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_destroy")]
    internal static partial void DestroyReadOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_set_snapshot")]
    internal static partial void SetSnapshot(nint readOptions, nint snapshot);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_set_iterate_lower_bound")]
    internal static partial void SetLowerBound(nint readOptions, byte* key, nuint length);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_set_iterate_upper_bound")]
    internal static partial void SetUpperBound(nint readOptions, byte* key, nuint length);

    [LibraryImport(Library, EntryPoint = "rocksdb_get_pinned_cf")]
    internal static partial nint GetPinned(
        nint database, nint readOptions, nint column, byte* key, nuint length, byte** error);

    [LibraryImport(Library, EntryPoint = "rocksdb_batched_multi_get_cf")]
    internal static partial void GetManyPinned(
        nint database,
        nint readOptions,
        nint column,
        nuint count,
        byte** keys,
        nuint* lengths,
        nint* values,
        byte** errors,
        byte sorted);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_value")]
    [SuppressGCTransition]
    internal static partial byte* SliceValue(nint slice, nuint* length);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_destroy")]
    internal static partial void DestroySlice(nint slice);

    [LibraryImport(Library, EntryPoint = "rocksdb_create_iterator_cf")]
    internal static partial nint CreateIterator(nint database, nint readOptions, nint column);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_destroy")]
    internal static partial void DestroyIterator(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_seek_to_first")]
    internal static partial void SeekToFirst(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_seek_to_last")]
    internal static partial void SeekToLast(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_next")]
    internal static partial void Next(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_prev")]
    internal static partial void Previous(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_valid")]
    [SuppressGCTransition]
    internal static partial byte IsValid(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_key")]
    [SuppressGCTransition]
    internal static partial byte* IteratorKey(nint iterator, nuint* length);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_value")]
    [SuppressGCTransition]
    internal static partial byte* IteratorValue(nint iterator, nuint* length);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_get_error")]
    internal static partial void IteratorError(nint iterator, byte** error);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_create")]
    internal static partial nint CreateBatch();

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_destroy")]
    internal static partial void DestroyBatch(nint batch);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_clear")]
    internal static partial void ClearBatch(nint batch);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_put_cf")]
    internal static partial void BatchPut(
        nint batch, nint column, byte* key, nuint keyLength, byte* value, nuint valueLength);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_delete_cf")]
    internal static partial void BatchDelete(nint batch, nint column, byte* key, nuint keyLength);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_delete_range_cf")]
    internal static partial void BatchDeleteRange(
        nint batch, nint column, byte* from, nuint fromLength, byte* to, nuint toLength);

    [LibraryImport(Library, EntryPoint = "rocksdb_write")]
    internal static partial void Write(nint database, nint writeOptions, nint batch, byte** error);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_create")]
    internal static partial nint CreateWriteOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_destroy")]
    internal static partial void DestroyWriteOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_set_sync")]
    internal static partial void SetSync(nint writeOptions, byte sync);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_create")]
    internal static partial nint CreateOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_options_destroy")]
    internal static partial void DestroyOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_create_if_missing")]
    internal static partial void SetCreateIfMissing(nint options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_create_missing_column_families")]
    internal static partial void SetCreateMissingColumns(nint options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_write_buffer_size")]
    internal static partial void SetWriteBufferSize(nint options, nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_write_buffer_number")]
    internal static partial void SetWriteBufferCount(nint options, int count);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_db_write_buffer_size")]
    internal static partial void SetTotalWriteBufferSize(nint options, nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_total_wal_size")]
    internal static partial void SetTotalLogSize(nint options, ulong bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_compression")]
    internal static partial void SetCompression(nint options, int kind);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_background_jobs")]
    internal static partial void SetBackgroundJobs(nint options, int count);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_open_files")]
    internal static partial void SetOpenFiles(nint options, int count);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_info_log_level")]
    internal static partial void SetInfoLogLevel(nint options, int level);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_keep_log_file_num")]
    internal static partial void SetInfoLogFiles(nint options, nuint count);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_log_file_size")]
    internal static partial void SetInfoLogSize(nint options, nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_stats_dump_period_sec")]
    internal static partial void SetStatisticsPeriod(nint options, uint seconds);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_block_based_table_factory")]
    internal static partial void SetTableOptions(nint options, nint tableOptions);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_create")]
    internal static partial nint CreateTableOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_destroy")]
    internal static partial void DestroyTableOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_block_size")]
    internal static partial void SetBlockSize(nint tableOptions, nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_block_cache")]
    internal static partial void SetBlockCache(nint tableOptions, nint cache);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_filter_policy")]
    internal static partial void SetFilter(nint tableOptions, nint filter);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_cache_index_and_filter_blocks")]
    internal static partial void SetCacheIndexAndFilter(nint tableOptions, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache")]
    internal static partial void SetPinFirstLevel(nint tableOptions, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_filterpolicy_create_bloom_full")]
    internal static partial nint CreateBloomFilter(double bitsPerKey);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_create_lru")]
    internal static partial nint CreateCache(nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_destroy")]
    internal static partial void DestroyCache(nint cache);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_get_usage")]
    internal static partial nuint CacheUsage(nint cache);
}
