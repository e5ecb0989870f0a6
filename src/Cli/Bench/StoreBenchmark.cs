using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.Cli.Bench;

/// <summary>The key-value store: 32-byte random keys, random values of 100 bytes and 1 KB, one thread.</summary>
/// <remarks>
/// Every value size has a store of its own in a new directory. The runs of the batched writes fill it, each with keys
/// of its own; then it is closed and opened again, so that reads and scans come from files and the block cache.
/// </remarks>
internal sealed class StoreBenchmark : IBenchmark
{
    private const int KeySize = 32;
    private const int BatchSize = 1_000;
    private const int SingleWrites = 50_000;
    private const int SyncedWrites = 200;
    private const int Reads = 100_000;
    private const int BulkReadKeys = 100;
    private const int DistinctValues = 256;
    private const double MB = 1e6;

    private readonly Option<string> _kind = new("--kind")
    {
        Description = "rocksdb, sqlite or memory",
        DefaultValueFactory = _ => "rocksdb",
    };

    private readonly Option<string> _directory = new("--directory")
    {
        Description = "Where the stores are made and removed again",
        DefaultValueFactory = _ => Path.Combine(AppContext.BaseDirectory, "bench"),
    };

    public string Name => "store";

    public string Description => "Key-value store: random reads, single, batched and synced writes, scans";

    public IReadOnlyList<Option> Options => [_kind, _directory];

    public Task RunAsync(BenchContext context)
    {
        var root = Path.Combine(
            context.Options.GetRequiredValue(_directory),
            "store-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        try
        {
            var kind = context.Options.GetRequiredValue(_kind);
            new Session(context, kind, Path.Combine(root, "100b"), "100b", Column.Slots, 100, 200_000).Run();
            new Session(context, kind, Path.Combine(root, "1kb"), "1kb", Column.Blocks, 1000, 50_000).Run();
        }
        finally
        {
            if (Directory.Exists(root))
            {
                Directory.Delete(root, recursive: true);
            }
        }

        return Task.CompletedTask;
    }

    private static IKeyValueStore Open(string kind, string directory) => kind switch
    {
        "rocksdb" => StoreFactory.Open(directory, StoreKind.RocksDb),
        "sqlite" => StoreFactory.Open(directory, StoreKind.Sqlite),
        "memory" => new MemoryKeyValueStore(),
        _ => throw new StoreException($"there is no store '{kind}': rocksdb, sqlite or memory"),
    };

    /// <summary>The measurements of one value size.</summary>
    private sealed class Session(
        BenchContext context,
        string kind,
        string directory,
        string label,
        Column column,
        int valueSize,
        int keysPerRun)
    {
        private readonly byte[][] _values = RandomValues(valueSize);
        private readonly byte[] _key = new byte[KeySize];
        private long _written;

        internal void Run()
        {
            var store = Open(kind, directory);
            try
            {
                Write(store);
                ReportLatency(store, "write");
                if (kind != "memory")
                {
                    store.Dispose();
                    store = Open(kind, directory);
                }

                Read(store);
                ReportLatency(store, "read");
                var ratio = store.Statistics().GetValueOrDefault("compression_ratio", 1);
                context.Report($"compression_ratio_{label}", "x", ratio);
            }
            finally
            {
                store.Dispose();
            }
        }

        /// <summary>Over all calls since the store was opened, batches and synced writes among them.</summary>
        private void ReportLatency(IKeyValueStore store, string kindOfCall)
        {
            foreach (var percentile in (string[])["p50", "p99"])
            {
                if (store.Statistics().TryGetValue($"{kindOfCall}_{percentile}_us", out var microseconds))
                {
                    context.Report($"{kindOfCall}_{percentile}_{label}", "us", microseconds);
                }
            }
        }

        private void Write(IKeyValueStore store)
        {
            context.Measure($"batched_write_{label}", "1/s", keysPerRun, () => WriteBatches(store));
            context.Measure(
                $"single_write_{label}", "1/s", SingleWrites, () => WriteSingly(store, SingleWrites, sync: false));
            if (kind != "memory")
            {
                context.Measure(
                    $"synced_write_{label}", "1/s", SyncedWrites, () => WriteSingly(store, SyncedWrites, sync: true));
            }
        }

        private void Read(IKeyValueStore store)
        {
            var random = new Random(valueSize);
            context.Measure($"random_read_{label}", "1/s", Reads, () => ReadSingly(store, random));
            context.Measure($"bulk_read_{label}", "1/s", Reads, () => ReadInBulk(store, random));
            context.Measure($"absent_read_{label}", "1/s", Reads, () => ReadAbsent(store));
            var bytes = (double)_written * (KeySize + valueSize);
            context.Measure($"scan_{label}", "MB/s", bytes / MB, () => Scan(store));
        }

        private void WriteBatches(IKeyValueStore store)
        {
            using var batch = store.CreateBatch();
            for (var i = 0; i < keysPerRun; i += BatchSize)
            {
                batch.Clear();
                for (var j = 0; j < BatchSize; j++, _written++)
                {
                    FillKey(_key, _written);
                    batch.Put(column, _key, _values[_written % DistinctValues]);
                }

                store.Write(batch);
            }
        }

        private void WriteSingly(IKeyValueStore store, int count, bool sync)
        {
            for (var i = 0; i < count; i++, _written++)
            {
                FillKey(_key, _written);
                store.Put(column, _key, _values[_written % DistinctValues], sync);
            }
        }

        private void ReadSingly(IKeyValueStore store, Random random)
        {
            for (var i = 0; i < Reads; i++)
            {
                FillKey(_key, random.NextInt64(_written));
                Expect(store.Get(column, _key)?.Length == valueSize);
            }
        }

        private void ReadInBulk(IKeyValueStore store, Random random)
        {
            for (var i = 0; i < Reads; i += BulkReadKeys)
            {
                var keys = new byte[BulkReadKeys][];
                for (var j = 0; j < keys.Length; j++)
                {
                    FillKey(keys[j] = new byte[KeySize], random.NextInt64(_written));
                }

                foreach (var value in store.GetMany(column, keys))
                {
                    Expect(value?.Length == valueSize);
                }
            }
        }

        private void ReadAbsent(IKeyValueStore store)
        {
            for (var i = 1; i <= Reads; i++)
            {
                FillKey(_key, -i);
                Expect(store.Get(column, _key) is null);
            }
        }

        private void Scan(IKeyValueStore store)
        {
            using var cursor = store.OpenCursor(column, default);
            long pairs = 0, bytes = 0;
            while (cursor.MoveNext())
            {
                pairs++;
                bytes += cursor.Key.Length + cursor.Value.Length;
            }

            Expect(pairs == _written && bytes == _written * (KeySize + valueSize));
        }

        private static void Expect(bool held)
        {
            if (!held)
            {
                throw new InvalidOperationException("The store answered something else than what was written to it.");
            }
        }

        private static byte[][] RandomValues(int size)
        {
            var random = new Random(1);
            var values = new byte[DistinctValues][];
            for (var i = 0; i < values.Length; i++)
            {
                random.NextBytes(values[i] = new byte[size]);
            }

            return values;
        }

        /// <summary>Keys without any order, from their number (SplitMix64, Steele, Lea, Flood 2014).</summary>
        private static void FillKey(Span<byte> key, long number)
        {
            var state = (ulong)number * 4;
            for (var i = 0; i < KeySize; i += sizeof(ulong))
            {
                var z = ++state * 0x9E3779B97F4A7C15UL;
                z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
                z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
                BinaryPrimitives.WriteUInt64LittleEndian(key[i..], z ^ (z >> 31));
            }
        }
    }
}
