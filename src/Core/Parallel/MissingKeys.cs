using SuperVm.Core.Execution;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>Suspended transactions and the keys they wait for; fetches many keys with one round trip.</summary>
internal sealed class MissingKeys(IStateLoader? loader, BlockStm scheduler)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<MissingKey, List<int>> _waiting = [];
    private readonly HashSet<MissingKey> _underWay = [];

    /// <summary>Fetches what every execution will read first: senders, recipients and the coinbase.</summary>
    internal static void Prefetch(BlockInput input, IStateLoader? loader)
    {
        if (loader is null)
        {
            return;
        }

        var keys = new HashSet<MissingKey> { Account(input.Context.Coinbase) };
        foreach (var transaction in input.Transactions)
        {
            keys.Add(Account(transaction.Sender.GetValueOrDefault()));
            if (transaction.To is { } recipient)
            {
                keys.Add(Account(recipient));
            }
        }

        foreach (var chunk in keys.Chunk(ParallelTransactionRunner.FetchLimit))
        {
            loader.Load(chunk);
        }
    }

    internal void Add(int transaction, IReadOnlyList<MissingKey> keys)
    {
        if (loader is null || keys.Count == 0)
        {
            throw new InvalidOperationException("A state reader answered NotLoaded but cannot load.");
        }

        // Execution stops at its first missing key, so there is one.
        lock (_lock)
        {
            if (!_waiting.TryGetValue(keys[0], out var transactions))
            {
                _waiting[keys[0]] = transactions = [];
            }

            transactions.Add(transaction);
        }
    }

    /// <summary>
    /// Fetches up to the limit of the waiting keys and resumes who waited; false where none is waiting.
    /// </summary>
    internal bool TryLoad()
    {
        if (loader is null)
        {
            return false;
        }

        var keys = new List<MissingKey>(ParallelTransactionRunner.FetchLimit);
        lock (_lock)
        {
            foreach (var key in _waiting.Keys)
            {
                if (keys.Count < ParallelTransactionRunner.FetchLimit && _underWay.Add(key))
                {
                    keys.Add(key);
                }
            }
        }

        if (keys.Count == 0)
        {
            return false;
        }

        loader.Load(keys);
        Resume(keys);
        return true;
    }

    private void Resume(List<MissingKey> keys)
    {
        var resumed = new List<int>();
        lock (_lock)
        {
            foreach (var key in keys)
            {
                _underWay.Remove(key);
                if (_waiting.Remove(key, out var transactions))
                {
                    resumed.AddRange(transactions);
                }
            }
        }

        foreach (var transaction in resumed)
        {
            scheduler.Resume(transaction);
        }
    }

    private static MissingKey Account(in Address address) => new(MissingKind.Account, address, default, default);
}
