using SuperVm.Core.Primitives;

namespace SuperVm.Core.Mempool;

/// <summary>One sender's transactions by nonce.</summary>
/// <remarks>
/// <code>
///   nonces   … 4 | 5 6 7 | _ | 9 10
///       StateNonce ┘       └ PendingEnd: 5 to 7 are pending, 9 and 10 queued behind the gap
/// </code>
/// </remarks>
internal sealed class SenderQueue(Address sender, ulong stateNonce, UInt256 balance)
{
    private readonly Dictionary<ulong, PooledTransaction> _byNonce = [];

    internal Address Sender => sender;

    /// <summary>The nonce in the state.</summary>
    internal ulong StateNonce { get; private set; } = stateNonce;

    /// <summary>Wei in the state.</summary>
    internal UInt256 Balance { get; private set; } = balance;

    /// <summary>The first nonce from <see cref="StateNonce"/> on that no transaction here has.</summary>
    internal ulong PendingEnd { get; private set; } = stateNonce;

    /// <summary>What all of them cost at most; admission keeps it within the balance at that time.</summary>
    internal UInt256 TotalCost { get; private set; }

    internal int Count => _byNonce.Count;

    internal int PendingCount => (int)(PendingEnd - StateNonce);

    internal int QueuedCount => Count - PendingCount;

    internal IEnumerable<PooledTransaction> All => _byNonce.Values;

    internal PooledTransaction? Find(ulong nonce) => _byNonce.GetValueOrDefault(nonce);

    /// <summary>Puts it at its nonce, where there is none.</summary>
    internal void Add(PooledTransaction entry)
    {
        _byNonce.Add(entry.Transaction.Nonce, entry);
        TotalCost += entry.Cost;
        while (_byNonce.ContainsKey(PendingEnd))
        {
            PendingEnd++;
        }
    }

    /// <summary>Takes it out; those after it become queued.</summary>
    internal void Remove(PooledTransaction entry)
    {
        var nonce = entry.Transaction.Nonce;
        _byNonce.Remove(nonce);
        TotalCost -= entry.Cost;
        entry.IsIn = false;
        if (nonce >= StateNonce && nonce < PendingEnd)
        {
            PendingEnd = nonce;
        }
    }

    /// <summary>Takes the account as the state has it now, and takes out the transactions below its nonce.</summary>
    /// <param name="stateNonce">The account's nonce.</param>
    /// <param name="balance">Wei.</param>
    /// <param name="passed">Receives what was taken out.</param>
    internal void SetAccount(ulong stateNonce, in UInt256 balance, List<PooledTransaction> passed)
    {
        for (var nonce = StateNonce; nonce < Math.Min(stateNonce, PendingEnd); nonce++)
        {
            Pass(_byNonce[nonce], passed);
        }

        if (stateNonce < StateNonce || stateNonce > PendingEnd)
        {
            foreach (var entry in _byNonce.Values.Where(entry => entry.Transaction.Nonce < stateNonce).ToList())
            {
                Pass(entry, passed);
            }

            PendingEnd = stateNonce;
        }

        StateNonce = stateNonce;
        Balance = balance;
        while (_byNonce.ContainsKey(PendingEnd))
        {
            PendingEnd++;
        }
    }

    private void Pass(PooledTransaction entry, List<PooledTransaction> passed)
    {
        _byNonce.Remove(entry.Transaction.Nonce);
        TotalCost -= entry.Cost;
        entry.IsIn = false;
        passed.Add(entry);
    }
}
