namespace SuperVm.Core.Parallel;

/// <summary>Validation ahead of the commits: it only finds conflicts earlier, no result rests on it.</summary>
internal sealed partial class BlockStm
{
    private bool TryValidateNext(int worker)
    {
        if (!_options.ValidateAhead)
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
    /// Validates what waits for its commit, because there is nothing else to do: what has to be executed again, then
    /// need not be when its turn comes. One sweep over all that waits for each time that a commit has come.
    /// </summary>
    private bool TryValidateWaiting(int worker, ref Range sweep)
    {
        var commit = Volatile.Read(ref _shared.CommitIndex);
        if (sweep.Next >= sweep.End && sweep.Start != commit)
        {
            // The next to be committed is validated by who commits it.
            sweep = new Range
            {
                Start = commit, Next = commit + 1,
                End = Math.Min(Volatile.Read(ref _shared.ExecutionIndex), _count),
            };
        }

        sweep.Next = Math.Max(sweep.Next, commit + 1);
        if (sweep.Next >= sweep.End)
        {
            return false;
        }

        ValidateAhead(worker, sweep.Next++);
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
        if (_options.ValidateAhead)
        {
            Lower(ref _shared.ValidationIndex, transaction + 1);
        }

        Execute(worker, transaction);
    }
}
