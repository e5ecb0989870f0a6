using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>
/// Transactions that a development node sends in the name of an account whose key nobody gave it.
/// </summary>
/// <remarks>
/// They carry a signature that none could have made: r is the account below a set bit 160, s is 1. Recovery never leads
/// from such an r to the account itself (one chance in 2^160 for each), so no transaction from outside can be taken
/// for one: only who sets <see cref="Transaction.Sender"/> by hand makes one, as a development node does and as its
/// store does with the blocks that it kept.
/// </remarks>
public static class Impersonation
{
    private static readonly UInt256 Mark = UInt256.One << (8 * Address.Size);

    /// <summary>A copy that counts as sent by the account, with its hash filled in.</summary>
    public static Transaction Send(Transaction unsigned, in Address from) =>
        TransactionSigner.WithSignature(unsigned, 0, Mark | from.ToWord(), UInt256.One, from);

    /// <summary>Whether the transaction was sent in the name of its sender.</summary>
    public static bool Is(Transaction transaction) =>
        transaction.S == UInt256.One && transaction.Sender is { } sender
        && transaction.R == (Mark | sender.ToWord());

    /// <summary>
    /// Gives a transaction read from this node's own files the sender that it had, where it was sent in a name.
    /// </summary>
    public static void Restore(Transaction transaction)
    {
        if (transaction.S == UInt256.One && transaction.R >> (8 * Address.Size) == UInt256.One)
        {
            transaction.Sender = Address.FromWord(transaction.R);
        }
    }
}
