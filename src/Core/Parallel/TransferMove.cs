using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Parallel;

/// <summary>What a plain transfer does to one account: it takes from its sender or gives to its recipient.</summary>
/// <remarks>
/// 64 bytes, as many of them travel from one core's cache to another's. Amounts have 128 bits: a transfer of more wei
/// than that (there are 2^87) is no part of a run.
/// </remarks>
internal struct TransferMove
{
    /// <summary>Value and fee where it takes, the value where it gives.</summary>
    public ulong AmountLow, AmountHigh;

    /// <summary>What a sender must have: value and fee at their caps.</summary>
    public ulong NeededLow, NeededHigh;

    public ulong Nonce;
    public Address Account;

    /// <summary>The transaction's place in the block; with all bits turned around where it gives.</summary>
    public int Tag;

    internal readonly bool Takes => Tag >= 0;

    /// <summary>The transaction's place in the block.</summary>
    internal readonly int Index => Tag < 0 ? ~Tag : Tag;

    internal readonly UInt256 Amount => new(AmountLow, AmountHigh);

    internal readonly UInt256 Needed => new(NeededLow, NeededHigh);
}

/// <summary>Makes moves of transactions; what it needs of the block is worked out once.</summary>
/// <param name="input">The block.</param>
/// <param name="first">The transaction that a run begins with.</param>
/// <param name="gasUsed">What the block has used before it.</param>
internal sealed class TransferReader(BlockInput input, int first, ulong gasUsed)
{
    private readonly BlockContext _context = input.Context;
    private readonly UInt256 _burnt = input.Context.Rules.Eip1559
        ? input.Context.BaseFee * IntrinsicGas.Transaction
        : UInt256.Zero;

    /// <summary>
    /// Both moves of a transaction and what the fee recipient gets; false where it is not a plain transfer, is invalid
    /// by itself, or asks for more gas than the block has left when all before it are plain.
    /// </summary>
    internal bool TryRead(int index, ref TransferMove taken, ref TransferMove given, out UInt256 tip)
    {
        tip = UInt256.Zero;
        var transaction = input.Transactions[index];
        if (!TransferRuns.IsPlain(transaction, _context) || !HasRoom(index, transaction.GasLimit)
            || !TransactionProcessor.TryMaximumCost(transaction, out var needed) || (needed.U2 | needed.U3) != 0
            || !(input.SkipStatelessChecks || IsValid(transaction)))
        {
            return false;
        }

        var fee = transaction.EffectiveGasPrice(_context.BaseFee) * IntrinsicGas.Transaction;
        tip = fee - _burnt;
        var amount = fee + transaction.Value;
        taken.Account = transaction.Sender.GetValueOrDefault();
        taken.Tag = index;
        taken.Nonce = transaction.Nonce;
        (taken.AmountLow, taken.AmountHigh) = (amount.U0, amount.U1);
        (taken.NeededLow, taken.NeededHigh) = (needed.U0, needed.U1);
        given.Account = transaction.To.GetValueOrDefault();
        given.Tag = ~index;
        (given.AmountLow, given.AmountHigh) = (transaction.Value.U0, transaction.Value.U1);
        return true;
    }

    private bool HasRoom(int index, ulong gasLimit)
    {
        var used = gasUsed + ((ulong)(index - first) * IntrinsicGas.Transaction);
        return gasLimit <= _context.GasLimit && used <= _context.GasLimit - gasLimit;
    }

    private bool IsValid(Transaction transaction) =>
        TransactionValidator.ValidateStateless(transaction, _context.Rules, _context.ChainId) == TransactionError.None;
}
