using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>Runs of plain transfers without speculation: what they touch is known before they run.</summary>
/// <remarks>
/// Accounts are dealt out to lanes by their hash, and each lane follows the run in order but acts for its own accounts
/// only, so that no two threads ever write to the same place:
/// <code>
///   lane 0:  tx 0 debit A ──── tx 1 credit C ──── tx 2 debit A, credit D ─▶ final A, C, D
///   lane 1:  tx 0 credit B ─── tx 1 debit B ───── (nothing of mine)      ─▶ final B
/// </code>
/// The lanes bet that every transfer is valid. Whether one is, its sender's lane finds out from the order it keeps.
/// Where one is not, or an account turns out to have code, the run ends before it: what the lanes did counts for
/// nothing and is done again up to there.
/// </remarks>
internal sealed class TransferRuns(int workers)
{
    /// <summary>Shorter runs do not pay for their set-up.</summary>
    internal const int ShortestRun = 128;

    /// <summary>Shorter runs are done by one lane before another thread has woken up.</summary>
    private const int ShortestShared = 2_000;

    private readonly TransferLane[] _lanes = [.. Enumerable.Range(0, workers).Select(_ => new TransferLane())];

    /// <summary>Where the run of plain transfers that begins at an index ends; the index where there is none.</summary>
    internal static int EndOf(BlockInput input, int first)
    {
        var (context, transactions) = (input.Context, input.Transactions);
        if (!context.Rules.Eip161 || !context.Rules.Eip658)
        {
            return first;
        }

        var end = first;
        while (end < transactions.Count && IsPlain(transactions[end], context))
        {
            end++;
        }

        return end;
    }

    /// <summary>
    /// Where a run stops being one by what the state has now of its recipients: at the first that is a contract.
    /// </summary>
    internal static int EndBeforeCode(BlockInput input, BlockState state, int first, int end)
    {
        for (var i = first; i < end; i++)
        {
            var recipient = input.Transactions[i].To.GetValueOrDefault();
            var (exists, account) = state.Known(recipient) is { } known
                ? (known.Exists, known.Current)
                : (state.Parent.ReadAccount(recipient, out var read) == ReadStatus.Found, read);
            if (exists && account.HasCode)
            {
                return i;
            }
        }

        return end;
    }

    /// <summary>
    /// Carries a run out as far as it holds; answers where that ends (its beginning where not at all), and where it
    /// stopped holding.
    /// </summary>
    internal (int Done, int Held) Run(BlockInput input, BlockOutcome outcome, int first, int end)
    {
        var held = EndOfRoom(input, outcome.GasUsed, first, end);
        var status = outcome.State.ReadAccount(input.Context.Coinbase, out var coinbase);

        // An empty account that exists goes when it is touched (EIP-161); that is left to the general way.
        var mayPay = status == ReadStatus.Absent || (status == ReadStatus.Found && !coinbase.IsEmpty);
        while (mayPay && held - first >= ShortestRun)
        {
            var tried = held;
            if (TryRun(input, outcome, first, ref held))
            {
                return (tried, tried);
            }
        }

        return (first, held);
    }

    private bool TryRun(BlockInput input, BlockOutcome outcome, int first, ref int end)
    {
        var state = outcome.State;
        var receipts = new Receipt[end - first];
        var (tried, held, gasBefore) = (end, end, outcome.GasUsed);
        var lanes = tried - first < ShortestShared ? 1 : workers;
        Crew.Run(lanes, lanes, lane =>
        {
            _lanes[lane].Follow(input, state, first, ref held, lane, lanes);
            WriteReceipts(input, first, gasBefore, receipts, lane, lanes);
        });
        end = held;
        if (held < tried)
        {
            return false;
        }

        foreach (var lane in _lanes.AsSpan(0, lanes))
        {
            state.Add(lane.Fresh);
            lane.ReplaceKnown();
        }

        outcome.Include(input, first, receipts);
        return true;
    }

    /// <summary>A value moves between two accounts; nothing else can happen but that one of them has code.</summary>
    internal static bool IsPlain(Transaction transaction, BlockContext context) =>
        transaction is { Type: <= TransactionType.DynamicFee, To: { } recipient, Sender: not null }
        && transaction.Data.IsEmpty && transaction.AccessList.Count == 0 && transaction.Authorizations.Count == 0
        && transaction.BlobVersionedHashes.Count == 0
        && !transaction.Value.IsZero && transaction.GasLimit >= IntrinsicGas.Transaction
        && !context.Rules.IsPrecompile(recipient)
        && (!context.Rules.Eip1559 || transaction.MaxFeePerGas >= context.BaseFee);

    /// <summary>Before which transaction the block has no longer the gas that it asks for.</summary>
    private static int EndOfRoom(BlockInput input, ulong gasUsed, int first, int end)
    {
        for (var i = first; i < end; i++, gasUsed += IntrinsicGas.Transaction)
        {
            var limit = input.Transactions[i].GasLimit;
            if (limit > input.Context.GasLimit || gasUsed > input.Context.GasLimit - limit)
            {
                return i;
            }
        }

        return end;
    }

    private static void WriteReceipts(
        BlockInput input, int first, ulong gasBefore, Receipt[] receipts, int lane, int lanes)
    {
        var from = (int)((long)receipts.Length * lane / lanes);
        var to = (int)((long)receipts.Length * (lane + 1) / lanes);
        for (var i = from; i < to; i++)
        {
            receipts[i] = new Receipt
            {
                Type = input.Transactions[first + i].Type,
                Succeeded = true,
                CumulativeGasUsed = gasBefore + (((ulong)i + 1) * IntrinsicGas.Transaction),
                LogsBloom = Bloom.Empty,
                Logs = [],
                GasUsed = IntrinsicGas.Transaction,
            };
        }
    }
}
