using System.Collections.Concurrent;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Nodes;

/// <summary>What a simulated transaction gave.</summary>
/// <param name="Error">Why it could not begin; None where it was executed.</param>
/// <param name="Status">How it ended.</param>
/// <param name="GasUsed">Gas charged, refunds taken off.</param>
/// <param name="GasRefunded">Gas that refunds gave back.</param>
/// <param name="Output">Return or revert data; the array is the caller's.</param>
internal readonly record struct CallOutcome(
    TransactionError Error, ExecutionStatus Status, ulong GasUsed, ulong GasRefunded, byte[] Output)
{
    /// <summary>It was ended because it took too long.</summary>
    internal bool TimedOut { get; init; }

    internal bool Succeeded => !TimedOut && Error == TransactionError.None && Status == ExecutionStatus.Success;
}

/// <summary>Runs transactions that change nothing: for eth_call, estimates and access lists.</summary>
/// <remarks>
/// Engines are kept for reuse, one for each call at a time; safe for concurrent use. A request has a time for all
/// of its executions together (<see cref="Begin"/>): a timer stops the engine at its next jump back.
/// </remarks>
internal sealed class CallRunner(Func<IExecutionEngine> newEngine, TimeProvider clock, TimeSpan timeout)
{
    private static readonly int KeptWorkers = Environment.ProcessorCount;

    private readonly ConcurrentBag<Worker> _workers = [];
    private FreeContext? _free;
    private long _timedOut;

    /// <summary>How long one request may execute; zero for no limit.</summary>
    internal TimeSpan Timeout => timeout;

    /// <summary>An engine for who keeps it.</summary>
    internal IExecutionEngine NewEngine() => newEngine();

    /// <summary>Stops an engine when its time is over.</summary>
    internal CallWatch Watch(EvmEngine engine) => new(engine, clock);

    /// <summary>Executions that were stopped.</summary>
    internal long TimedOut => Interlocked.Read(ref _timedOut);

    /// <summary>The time from which on a request that begins now has executed long enough.</summary>
    internal CallDeadline Begin() => timeout == TimeSpan.Zero
        ? CallDeadline.None
        : new CallDeadline(clock.GetTimestamp() + (long)(timeout.TotalSeconds * clock.TimestampFrequency));

    /// <summary>
    /// Executes with any nonce and signature. Funds are checked where the transaction has a gas price; the gas limit
    /// may be above the block's and the cap of EIP-7825.
    /// </summary>
    /// <param name="transaction">The call.</param>
    /// <param name="block">The block it runs in.</param>
    /// <param name="state">The state it runs on.</param>
    /// <param name="deadline">When the request has executed long enough.</param>
    /// <param name="prepare">Sets the engine up, which then is one of its own.</param>
    /// <param name="executed">Looks at the world after an execution that came to its end.</param>
    internal CallOutcome Run(
        Transaction transaction, BlockContext block, IStateReader state, in CallDeadline deadline,
        Action<IExecutionEngine>? prepare = null, Action<WorldState>? executed = null)
    {
        if (transaction.GasLimit < IntrinsicGas.Of(transaction, block.Rules).Minimum)
        {
            return new CallOutcome(TransactionError.IntrinsicGasTooLow, default, 0, 0, []);
        }

        if (transaction.MaxFeePerGas < transaction.MaxPriorityFeePerGas)
        {
            return new CallOutcome(TransactionError.PriorityFeeAboveFeeCap, default, 0, 0, []);
        }

        if (!transaction.MaxFeePerGas.IsZero)
        {
            var error = CheckFees(transaction, block, state);
            if (error != TransactionError.None)
            {
                return new CallOutcome(error, default, 0, 0, []);
            }
        }

        var worker = prepare is null && _workers.TryTake(out var idle) ? idle : new Worker(newEngine(), clock);
        prepare?.Invoke(worker.Engine);
        var outcome = worker.Run(transaction, WithoutFees(transaction, block), state, deadline, executed);
        if (outcome.TimedOut)
        {
            Interlocked.Increment(ref _timedOut);
        }

        if (prepare is null && _workers.Count < KeptWorkers)
        {
            _workers.Add(worker);
        }
        else
        {
            worker.Dispose();
        }

        return outcome;
    }

    private static TransactionError CheckFees(Transaction transaction, BlockContext block, IStateReader state)
    {
        if (block.Rules.Eip1559 && transaction.MaxFeePerGas < block.BaseFee)
        {
            return TransactionError.FeeCapBelowBaseFee;
        }

        state.ReadAccount(transaction.Sender!.Value, out var sender);
        return TransactionProcessor.TryMaximumCost(transaction, out var cost) && cost <= sender.Balance
            ? TransactionError.None
            : TransactionError.InsufficientFunds;
    }

    /// <summary>
    /// A call without a gas price sees no base fee, so that a fee cap is never below it (as geth has it).
    /// </summary>
    private BlockContext WithoutFees(Transaction transaction, BlockContext block)
    {
        if (!transaction.MaxFeePerGas.IsZero || block.BaseFee.IsZero)
        {
            return block;
        }

        if (!transaction.MaxFeePerBlobGas.IsZero)
        {
            return WithoutFees(block, block.BlobBaseFee);
        }

        if (Volatile.Read(ref _free) is { } known && ReferenceEquals(known.Block, block))
        {
            return known.Free;
        }

        var free = WithoutFees(block, UInt256.Zero);
        Volatile.Write(ref _free, new FreeContext(block, free));
        return free;
    }

    private static BlockContext WithoutFees(BlockContext block, in UInt256 blobBaseFee) => new()
    {
        Rules = block.Rules,
        ChainId = block.ChainId,
        Number = block.Number,
        Timestamp = block.Timestamp,
        Coinbase = block.Coinbase,
        GasLimit = block.GasLimit,
        BaseFee = UInt256.Zero,
        Difficulty = block.Difficulty,
        BlobBaseFee = blobBaseFee,
        ExcessBlobGas = block.ExcessBlobGas,
        BlockHashes = block.BlockHashes,
    };

    /// <summary>A block's context and the same without fees.</summary>
    private sealed record FreeContext(BlockContext Block, BlockContext Free);

    private sealed class Worker(IExecutionEngine engine, TimeProvider clock) : IDisposable
    {
        private readonly TransactionProcessor _processor = new(engine);
        private readonly WorldState _world = new();
        private readonly CallWatch _watch = new(engine as EvmEngine, clock);

        internal IExecutionEngine Engine => engine;

        public void Dispose() => _watch.Dispose();

        internal CallOutcome Run(
            Transaction transaction, BlockContext block, IStateReader state, in CallDeadline deadline,
            Action<WorldState>? executed)
        {
            _world.Reset(state, block.Rules);
            using var watched = _watch.Begin(deadline);
            var outcome = _processor.Execute(
                transaction, block, _world, ulong.MaxValue,
                ProcessingOptions.Simulate | ProcessingOptions.SkipStatelessChecks);
            if (outcome.IsSuspended)
            {
                if (_watch.HasStopped)
                {
                    return new CallOutcome(TransactionError.None, outcome.Status, 0, 0, []) { TimedOut = true };
                }

                throw new InvalidOperationException("A local state has all its keys.");
            }

            if (outcome.Error == TransactionError.None)
            {
                executed?.Invoke(_world);
            }

            return new CallOutcome(
                outcome.Error, outcome.Status, outcome.GasUsed, outcome.GasRefunded, outcome.Output.ToArray());
        }
    }
}
