using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution;

/// <summary>Checks that a caller may leave out, because it simulates (eth_call) or has made them before.</summary>
[Flags]
public enum ProcessingOptions
{
    None = 0,

    /// <summary>The transaction's own validity was established before (mempool, batch).</summary>
    SkipStatelessChecks = 1,

    /// <summary>eth_call: any nonce, any balance, a sender with code, fees below the base fee.</summary>
    Simulate = 2,
}

/// <summary>What became of a transaction.</summary>
public readonly struct TransactionOutcome
{
    /// <summary>Why it was refused; None where it was executed. A refused transaction changes nothing.</summary>
    public TransactionError Error { get; init; }

    /// <summary>How its message ended; without meaning where it was refused.</summary>
    public ExecutionStatus Status { get; init; }

    /// <summary>Gas charged, refunds and the call-data floor (EIP-7623) taken into account.</summary>
    public ulong GasUsed { get; init; }

    /// <summary>Gas that the refund counter gave back.</summary>
    public ulong GasRefunded { get; init; }

    /// <summary>Gas that was needed on the way: before refunds, and not below the floor of EIP-7623.</summary>
    public ulong PeakGas { get; init; }

    /// <summary>Return or revert data; valid until the engine's next execution.</summary>
    public ReadOnlyMemory<byte> Output { get; init; }

    /// <summary>The address of the contract that was created or would have been.</summary>
    public Address? ContractAddress { get; init; }

    /// <summary>A read had its key not loaded: load <see cref="WorldState.Missing"/> and execute again.</summary>
    public bool IsSuspended => Error == TransactionError.None && Status == ExecutionStatus.NotLoaded;

    public bool Succeeded => Error == TransactionError.None && Status == ExecutionStatus.Success;
}

/// <summary>Executes one transaction on a journaled state (Yellow Paper, 6).</summary>
/// <remarks>
/// <code>
///   validate → buy gas, count nonce → warm (2929, 2930, 3651) → authorizations (7702) → message → refund → pay fee
/// </code>
/// One instance a worker: it owns its engine. The caller resets the state before and collects the changes after.
/// </remarks>
public sealed class TransactionProcessor(IExecutionEngine engine)
{
    /// <summary>
    /// What is charged for an authorization beyond its base cost is given back where the account existed.
    /// </summary>
    private const long AuthorizationRefund = 25_000 - 12_500;

    private readonly RlpWriter _addressWriter = new(64);

    /// <summary>Executes a transaction whose <see cref="Transaction.Sender"/> is known.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="block">The block it runs in.</param>
    /// <param name="state">Reset on the state before the transaction.</param>
    /// <param name="gasAvailable">Gas that the block has left.</param>
    /// <param name="options">Checks to leave out.</param>
    public TransactionOutcome Execute(
        Transaction transaction, BlockContext block, WorldState state, ulong gasAvailable,
        ProcessingOptions options = ProcessingOptions.None)
    {
        var rules = block.Rules;
        var simulate = (options & ProcessingOptions.Simulate) != 0;
        if ((options & ProcessingOptions.SkipStatelessChecks) == 0)
        {
            var stateless = TransactionValidator.ValidateStateless(transaction, rules, block.ChainId);
            if (stateless != TransactionError.None)
            {
                return Refused(stateless);
            }
        }

        var origin = transaction.Sender
            ?? throw new InvalidOperationException("The sender of a transaction is recovered before it is executed.");
        if (!state.TryOpen(origin, out var sender) || !state.TryGetCode(sender, out var senderCode))
        {
            return Suspended;
        }

        var error = CheckFees(transaction, block, gasAvailable, simulate);
        if (error == TransactionError.None && !simulate)
        {
            error = CheckSender(transaction, state, sender, senderCode);
        }

        if (error != TransactionError.None)
        {
            return Refused(error);
        }

        var intrinsic = IntrinsicGas.Of(transaction, rules);
        var gasPrice = simulate && transaction.MaxFeePerGas < block.BaseFee
            ? transaction.MaxFeePerGas
            : transaction.EffectiveGasPrice(block.BaseFee);
        BuyGas(transaction, block, state, sender, gasPrice, simulate);
        var nonce = simulate ? state.Nonce(sender) : transaction.Nonce;
        state.SetNonce(sender, nonce + 1);
        if (!TryPrepare(transaction, block, state, sender, nonce, out var message))
        {
            return Suspended;
        }

        var context = new TransactionContext
        {
            Origin = origin, GasPrice = gasPrice, BlobHashes = transaction.BlobVersionedHashes,
        };
        var result = engine.Execute(
            message with { Gas = transaction.GasLimit - intrinsic.Base }, context, block, state);
        return result.Status == ExecutionStatus.NotLoaded
            ? Suspended
            : Settle(transaction, block, state, sender, gasPrice, intrinsic.Floor, message, result);
    }

    private static TransactionOutcome Suspended => new() { Status = ExecutionStatus.NotLoaded };

    private static TransactionOutcome Refused(TransactionError error) => new() { Error = error };

    private static TransactionError CheckFees(
        Transaction transaction, BlockContext block, ulong gasAvailable, bool simulate)
    {
        if (transaction.GasLimit > gasAvailable)
        {
            return TransactionError.GasLimitExceedsBlock;
        }

        if (simulate)
        {
            return TransactionError.None;
        }

        if (block.Rules.Eip1559 && transaction.MaxFeePerGas < block.BaseFee)
        {
            return TransactionError.FeeCapBelowBaseFee;
        }

        return transaction.Type == TransactionType.Blob && transaction.MaxFeePerBlobGas < block.BlobBaseFee
            ? TransactionError.BlobFeeTooLow
            : TransactionError.None;
    }

    private static TransactionError CheckSender(
        Transaction transaction, WorldState state, int sender, Code senderCode)
    {
        var nonce = state.Nonce(sender);
        if (transaction.Nonce != nonce)
        {
            return transaction.Nonce < nonce ? TransactionError.NonceTooLow : TransactionError.NonceTooHigh;
        }

        if (senderCode.Length != 0 && !(state.Rules.Eip7702 && senderCode.IsDelegation(out _))
            && !Impersonation.Is(transaction))
        {
            return TransactionError.SenderHasCode;
        }

        return TryMaximumCost(transaction, out var cost) && cost <= state.Balance(sender)
            ? TransactionError.None
            : TransactionError.InsufficientFunds;
    }

    /// <summary>Value and all fees at their caps; false where that needs more than 256 bits.</summary>
    public static bool TryMaximumCost(Transaction transaction, out UInt256 cost)
    {
        if (transaction.MaxFeePerGas.IsUInt64 && transaction.BlobVersionedHashes.Count == 0)
        {
            return !UInt256.AddWithCarry(transaction.MaxFeePerGas * transaction.GasLimit, transaction.Value, out cost);
        }

        var high = UInt256.BigMul(transaction.MaxFeePerGas, transaction.GasLimit, out cost);
        var blobHigh = UInt256.BigMul(transaction.MaxFeePerBlobGas, transaction.BlobGas, out var blobCost);
        var carry = UInt256.AddWithCarry(cost, blobCost, out cost);
        carry |= UInt256.AddWithCarry(cost, transaction.Value, out cost);
        return !carry && high.IsZero && blobHigh.IsZero;
    }

    private static void BuyGas(
        Transaction transaction, BlockContext block, WorldState state, int sender, in UInt256 gasPrice, bool simulate)
    {
        var price = (gasPrice * transaction.GasLimit) + (block.BlobBaseFee * transaction.BlobGas);
        if (simulate && state.Balance(sender) < price)
        {
            state.SetBalance(sender, price);
        }

        state.SubtractBalance(sender, price);
    }

    /// <summary>Warms what starts warm, carries authorizations out and builds the message; false: not loaded.</summary>
    private bool TryPrepare(
        Transaction transaction, BlockContext block, WorldState state, int sender, ulong nonce, out Message message)
    {
        var rules = block.Rules;
        var recipient = transaction.To ?? ContractAddress(state.AddressOf(sender), nonce);
        message = new Message
        {
            Kind = transaction.IsCreation ? MessageKind.Create : MessageKind.Call,
            Caller = state.AddressOf(sender),
            Recipient = recipient,
            CodeAddress = recipient,
            Value = transaction.Value,
            Input = transaction.Data,
        };
        if (rules.Eip2929)
        {
            Warm(transaction, block, state, sender, recipient);
        }

        return transaction.Authorizations.Count == 0 || TryAuthorize(transaction, block, state);
    }

    private static void Warm(
        Transaction transaction, BlockContext block, WorldState state, int sender, in Address recipient)
    {
        state.WarmAccount(sender);
        state.WarmAccount(state.Declare(recipient));
        if (block.Rules.Eip3651)
        {
            state.WarmAccount(state.Declare(block.Coinbase));
        }

        foreach (var entry in transaction.AccessList)
        {
            var account = state.Declare(entry.Address);
            state.WarmAccount(account);
            foreach (var slot in entry.Slots)
            {
                state.WarmSlot(state.DeclareSlot(account, slot));
            }
        }
    }

    /// <summary>Carries out each valid authorization and passes over each invalid one (EIP-7702).</summary>
    private static bool TryAuthorize(Transaction transaction, BlockContext block, WorldState state)
    {
        foreach (var authorization in transaction.Authorizations)
        {
            var forThisChain = authorization.ChainId.IsZero || authorization.ChainId == block.ChainId;
            if (!forThisChain || authorization.Nonce == ulong.MaxValue
                || !AuthorizationSigner.TryRecover(authorization, out var authority))
            {
                continue;
            }

            if (!state.TryOpen(authority, out var account) || !state.TryGetCode(account, out var code))
            {
                return false;
            }

            state.WarmAccount(account);
            var mayDelegate = code.Length == 0 || code.IsDelegation(out _);
            if (!mayDelegate || state.Nonce(account) != authorization.Nonce)
            {
                continue;
            }

            if (state.Exists(account))
            {
                state.Refund += AuthorizationRefund;
            }

            var target = authorization.Address;
            state.SetCode(account, target.IsZero ? Code.Empty : Code.DelegationTo(target));
            state.SetNonce(account, authorization.Nonce + 1);
        }

        return true;
    }

    private static TransactionOutcome Settle(
        Transaction transaction, BlockContext block, WorldState state, int sender, in UInt256 gasPrice, ulong floor,
        in Message message, in ExecutionResult result)
    {
        var rules = block.Rules;
        var used = transaction.GasLimit - result.GasLeft;
        var peak = Math.Max(used, floor);
        var refund = Math.Min((ulong)Math.Max(state.Refund, 0), used / (rules.Eip3529 ? 5UL : 2UL));
        used = Math.Max(used - refund, floor);
        state.AddBalance(sender, gasPrice * (transaction.GasLimit - used));
        var tip = rules.Eip1559 && gasPrice >= block.BaseFee ? gasPrice - block.BaseFee
            : rules.Eip1559 ? UInt256.Zero : gasPrice;
        if (!state.TryPayFee(block.Coinbase, tip * used))
        {
            return Suspended;
        }

        return new TransactionOutcome
        {
            Status = result.Status,
            GasUsed = used,
            GasRefunded = refund,
            PeakGas = peak,
            Output = result.Output,
            ContractAddress = transaction.IsCreation ? message.Recipient : null,
        };
    }

    /// <summary>The address that a creation by this sender at this nonce has (Yellow Paper, 7).</summary>
    public Address ContractAddress(in Address sender, ulong nonce)
    {
        _addressWriter.Clear();
        var list = _addressWriter.BeginList();
        _addressWriter.WriteAddress(sender);
        _addressWriter.WriteUInt64(nonce);
        _addressWriter.EndList(list);
        return new Address(Keccak256.Hash(_addressWriter.Written).Bytes[12..]);
    }
}
