using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Parallel;

/// <summary>
/// Some neighbours of a run of transfers, read once: their moves, sorted by the lane that carries them out.
/// </summary>
/// <remarks>Kept from run to run; filled by one worker, then read by all.</remarks>
internal sealed class TransferChunk
{
    /// <summary>Transactions in a chunk: their moves fit a core's own cache.</summary>
    internal const int Size = 512;

    private readonly TransferMove[] _moves = new TransferMove[2 * Size];
    private readonly byte[] _lanes = new byte[2 * Size];
    private readonly int[] _starts = new int[TransferRuns.MostLanes + 1], _ends = new int[TransferRuns.MostLanes];

    /// <summary>What the transactions pay to the fee recipient.</summary>
    internal UInt256 Tips { get; private set; }

    /// <summary>Whether one of them pays anything.</summary>
    internal bool PaysTips { get; private set; }

    /// <summary>Whether the fee recipient sends one of them, so that it matters when it gets which fee.</summary>
    internal bool RecipientSends { get; private set; }

    /// <summary>A lane's moves, in the order of the block.</summary>
    internal ReadOnlySpan<TransferMove> Of(int lane) => _moves.AsSpan(_starts[lane].._ends[lane]);

    /// <summary>
    /// Reads transactions and writes their receipts; answers where it met one that is none of a run, else the end.
    /// </summary>
    internal int Fill(
        BlockInput input, TransferReader reader, int first, int end, int lanes, TransferReceipts receipts)
    {
        Deal(input, first, end, lanes);
        var recipient = input.Context.Coinbase;
        var (tips, pays, sends) = (UInt256.Zero, false, false);
        var index = first;
        for (var place = 0; index < end; index++, place += 2)
        {
            ref var takenEnd = ref _ends[_lanes[place]];
            ref var givenEnd = ref _ends[_lanes[place + 1]];
            ref var taken = ref _moves[takenEnd];
            ref var given = ref _moves[_lanes[place] == _lanes[place + 1] ? takenEnd + 1 : givenEnd];
            if (!reader.TryRead(index, ref taken, ref given, out var tip))
            {
                break;
            }

            takenEnd++;
            givenEnd++;
            pays |= !tip.IsZero;
            sends |= taken.Account == recipient;
            tips += tip;
        }

        receipts.Write(first, index);
        (Tips, PaysTips, RecipientSends) = (tips, pays, sends);
        return index;
    }

    /// <summary>Sets aside for each lane the places of its moves, if all of the transactions are transfers.</summary>
    private void Deal(BlockInput input, int first, int end, int lanes)
    {
        Array.Clear(_ends);
        for (var (i, place) = (first, 0); i < end; i++, place += 2)
        {
            var transaction = input.Transactions[i];
            _ends[_lanes[place] = LaneOf(transaction.Sender, lanes)]++;
            _ends[_lanes[place + 1] = LaneOf(transaction.To, lanes)]++;
        }

        for (var lane = 0; lane < lanes; lane++)
        {
            _starts[lane + 1] = _starts[lane] + _ends[lane];
            _ends[lane] = _starts[lane];
        }
    }

    private static byte LaneOf(in Address? account, int lanes) =>
        (byte)TransferLane.Of(account.GetValueOrDefault().GetHashCode(), lanes);
}

/// <summary>Room in a block's outcome for the receipts of a run, written by many at once.</summary>
/// <param name="input">The block.</param>
/// <param name="outcome">Its outcome, which nobody else changes meanwhile.</param>
/// <param name="first">The run's first transaction.</param>
internal sealed class TransferReceipts(BlockInput input, BlockOutcome outcome, int first)
{
    private readonly int _before = outcome.Receipts.Count;
    private readonly ulong _gasBefore = outcome.GasUsed;

    /// <summary>Makes room up to a transaction.</summary>
    internal void Reserve(int end) => SetCount(_before + end - first);

    /// <summary>Gives back what is not needed: the run ends here.</summary>
    internal void Conclude(int end)
    {
        SetCount(_before + end - first);
        outcome.GasUsed = _gasBefore + ((ulong)(end - first) * IntrinsicGas.Transaction);
    }

    internal void Write(int from, int end)
    {
        var place = _before + from - first;
        var receipts = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(outcome.Receipts)[place..];
        var included = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(outcome.Included)[place..];
        for (var i = 0; i < end - from; i++)
        {
            var transaction = input.Transactions[from + i];
            included[i] = transaction;
            receipts[i] = new Receipt
            {
                Type = transaction.Type,
                Succeeded = true,
                CumulativeGasUsed = _gasBefore + ((ulong)(from + i - first + 1) * IntrinsicGas.Transaction),
                LogsBloom = Bloom.Empty,
                Logs = [],
                GasUsed = IntrinsicGas.Transaction,
            };
        }
    }

    private void SetCount(int count)
    {
        System.Runtime.InteropServices.CollectionsMarshal.SetCount(outcome.Receipts, count);
        System.Runtime.InteropServices.CollectionsMarshal.SetCount(outcome.Included, count);
    }
}
