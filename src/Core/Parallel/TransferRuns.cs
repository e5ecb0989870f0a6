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
/// Long runs are shared among workers (<see cref="SharedTransferRun"/>), which bet that all of it holds: that every
/// transfer is valid and no account a contract. Where that is not so, what they did counts for nothing and is done
/// again up to there; from then on one lane goes on alone, which can stop anywhere.
/// </remarks>
internal sealed class TransferRuns(int workers)
{
    /// <summary>Shorter runs do not pay for their set-up.</summary>
    internal const int ShortestRun = 128;

    /// <summary>Shorter runs do not pay for a lane's set-up, where what is around them runs serially as well.</summary>
    internal const int ShortestAlone = 12;

    /// <summary>Lanes at most, of all workers together.</summary>
    internal const int MostLanes = 16;

    /// <summary>Shorter runs are done by one lane before another thread has woken up.</summary>
    private const int ShortestShared = 1_000;

    /// <summary>The most that is shared at a time: it bounds the memory of moves and what a lost bet costs.</summary>
    private const int MostAtOnce = 16_384;

    /// <summary>Lanes for each worker: some have more to do than others.</summary>
    internal int Shards { get; set; } = 1;

    private readonly TransferLane _alone = new();
    private TransferLane[] _lanes = [];
    private TransferChunk[] _chunks = [];

    /// <summary>
    /// Where the plain transfers that begin at an index end, at the limit at the latest; the index where there is none.
    /// </summary>
    internal static int EndOf(BlockInput input, int first, int limit)
    {
        var (context, transactions) = (input.Context, input.Transactions);
        if (!context.Rules.Eip161 || !context.Rules.Eip658)
        {
            return first;
        }

        var end = first;
        while (end < limit && IsPlain(transactions[end], context))
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
    /// Carries a run out as far as it holds; answers where that ends (its beginning where not at all), and where to
    /// look for the next.
    /// </summary>
    /// <param name="input">The block.</param>
    /// <param name="outcome">What it has given so far; all before the run is done.</param>
    /// <param name="first">The first transaction.</param>
    /// <param name="limit">Where it ends at the latest.</param>
    /// <param name="mayShare">Whether workers have not lost a bet on this block.</param>
    internal (int Done, int Next) Run(BlockInput input, BlockOutcome outcome, int first, int limit, ref bool mayShare)
    {
        var status = outcome.State.ReadAccount(input.Context.Coinbase, out var coinbase);

        // An empty account that exists goes when it is touched (EIP-161); that is left to the general way.
        if (status != ReadStatus.Absent && (status != ReadStatus.Found || coinbase.IsEmpty))
        {
            return (first, Math.Min(limit, first + ShortestRun));
        }

        var done = first;
        while (limit - done >= ShortestShared && mayShare)
        {
            var planned = Math.Min(limit, done + MostAtOnce);
            if (!TryShare(input, outcome, done, planned, out var end))
            {
                mayShare = false;
                break;
            }

            done = end;
            if (end < planned)
            {
                return (done, done + 1);
            }
        }

        done = RunAlone(input, outcome, done, limit);
        return (done, done + 1);
    }

    /// <summary>A value moves between two accounts; nothing else can happen but that one of them has code.</summary>
    internal static bool IsPlain(Transaction transaction, BlockContext context) =>
        transaction is { Type: <= TransactionType.DynamicFee, To: { } recipient, Sender: not null }
        && transaction.Data.IsEmpty && transaction.AccessList.Count == 0 && transaction.Authorizations.Count == 0
        && transaction.BlobVersionedHashes.Count == 0
        && !transaction.Value.IsZero && transaction.GasLimit >= IntrinsicGas.Transaction
        && !context.Rules.IsPrecompile(recipient)
        && (!context.Rules.Eip1559 || transaction.MaxFeePerGas >= context.BaseFee);

    /// <summary>Carries out with all workers what holds; nothing where that is less than it looked like.</summary>
    private bool TryShare(BlockInput input, BlockOutcome outcome, int first, int planned, out int end)
    {
        Prepare(SharedTransferRun.ChunksOf(planned - first));
        var run = new SharedTransferRun(input, outcome, first, planned, _chunks, _lanes);
        var holds = run.TryRun(workers);
        end = run.End;
        return holds;
    }

    private void Prepare(int chunks)
    {
        var lanes = Math.Clamp(workers * Shards, 1, MostLanes);
        if (_lanes.Length != lanes)
        {
            var known = _lanes;
            _lanes = [.. Enumerable.Range(0, lanes).Select(i => i < known.Length ? known[i] : new TransferLane())];
        }

        var made = _chunks.Length;
        if (made < chunks)
        {
            Array.Resize(ref _chunks, chunks);
            for (var i = made; i < chunks; i++)
            {
                _chunks[i] = new TransferChunk();
            }
        }
    }

    /// <summary>Carries transfers out one after the other; answers the first that is none or does not hold.</summary>
    private int RunAlone(BlockInput input, BlockOutcome outcome, int first, int limit)
    {
        var coinbase = input.Context.Coinbase;
        if (first == limit)
        {
            return first;
        }

        var reader = new TransferReader(input, first, outcome.GasUsed);
        var receipts = new TransferReceipts(input, outcome, first);
        var (taken, given) = (default(TransferMove), default(TransferMove));
        _alone.Begin(outcome.State);
        var done = first;
        while (done < limit && reader.TryRead(done, ref taken, ref given, out var tip)
            && _alone.TryTransfer(taken, given))
        {
            if (!tip.IsZero)
            {
                _alone.Pay(coinbase, tip);
            }

            done++;
        }

        receipts.Reserve(done);
        receipts.Write(first, done);
        receipts.Conclude(done);
        _alone.Conclude();
        outcome.State.Expect(_alone.FreshCount);
        _alone.HandOver(outcome.State);
        return done;
    }
}
