using SuperVm.Core.Execution;

namespace SuperVm.Core.Parallel;

/// <summary>A run of transfers that several workers carry out together, in two steps.</summary>
/// <remarks>
/// <code>
///   chunks of the run ─▶ read: checks, receipts, moves dealt out to lanes ─┐ all chunks are read
///        lane 0 ◀─ its moves of chunk 0, 1, 2 … in order ◀─────────────────┤
///        lane 1 ◀─ its moves of chunk 0, 1, 2 … in order ◀─────────────────┘
/// </code>
/// Who is free takes the next chunk, then the next lane, so that a worker which wakes up late does less. Whether a
/// transfer holds, its sender's lane finds out from the order it keeps; the earliest that does not ends the run.
/// </remarks>
internal sealed class SharedTransferRun
{
    private readonly BlockInput _input;
    private readonly BlockOutcome _outcome;
    private readonly TransferChunk[] _chunks;
    private readonly TransferLane[] _lanes;
    private readonly TransferReader _reader;
    private readonly TransferReceipts _receipts;
    private readonly int _first, _planned, _chunkCount;
    private int _readEnd, _heldEnd;
    private int _nextChunk, _chunksRead, _nextLane;

    /// <param name="input">The block.</param>
    /// <param name="outcome">What it has given so far.</param>
    /// <param name="first">The run's first transaction.</param>
    /// <param name="planned">Where it ends if all are plain transfers.</param>
    /// <param name="chunks">Enough of them.</param>
    /// <param name="lanes">Empty ones.</param>
    internal SharedTransferRun(
        BlockInput input, BlockOutcome outcome, int first, int planned, TransferChunk[] chunks, TransferLane[] lanes)
    {
        (_input, _outcome, _first, _planned, _chunks, _lanes) = (input, outcome, first, planned, chunks, lanes);
        _reader = new TransferReader(input, first, outcome.GasUsed);
        _receipts = new TransferReceipts(input, outcome, first);
        _chunkCount = ChunksOf(planned - first);
        (_readEnd, _heldEnd) = (planned, planned);
    }

    /// <summary>Where the plain transfers end, as their reading has shown.</summary>
    internal int End => _readEnd;

    /// <summary>Carries it out and gives the outcome its part; false where it does not hold up to its end.</summary>
    internal bool TryRun(int workers)
    {
        _receipts.Reserve(_planned);
        Crew.Run(workers, workers, _ =>
        {
            ReadChunks();
            FollowLanes();
        });
        var holds = _heldEnd >= _readEnd && IsOrderFree();
        _receipts.Conclude(holds ? _readEnd : _first);
        if (holds)
        {
            _outcome.State.Expect(_lanes.Sum(lane => lane.FreshCount));
            Array.ForEach(_lanes, lane => lane.HandOver(_outcome.State));
        }

        return holds;
    }

    private void ReadChunks()
    {
        for (var chunk = Take(ref _nextChunk); chunk < _chunkCount; chunk = Take(ref _nextChunk))
        {
            try
            {
                var from = _first + (chunk * TransferChunk.Size);
                if (from < Volatile.Read(ref _readEnd))
                {
                    var to = Math.Min(from + TransferChunk.Size, _planned);
                    var read = _chunks[chunk].Fill(_input, _reader, from, to, _lanes.Length, _receipts);
                    Lower(ref _readEnd, read < to ? read : _planned);
                }
            }
            finally
            {
                Interlocked.Increment(ref _chunksRead);
            }
        }

        var spinner = default(SpinWait);
        while (Volatile.Read(ref _chunksRead) < _chunkCount)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    private void FollowLanes()
    {
        var feeLane = TransferLane.Of(_input.Context.Coinbase.GetHashCode(), _lanes.Length);
        for (var lane = Take(ref _nextLane); lane < _lanes.Length; lane = Take(ref _nextLane))
        {
            _lanes[lane].Begin(_outcome.State);
            foreach (var chunk in Read)
            {
                var refused = _lanes[lane].Follow(chunk, lane, Math.Min(_readEnd, Volatile.Read(ref _heldEnd)));
                Lower(ref _heldEnd, refused < 0 ? _planned : refused);
                if (lane == feeLane && chunk.PaysTips)
                {
                    _lanes[lane].Pay(_input.Context.Coinbase, chunk.Tips);
                }
            }

            _lanes[lane].Conclude();
        }
    }

    /// <summary>The chunks that have a part in the run; final once all have been read.</summary>
    private ReadOnlySpan<TransferChunk> Read =>
        _chunks.AsSpan(0, ChunksOf(_readEnd - _first));

    /// <summary>
    /// Whether the fee recipient sends nothing: what it can afford depends on the fees that it got before.
    /// </summary>
    private bool IsOrderFree()
    {
        foreach (var chunk in Read)
        {
            if (chunk.RecipientSends)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Ends the run before a transaction.</summary>
    private static void Lower(ref int index, int target)
    {
        var current = Volatile.Read(ref index);
        while (current > target)
        {
            var seen = Interlocked.CompareExchange(ref index, target, current);
            if (seen == current)
            {
                return;
            }

            current = seen;
        }
    }

    /// <summary>How many chunks so many transactions make.</summary>
    internal static int ChunksOf(int transactions) => (transactions + TransferChunk.Size - 1) / TransferChunk.Size;

    private static int Take(ref int next) => Interlocked.Increment(ref next) - 1;
}
