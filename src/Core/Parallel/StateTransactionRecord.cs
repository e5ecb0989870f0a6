using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>A transaction's last incarnation: what it read, what it wrote, how it ended.</summary>
internal sealed class StateTransactionRecord
{
    private readonly List<Read> _reads = [];
    private List<VersionChain<UInt256>.Version> _writes = [];
    private List<VersionChain<UInt256>.Version> _earlier = [];
    private readonly List<(AccountLocation Account, VersionChain<UInt256>.Version Version)> _additions = [];

    internal int Incarnation { get; private set; }

    internal TransactionOutcome Outcome { get; set; }

    internal Log[] Logs { get; set; } = [];

    internal Bloom Bloom { get; set; } = Bloom.Empty;

    /// <summary>Code that it deployed.</summary>
    internal List<Code> NewCode { get; } = [];

    /// <summary>Forgets the block before; versions of it must not be touched again.</summary>
    internal void Reset()
    {
        Incarnation = 0;
        _reads.Clear();
        _writes.Clear();
        _earlier.Clear();
        _additions.Clear();
        NewCode.Clear();
        Logs = [];
    }

    internal void Begin()
    {
        Incarnation++;
        _reads.Clear();
        NewCode.Clear();
        _additions.Clear();
        (_writes, _earlier) = (_earlier, _writes);
        _writes.Clear();
    }

    internal void AddRead(StateLocation location, AccountPart part, in StateRead read) =>
        _reads.Add(new Read(location, part, read));

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
    }

    internal bool Revalidate(int transaction)
    {
        foreach (var read in _reads)
        {
            if (!read.Location.TryResolve(transaction, read.Part, out var now))
            {
                return false;
            }

            var sameVersion = now.Transaction == read.Answer.Transaction && now.Transaction != -2
                && now.Incarnation == read.Answer.Incarnation;
            if (!sameVersion && now.Value != read.Answer.Value)
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
    }

    private void Mark(VersionKind kind)
    {
        foreach (var version in _writes)
        {
            version.SetKind(kind);
        }
    }

    private readonly record struct Read(StateLocation Location, AccountPart Part, StateRead Answer);
}
