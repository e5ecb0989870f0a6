using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>A transaction's last incarnation: what it read, what it wrote, how it ended.</summary>
/// <remarks>
/// Kept from block to block, so that tracking allocates nothing. Written by the worker that executes the transaction;
/// the scheduler hands it over with a release.
/// </remarks>
internal sealed class StateTransactionRecord
{
    private AccountRead[] _accounts = new AccountRead[4];
    private SlotRead[] _slots = new SlotRead[4];
    private int _accountCount, _slotCount;
    private List<VersionChain<UInt256>.Version> _writes = [];
    private List<VersionChain<UInt256>.Version> _earlier = [];
    private readonly List<(AccountLocation Account, VersionChain<UInt256>.Version Version)> _additions = [];

    internal int Incarnation { get; private set; }

    internal TransactionOutcome Outcome { get; set; }

    internal Log[] Logs { get; set; } = [];

    internal Bloom Bloom { get; set; } = Bloom.Empty;

    /// <summary>Code that it deployed.</summary>
    internal List<Code> NewCode { get; } = [];

    /// <summary>What it pays to the fee recipient without having read it.</summary>
    internal DeferredFee Fee;

    /// <summary>Forgets the block before; versions of it must not be touched again.</summary>
    internal void Reset()
    {
        Incarnation = 0;
        Fee.Write(UInt256.Zero);
        if (_writes.Count > 0)
        {
            _writes.Clear();
        }
    }

    internal void Begin()
    {
        Incarnation++;
        _accountCount = 0;
        _slotCount = 0;
        NewCode.Clear();
        _additions.Clear();
        (_writes, _earlier) = (_earlier, _writes);
        _writes.Clear();
    }

    /// <summary>Room for a read of an account, to be filled in.</summary>
    internal ref AccountRead AddAccount()
    {
        if (_accountCount == _accounts.Length)
        {
            Array.Resize(ref _accounts, _accounts.Length * 2);
        }

        return ref _accounts[_accountCount++];
    }

    /// <summary>Room for a read of a slot, to be filled in.</summary>
    internal ref SlotRead AddSlot()
    {
        if (_slotCount == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        return ref _slots[_slotCount++];
    }

    internal void AddWrite(VersionChain<UInt256>.Version version) => _writes.Add(version);

    internal void AddAddition(AccountLocation account, VersionChain<UInt256>.Version version)
    {
        _additions.Add((account, version));
        _writes.Add(version);
    }

    /// <summary>
    /// Everything below is final: additions become balances, so that readers need not sum them up again.
    /// </summary>
    internal void Finish(int transaction)
    {
        foreach (var (account, version) in _additions)
        {
            account.TryResolve(transaction + 1, AccountPart.Balance, out var read);
            version.Fold(read.Value);
        }
    }

    /// <summary>Takes back what the incarnation before wrote and this one did not.</summary>
    internal void End()
    {
        foreach (var version in _earlier)
        {
            if (!_writes.Contains(version))
            {
                version.SetKind(VersionKind.Removed);
            }
        }

        _earlier.Clear();
    }

    /// <summary>Whether every read that mattered would be answered the same now.</summary>
    internal bool Revalidate(int transaction)
    {
        for (var i = 0; i < _accountCount; i++)
        {
            if (!_accounts[i].IsStill(transaction))
            {
                return false;
            }
        }

        for (var i = 0; i < _slotCount; i++)
        {
            ref var read = ref _slots[i];
            if (!read.Location.TryResolve(transaction, out var now) || !read.Answer.IsStill(now))
            {
                return false;
            }
        }

        return true;
    }

    internal void MarkEstimates() => Mark(VersionKind.Estimate);

    /// <summary>The transaction is left out after all: nobody may see its writes.</summary>
    internal void Withdraw()
    {
        Mark(VersionKind.Removed);
        _writes.Clear();
        Fee.Write(UInt256.Zero);
    }

    private void Mark(VersionKind kind)
    {
        foreach (var version in _writes)
        {
            version.SetKind(kind);
        }
    }
}

/// <summary>What a transaction used of an account: whether it exists, and the parts that it looked at.</summary>
internal struct AccountRead
{
    public AccountLocation Location;
    public AccountFields Uses;

    /// <summary>Nobody had written to the account: what stands here of its parts does not count.</summary>
    public bool IsPristine;
    public StateRead Nonce, Balance, CodeHash, Life;

    internal readonly bool IsStill(int transaction)
    {
        if (IsPristine && Location.IsPristine)
        {
            return true;
        }

        return IsStill(transaction, AccountPart.Life, Life)
            && ((Uses & AccountFields.Nonce) == 0 || IsStill(transaction, AccountPart.Nonce, Nonce))
            && ((Uses & AccountFields.Balance) == 0 || IsStill(transaction, AccountPart.Balance, Balance))
            && ((Uses & AccountFields.Code) == 0 || IsStill(transaction, AccountPart.CodeHash, CodeHash));
    }

    private readonly bool IsStill(int transaction, AccountPart part, in StateRead answer)
    {
        if (!Location.TryResolve(transaction, part, out var now))
        {
            return false;
        }

        return IsPristine ? now.Transaction == -1 || now.Value == Location.BaseOf(part) : answer.IsStill(now);
    }
}

/// <summary>What a transaction read of a slot.</summary>
internal struct SlotRead
{
    public SlotLocation Location;
    public StateRead Answer;
}

/// <summary>A fee that others may add up while its transaction is executed again (a seqlock).</summary>
internal struct DeferredFee
{
    private int _sequence;
    private UInt256 _amount;

    internal void Write(in UInt256 amount)
    {
        if (_amount == amount)
        {
            return;
        }

        Volatile.Write(ref _sequence, _sequence + 1);
        Volatile.WriteBarrier();
        _amount = amount;
        Volatile.Write(ref _sequence, _sequence + 1);
    }

    internal UInt256 Read()
    {
        var spinner = default(SpinWait);
        while (true)
        {
            var before = Volatile.Read(ref _sequence);
            var amount = _amount;
            Volatile.ReadBarrier();
            if ((before & 1) == 0 && Volatile.Read(ref _sequence) == before)
            {
                return amount;
            }

            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }
}
