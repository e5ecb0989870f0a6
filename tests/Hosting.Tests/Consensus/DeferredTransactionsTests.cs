using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests.Consensus;

public sealed class DeferredTransactionsTests
{
    private static readonly IReadOnlyList<DevAccount> Accounts =
        DevGenesis.AccountsOf(Core.Cryptography.Mnemonic.Development, 2);

    private readonly DeferredTransactions _deferred = new();
    private readonly MemoryState _state = new();

    [Fact]
    public void What_was_left_out_comes_after_the_next_batch_s_own_and_within_a_sender_by_nonce()
    {
        var (first, second, other) = (Of(0, 1), Of(0, 2), Of(1, 0));
        Assert.Empty(_deferred.Update(1, [Left(second), Left(first)], _state));
        Assert.Equal(2, _deferred.Count);
        Assert.Equal([other, first, second], _deferred.CandidatesWith([other]));
        // The gap's end is in the new batch: the places of the sender are taken in the order of nonces.
        var gap = Of(0, 0);
        Assert.Equal([gap, first, second], _deferred.CandidatesWith([gap]));
        Assert.Equal([gap, first, second, Of(0, 9)], _deferred.CandidatesWith([Of(0, 9), gap]));
    }

    [Fact]
    public void Which_come_first_does_not_depend_on_the_order_in_which_they_were_left_out()
    {
        var other = new DeferredTransactions();
        var (a, b, c) = (Of(0, 5), Of(1, 5), Of(1, 7));
        _deferred.Update(1, [Left(a), Left(b), Left(c)], _state);
        other.Update(1, [Left(c), Left(b), Left(a), Left(a)], _state);
        Assert.Equal(_deferred.CandidatesWith([]), other.CandidatesWith([]));
    }

    [Fact]
    public void A_transaction_is_given_up_after_its_span_of_batches_and_said_to_be()
    {
        var waiting = Of(0, 3);
        for (ulong number = 1; number <= DeferredTransactions.Span; number++)
        {
            Assert.Empty(_deferred.Update(number, [Left(waiting)], _state));
            Assert.Contains(waiting, _deferred.CandidatesWith([]));
        }

        var dropped = Assert.Single(_deferred.Update(DeferredTransactions.Span + 1, [Left(waiting)], _state));
        Assert.Equal((waiting, TransactionError.NonceTooHigh), dropped);
        Assert.Equal(0, _deferred.Count);
    }

    [Fact]
    public void A_transaction_whose_nonce_is_used_or_that_nobody_signed_is_given_up_at_once()
    {
        _state.Set(new AllocatedAccount(Accounts[0].Address, 4, UInt256.One, null, null));
        var unsigned = new Transaction { Type = TransactionType.DynamicFee, ChainId = 1, GasLimit = 21_000 };
        var dropped = _deferred.Update(1, [Left(Of(0, 3)), Left(unsigned), Left(Of(0, 4))], _state);
        Assert.Equal(2, dropped.Count);
        Assert.Equal([Of(0, 4).Hash], _deferred.CandidatesWith([]).Select(transaction => transaction.Hash));
    }

    private static LeftOutTransaction Left(Transaction transaction) =>
        new(0, transaction, TransactionError.NonceTooHigh);

    private readonly Dictionary<(int, ulong), Transaction> _made = [];

    private Transaction Of(int account, ulong nonce)
    {
        if (!_made.TryGetValue((account, nonce), out var made))
        {
            made = TransactionSigner.Sign(
                new Transaction
                {
                    Type = TransactionType.DynamicFee, ChainId = 1, Nonce = nonce, GasLimit = 21_000,
                    To = Address.FromNumber(1), MaxFeePerGas = UInt256.One,
                },
                Accounts[account].PrivateKey);
            _made.Add((account, nonce), made);
        }

        return made;
    }
}
