namespace SuperVm.Local.Storage;

/// <summary>The stores on disk.</summary>
public enum StoreKind
{
    /// <summary>The native library librocksdb; the default where it is installed.</summary>
    RocksDb,

    /// <summary>Comes with the program; the fallback.</summary>
    Sqlite,
}
