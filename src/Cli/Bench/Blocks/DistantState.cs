using System.Collections.Concurrent;
using System.Diagnostics;
using SuperVm.Core.Execution;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Cli.Bench.Blocks;

/// <summary>A cache that is empty at first, before a database that answers each fetch after a while.</summary>
/// <remarks>Accounts, slots and code are all cold; a fetch of more than 100 keys is refused.</remarks>
internal sealed class DistantState(MemoryState database, TimeSpan latency) : IStateReader, IStateLoader
{
    private const int MostKeys = 100;

    private readonly ConcurrentDictionary<MissingKey, byte> _loaded = new();
    private int _fetches, _keys;

    /// <summary>Round trips so far.</summary>
    internal int Fetches => _fetches;

    /// <summary>Keys that they brought.</summary>
    internal int Keys => _keys;

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        account = default;
        return _loaded.ContainsKey(new MissingKey(MissingKind.Account, address, default, default))
            ? database.ReadAccount(address, out account)
            : ReadStatus.NotLoaded;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        return _loaded.ContainsKey(new MissingKey(MissingKind.Slot, address, slot, default))
            ? database.ReadSlot(address, slot, out value)
            : ReadStatus.NotLoaded;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
    {
        code = null;
        return _loaded.ContainsKey(new MissingKey(MissingKind.Code, default, default, codeHash))
            ? database.ReadCode(codeHash, out code)
            : ReadStatus.NotLoaded;
    }

    public void Load(IReadOnlyList<MissingKey> keys)
    {
        if (keys.Count is 0 or > MostKeys)
        {
            throw new InvalidOperationException($"A fetch of {keys.Count} keys.");
        }

        var started = Stopwatch.GetTimestamp();
        Thread.Sleep(latency.TotalMilliseconds >= 1 ? latency : TimeSpan.Zero);
        while (Stopwatch.GetElapsedTime(started) < latency)
        {
            Thread.SpinWait(20);
        }

        Interlocked.Increment(ref _fetches);
        Interlocked.Add(ref _keys, keys.Count);
        foreach (var key in keys)
        {
            // Code is the same wherever it stands.
            _loaded[key.Kind == MissingKind.Code ? key with { Address = default } : key] = 0;
        }
    }
}
