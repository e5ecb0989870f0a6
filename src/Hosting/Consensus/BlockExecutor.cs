using System.Threading.Channels;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>Makes each ordered batch into a block, on a thread of its own, in order.</summary>
/// <remarks>
/// The block follows from the batch: beneficiary, time, prevRandao and gas limit are the batch header's, the extra data
/// is its digest. So a block that exists says which batch it came from, and executing again answers its hash.
/// </remarks>
internal sealed class BlockExecutor : IBatchExecutor, IAsyncDisposable
{
    /// <summary>Batches that wait; the replica waits when there are more.</summary>
    private const int MaximumWaiting = 256;

    private readonly Channel<Batch> _batches = Channel.CreateBounded<Batch>(
        new BoundedChannelOptions(MaximumWaiting) { SingleReader = true });

    private readonly DeferredTransactions _deferred = new();
    private readonly ConsensusView _view;
    private readonly Action _registryChanged;
    private readonly Action<InstallSnapshot> _install;
    private readonly IChain _chain;
    private readonly TransactionPool _pool;
    private readonly TransactionCache _transactions;
    private readonly SubmissionJournal _journal;
    private readonly EventQueue _events;
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;
    private readonly Action<Exception> _fail;
    private Task _running = Task.CompletedTask;

    internal BlockExecutor(
        Nodes.Node node, TransactionCache transactions, SubmissionJournal journal, EventQueue events,
        TimeProvider clock, Action registryChanged, Action<InstallSnapshot> install, Action<Exception> fail)
    {
        (_chain, _pool, _log, _view) = (node.Chain, node.Pool, node.Log, node.Consensus!);
        (_registryChanged, _install) = (registryChanged, install);
        (_transactions, _journal, _events, _clock, _fail) = (transactions, journal, events, clock, fail);
    }

    public void Execute(Batch batch)
    {
        if (!_batches.Writer.TryWrite(batch))
        {
            _batches.Writer.WriteAsync(batch).AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>Left to the snapshot side.</summary>
    public void InstallSnapshot(InstallSnapshot wanted) => _install(wanted);

    internal void Start(ConsensusArchive archive)
    {
        _deferred.Restore(_chain, archive, _transactions);
        _running = Task.Factory.StartNew(Run, TaskCreationOptions.LongRunning);
    }

    /// <summary>Ends the block under way; what waits is executed at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        _batches.Writer.TryComplete();
        while (_batches.Reader.TryRead(out _))
        {
        }

        await _running;
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    private void Run()
    {
        try
        {
            while (_batches.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (_batches.Reader.TryRead(out var batch))
                {
                    if (!IsBelowSnapshot(batch))
                    {
                        var hash = BlockOf(batch);
                        _events.Add(new BatchExecuted(Now, batch.Sequence, hash, NextSetAfter(batch.Sequence)));
                    }
                }
            }
        }
        catch (Exception failure)
        {
            _fail(failure);
        }
    }

    /// <summary>
    /// At the last block of an epoch the set of the next one, as the registry stands after that block; the old set
    /// goes on where nobody is registered.
    /// </summary>
    private ValidatorSet? NextSetAfter(ulong number)
    {
        return ConsensusGenesis.IsBorder(_view.Parameters, number)
            ? ConsensusGenesis.RegisteredAfter(_chain, number) ?? _view.Epoch!.Validators
            : null;
    }

    /// <summary>
    /// Whether a snapshot has been put in place above the batch, and its block never was here: the replica is about to
    /// go on from the snapshot.
    /// </summary>
    private bool IsBelowSnapshot(Batch batch) =>
        batch.Sequence <= _chain.Head.Number && _chain.GetHeader(batch.Sequence) is null;

    private Hash256 BlockOf(Batch batch)
    {
        if (_chain.GetHeader(batch.Sequence) is { } known)
        {
            return known.Header.ExtraData.Span.SequenceEqual(batch.Digest.Bytes)
                ? known.Hash
                : throw new InvalidDataException($"block {batch.Sequence} is not of the batch {batch.Digest}");
        }

        var head = _chain.Head.Number;
        if (batch.Sequence != head + 1)
        {
            throw new InvalidDataException($"batch {batch.Sequence} does not follow block {head}");
        }

        var made = _chain.Produce(AttributesOf(batch), _deferred.CandidatesWith(TransactionsOf(batch)));
        Settle(made);
        _log($"block {made.Block.Number} {made.Block.Hash.ToString()[..10]}… "
            + $"{made.Block.Block.Transactions.Count} tx {made.Block.Header.GasUsed} gas");
        return made.Block.Hash;
    }

    /// <summary>What a batch fixes of its block.</summary>
    internal static BlockAttributes AttributesOf(Batch batch) => new()
    {
        Coinbase = batch.Header.Proposer,
        Timestamp = batch.Header.Timestamp,
        PrevRandao = batch.Header.PrevRandao,
        GasLimit = batch.Header.GasLimit,
        ExtraData = batch.Digest.ToArray(),
    };

    private List<Transaction> TransactionsOf(Batch batch)
    {
        var own = new List<Transaction>(batch.Transactions.Count);
        for (var i = 0; i < batch.Transactions.Count; i++)
        {
            own.Add(_transactions.TryGet(batch.Hashes[i], batch.Transactions[i], out var transaction)
                ? transaction
                : throw new InvalidDataException($"batch {batch.Sequence} holds bytes that are no transaction"));
        }

        return own;
    }

    private void Settle(ProducedBlock made)
    {
        var number = made.Block.Number;
        var state = _chain.StateAt(number).State ?? made.State;
        var dropped = _deferred.Update(number, made.LeftOut, state);
        var invalid = dropped.Where(entry => entry.Transaction.Sender is not null)
            .Select(entry => new InvalidTransaction(entry.Transaction, entry.Error.ToString())).ToList();
        var included = made.Block.Block.Transactions;
        _pool.OnHead(state, included, invalid);
        _journal.Remove(included.Select(transaction => transaction.Hash)
            .Concat(dropped.Select(entry => entry.Transaction.Hash)));
        if (made.Block.Header.LogsBloom.MayContain(ValidatorRegistry.Address.Bytes))
        {
            _registryChanged();
        }
    }
}
