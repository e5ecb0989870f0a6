using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.Nodes;

/// <summary>
/// What became of a submitted transaction: its hash, or why it was refused in words that clients know.
/// </summary>
internal readonly record struct Submission(Hash256 Hash, string? Error, bool IsLimited = false);

/// <summary>A transaction that the pool took, and how.</summary>
public readonly record struct PooledAnswer(Transaction Transaction, PoolStatus Status);

/// <summary>Checks transactions and puts them into the pool; the first step of a transaction's way.</summary>
/// <remarks>
/// decode → rules of the next block → fee floor → known? → signature (all of a batch at once, on all cores) → rate of
/// the sender → pool. Wordings follow geth where clients tell errors apart by them. Safe for concurrent use.
/// </remarks>
internal sealed class TransactionIngest(
    TransactionPool pool, Func<NextBlock> nextBlock, Action onAdded, SubmissionGuard guard,
    Action<IReadOnlyList<PooledAnswer>>? onAccepted = null)
{
    private int _submitters;

    /// <summary>A transaction of a batch on its way; an error ends it.</summary>
    internal struct Candidate
    {
        internal Transaction? Transaction;
        internal string? Error;

        /// <summary>Refused because there are too many, not for what it is.</summary>
        internal bool IsLimited;
    }

    /// <summary>Decodes an envelope, or a blob transaction with its blobs.</summary>
    internal static Candidate Decode(ReadOnlySpan<byte> envelope)
    {
        var decoded = BlobNetworkForm.Is(envelope)
            ? BlobNetworkForm.Decode(envelope)
            : TransactionCodec.Decode(envelope);
        return decoded.Succeeded
            ? new Candidate { Transaction = decoded.Value }
            : new Candidate { Error = $"failed to decode signed transaction: {decoded.Error}" };
    }

    internal Submission Submit(Transaction transaction)
    {
        var candidates = new[] { new Candidate { Transaction = transaction } };
        var answers = new Submission[1];
        Submit(candidates, answers);
        return answers[0];
    }

    /// <summary>Takes transactions in their order; each answer stands at its candidate's place.</summary>
    internal void Submit(Span<Candidate> candidates, Span<Submission> answers)
    {
        // Several submitters at once keep the cores busy by themselves; one alone gets them all.
        var submitters = Interlocked.Increment(ref _submitters);
        try
        {
            Submit(candidates, answers, Math.Max(1, Environment.ProcessorCount / submitters));
        }
        finally
        {
            Interlocked.Decrement(ref _submitters);
        }
    }

    private void Submit(Span<Candidate> candidates, Span<Submission> answers, int workers)
    {
        var next = nextBlock();
        var accepted = new List<Transaction>(candidates.Length);
        foreach (ref var candidate in candidates)
        {
            candidate.Error ??= Check(candidate.Transaction!, next);
            if (candidate.Error is null)
            {
                accepted.Add(candidate.Transaction!);
            }
        }

        RecoverSenders(accepted, workers);
        accepted.Clear();
        foreach (ref var candidate in candidates)
        {
            CheckSender(ref candidate);
            if (candidate.Error is null)
            {
                accepted.Add(candidate.Transaction!);
            }
        }

        var pooled = new PoolAnswer[accepted.Count];
        pool.Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(accepted), pooled);
        TellAccepted(accepted, pooled);
        var place = 0;
        var added = false;
        for (var i = 0; i < candidates.Length; i++)
        {
            ref var candidate = ref candidates[i];
            if (candidate.Error is null)
            {
                ref var answer = ref pooled[place++];
                added |= answer.IsIn;
                candidate.Error = ErrorOf(answer, candidate.Transaction!);
            }

            answers[i] = new Submission(
                candidate.Transaction?.Hash ?? default, candidate.Error, candidate.IsLimited);
        }

        if (added)
        {
            onAdded();
        }
    }

    /// <summary>What can be said once the signature has been checked, and before the pool is asked.</summary>
    private void CheckSender(ref Candidate candidate)
    {
        if (candidate.Error is not null)
        {
            return;
        }

        if (candidate.Transaction!.Sender is null)
        {
            candidate.Error = "invalid sender";
            return;
        }

        candidate.Error = guard.CheckRate(candidate.Transaction);
        candidate.IsLimited = candidate.Error is not null;
    }

    private void TellAccepted(List<Transaction> offered, PoolAnswer[] answers)
    {
        if (onAccepted is null)
        {
            return;
        }

        var taken = new List<PooledAnswer>(offered.Count);
        for (var i = 0; i < offered.Count; i++)
        {
            if (answers[i].IsIn)
            {
                taken.Add(new PooledAnswer(offered[i], answers[i].Status));
            }
        }

        if (taken.Count > 0)
        {
            onAccepted(taken);
        }
    }

    private static void RecoverSenders(List<Transaction> transactions, int workers)
    {
        if (transactions.Count == 1)
        {
            TransactionSigner.TryRecoverSender(transactions[0], out _);
        }
        else if (transactions.Count > 1)
        {
            TransactionSigner.RecoverSenders(transactions, workers);
        }
    }

    private string? Check(Transaction transaction, in NextBlock next)
    {
        var error = TransactionValidator.ValidateStateless(transaction, next.Rules, next.ChainId);
        if (error != TransactionError.None)
        {
            return Describe(error, transaction, next);
        }

        if (transaction.GasLimit > next.GasLimit)
        {
            return "exceeds block gas limit";
        }

        if (transaction.MaxFeePerGas < next.BaseFee)
        {
            return $"max fee per gas less than block base fee: maxFeePerGas: {transaction.MaxFeePerGas}, "
                + $"baseFee: {next.BaseFee}";
        }

        return guard.CheckFee(transaction) ?? (pool.Find(transaction.Hash) is null ? null : "already known");
    }

    private static string? ErrorOf(in PoolAnswer answer, Transaction transaction) => answer.Status switch
    {
        PoolStatus.Pending or PoolStatus.Queued => null,
        PoolStatus.AlreadyKnown => "already known",
        PoolStatus.NonceTooLow =>
            $"nonce too low: next nonce {answer.StateNonce}, tx nonce {transaction.Nonce}",
        PoolStatus.InsufficientFunds =>
            $"insufficient funds for gas * price + value: balance {answer.Balance}, tx cost {answer.Cost}, "
                + $"overshot {answer.Cost - answer.Balance}",
        PoolStatus.ReplacementUnderpriced => "replacement transaction underpriced",
        PoolStatus.Underpriced => "transaction underpriced: the pool is full",
        PoolStatus.SenderLimit => "account limit exceeded: too many transactions of the sender are waiting",
        PoolStatus.TooLarge => "oversized data",
        PoolStatus.AccountNotLoaded => "the sender's account is not available now, try again",
        _ => "transaction refused",
    };

    private static string Describe(TransactionError error, Transaction transaction, in NextBlock next) => error switch
    {
        TransactionError.TypeNotActive => "transaction type not supported",
        TransactionError.WrongChainId when !next.Rules.Eip155 && transaction.ChainId == next.ChainId =>
            "replay-protected transactions are not known before EIP-155",
        TransactionError.WrongChainId =>
            $"invalid chain id for signer: have {transaction.ChainId} want {next.ChainId}",
        TransactionError.InvalidSignature => "invalid sender: invalid transaction v, r, s values",
        TransactionError.NonceOverflow => "nonce has max value",
        TransactionError.IntrinsicGasTooLow => $"intrinsic gas too low: gas {transaction.GasLimit}, "
            + $"minimum needed {IntrinsicGas.Of(transaction, next.Rules).Base}",
        TransactionError.FloorGasTooLow => $"insufficient gas for floor data gas cost: gas {transaction.GasLimit}, "
            + $"minimum needed {IntrinsicGas.Of(transaction, next.Rules).Floor}",
        TransactionError.GasLimitAboveCap => "transaction gas limit too high "
            + $"(cap: {TransactionValidator.GasLimitCap}, tx: {transaction.GasLimit})",
        TransactionError.InitCodeTooLarge => $"max initcode size exceeded: code size {transaction.Data.Length}, "
            + $"limit {TransactionValidator.MaxInitCodeSize}",
        TransactionError.PriorityFeeAboveFeeCap => "max priority fee per gas higher than max fee per gas: "
            + $"maxPriorityFeePerGas: {transaction.MaxPriorityFeePerGas}, maxFeePerGas: {transaction.MaxFeePerGas}",
        TransactionError.BlobCreation or TransactionError.SetCodeCreation =>
            "input string too short for common.Address, a recipient is needed",
        TransactionError.NoBlobs => "blobless blob transaction",
        TransactionError.TooManyBlobs => $"too many blobs in transaction: {transaction.BlobVersionedHashes.Count}",
        TransactionError.NoAuthorizations => "set code transaction without authorizations",
        TransactionError.CostOverflow => "insufficient funds for gas * price + value: the cost overflows 256 bits",
        _ => $"invalid transaction: {error}",
    };
}

/// <summary>What is known of the block after the head.</summary>
internal readonly record struct NextBlock(
    ForkRules Rules, ulong ChainId, ulong GasLimit, UInt256 BaseFee, UInt256 BlobBaseFee);
