using System.Threading.Channels;
using SuperVm.Core.Node;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage;

/// <summary>
/// Makes a checkpoint every so many blocks while a chain grows, beside the thread that commits blocks.
/// </summary>
/// <remarks>
/// A checkpoint takes from milliseconds to a second. It is named after the head at its beginning, and holds that block
/// or one that was committed while it was made: a whole block in either case. Where blocks come faster than checkpoints
/// are made, one waits and the others are left out. A failure is logged, and the next is tried.
/// </remarks>
public sealed class PeriodicCheckpoints : IDisposable
{
    /// <summary>The folder of a store's checkpoints, within the store's directory.</summary>
    public const string FolderName = "checkpoints";

    private readonly Channel<bool> _due = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly CheckpointManager _manager;
    private readonly Func<ulong> _head;
    private readonly ulong _interval;
    private readonly Action<string> _log;
    private readonly Task _worker;
    private IChain? _chain;

    /// <param name="head">The newest block's number.</param>
    internal PeriodicCheckpoints(CheckpointManager manager, Func<ulong> head, ulong interval, Action<string> log)
    {
        ArgumentOutOfRangeException.ThrowIfZero(interval);
        (_manager, _head, _interval, _log) = (manager, head, interval, log);
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
        var checkpoints = new PeriodicCheckpoints(manager, () => chain.Head.Number, interval, log) { _chain = chain };
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
            _due.Writer.TryWrite(true);
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
        await foreach (var _ in _due.Reader.ReadAllAsync())
        {
            var number = _head();
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
