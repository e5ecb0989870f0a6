namespace SuperVm.Core.Parallel;

/// <summary>Validation ahead of the commits: it only finds conflicts earlier, no result rests on it.</summary>
internal sealed partial class BlockStm
{
    /// <summary>Whether workers validate before a transaction's turn.</summary>
    private bool ValidatesAhead => Volatile.Read(ref _shared.ValidatesAhead) != 0;

    /// <summary>
    /// Begins to validate ahead where many of the last transactions were in conflict: what has to be executed again
    /// then is found while others are committed, and nobody waits for the one who commits. Not where a worker commits
    /// what it took as a batch: validation by another would only take the lines out of its cache.
    /// </summary>
    private void AdaptValidation(int committed)
    {
        if (!ValidatesAhead && _options.Batch == 1 && _shared.Hindered >= BlockStmOptions.HinderedToValidateAhead)
        {
            Volatile.Write(ref _shared.ValidationIndex, committed);
            Volatile.Write(ref _shared.ValidatesAhead, 1);
        }
    }

    private bool TryValidateNext(int worker)
    {
        if (!ValidatesAhead)
        {
            return false;
        }

        var limit = Math.Min(Volatile.Read(ref _shared.ExecutionIndex), _count);
        if (Volatile.Read(ref _shared.ValidationIndex) >= limit)
        {
            return false;
        }

        var next = Interlocked.Increment(ref _shared.ValidationIndex) - 1;
        if (next >= limit || next < Volatile.Read(ref _shared.CommitIndex))
        {
            return next < limit;
        }

        ValidateAhead(worker, next);
        return true;
    }

    /// <summary>
    /// Validates a transaction before its turn, if it is executed, and executes it again if it must be.
    /// </summary>
    private void ValidateAhead(int worker, int transaction)
    {
        ref var status = ref _slots[transaction].Status;
        var current = Volatile.Read(ref status);
        if ((current & StateMask) != Executed
            || Interlocked.CompareExchange(ref status, (current & ~StateMask) | Committing, current) != current)
        {
            return;
        }

        _options.Interleaving?.Invoke(worker);
        if (_client.Validate(worker, transaction))
        {
            Volatile.Write(ref status, current);
            return;
        }

        Abort(worker, transaction);
        if (ValidatesAhead)
        {
            Lower(ref _shared.ValidationIndex, transaction + 1);
        }

        Execute(worker, transaction);
    }
}
