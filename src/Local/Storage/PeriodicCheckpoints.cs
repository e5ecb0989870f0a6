using System.Threading.Channels;
using SuperVm.Core.Node;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage;

/// <summary>
/// Makes a checkpoint every so many blocks while a chain grows, beside the thread that commits blocks.
/// </summary>
/// <remarks>
/// A checkpoint takes up to a second, as write buffers are flushed for it. So it holds the block it is named after, or
/// one that was committed in the meantime: a whole block in either case. Where blocks come faster than checkpoints are
/// made, the newest waits and the others are left out. A failure is logged, and the next is tried.
/// </remarks>
public sealed class PeriodicCheckpoints : IDisposable
{
    /// <summary>The folder of a store's checkpoints, within the store's directory.</summary>
    public const string FolderName = "checkpoints";

    private readonly Channel<ulong> _due = Channel.CreateBounded<ulong>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly CheckpointManager _manager;
    private readonly ulong _interval;
    private readonly Action<string> _log;
    private readonly Task _worker;
    private IChain? _chain;

    internal PeriodicCheckpoints(CheckpointManager manager, ulong interval, Action<string> log)
    {
        ArgumentOutOfRangeException.ThrowIfZero(interval);
        (_manager, _interval, _log) = (manager, interval, log);
        _worker = Task.Run(MakeAsync);
    }

    /// <param name="store">The chain's store; dispose this before it.</param>
    /// <param name="storeDirectory">Where the store lies.</param>
    /// <param name="log">Takes a line for each checkpoint, from another thread.</param>
    /// <param name="interval">A checkpoint at each block whose number it divides; at least 1.</param>
    /// <param name="kept">How many checkpoints stay.</param>
    /// <exception cref="StoreException">The folder of checkpoints cannot be used.</exception>
    public static PeriodicCheckpoints Follow(
        IChain chain,
        IKeyValueStore store,
        string storeDirectory,
        Action<string> log,
        ulong interval = CheckpointManager.DefaultInterval,
        int kept = CheckpointManager.DefaultKept)
    {
        var manager = new CheckpointManager(store, Path.Combine(storeDirectory, FolderName), kept);
        var checkpoints = new PeriodicCheckpoints(manager, interval, log) { _chain = chain };
        chain.HeadChanged += checkpoints.OnHeadChanged;
        return checkpoints;
    }

    /// <summary>Finishes the checkpoint in work, if any.</summary>
    public void Dispose()
    {
        if (_chain is not null)
        {
            _chain.HeadChanged -= OnHeadChanged;
        }

        _due.Writer.TryComplete();
        _worker.GetAwaiter().GetResult();
    }

    internal void OnBlock(ulong number)
    {
        if (number % _interval == 0)
        {
            _due.Writer.TryWrite(number);
        }
    }

    private void OnHeadChanged(HeadChange change)
    {
        foreach (var added in change.Added)
        {
            OnBlock(added.Block.Number);
        }
    }

    private async Task MakeAsync()
    {
        await foreach (var number in _due.Reader.ReadAllAsync())
        {
            try
            {
                _manager.Create(number);
                _log($"checkpoint at block {number}");
            }
            catch (StoreException failure)
            {
                _log($"no checkpoint at block {number}: {failure.Message}");
            }
        }
    }
}
