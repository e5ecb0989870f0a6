using System.Collections.Concurrent;
using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Nodes;

/// <summary>The pool's transactions in the store, so that an answered submission outlives the process.</summary>
/// <remarks>
/// <code>
///   taken by the pool ─▶ Keep: one batch ─▶ the client gets its hash
///   left the pool (in a block, dropped) ─▶ forgotten with the next Keep, block or the end
///   start ─▶ Replay: offered to the pool again, in the order of senders and nonces
/// </code>
/// Holds what the pool holds and what left it since the last write, so it is bounded as the pool is. A block is in the
/// store before its transactions leave the pool: a crash in between leaves them here, and the replay finds their
/// nonces used. A write is handed to the system when the call returns (kill -9 loses nothing; see ARCHITECTURE.md).
/// </remarks>
internal sealed class PoolJournal : IDisposable
{
    private const byte Prefix = (byte)'P';

    private readonly Lock _gate = new();
    private readonly IKeyValueStore _store;
    private readonly TransactionPool _pool;
    private readonly ConcurrentQueue<Hash256> _left = new();
    private long _kept;

    internal PoolJournal(IKeyValueStore store, TransactionPool pool)
    {
        (_store, _pool) = (store, pool);
        pool.Left += OnLeft;
    }

    /// <summary>Transactions written since the start, for metrics.</summary>
    internal long Kept => Volatile.Read(ref _kept);

    /// <summary>Writes what the pool took, before its senders are answered.</summary>
    internal void Keep(IReadOnlyList<PooledAnswer> taken)
    {
        lock (_gate)
        {
            using var batch = _store.CreateBatch();
            ForgetInto(batch);
            foreach (var (transaction, _) in taken)
            {
                batch.Put(Column.Consensus, Key(transaction.Hash), ValueOf(transaction));
            }

            _store.Write(batch);
            _kept += taken.Count;
        }

        foreach (var (transaction, _) in taken)
        {
            // It may have been mined, and forgotten here, before it was written.
            if (_pool.Find(transaction.Hash) is null)
            {
                _left.Enqueue(transaction.Hash);
            }
        }
    }

    /// <summary>Deletes what left the pool.</summary>
    internal void Forget()
    {
        if (_left.IsEmpty)
        {
            return;
        }

        lock (_gate)
        {
            using var batch = _store.CreateBatch();
            ForgetInto(batch);
            _store.Write(batch);
        }
    }

    /// <summary>Offers what an earlier process left behind; what the pool refuses now is forgotten.</summary>
    /// <returns>How many transactions the pool took.</returns>
    internal int Replay(TransactionIngest ingest)
    {
        var candidates = _store.Scan(Column.Consensus, new[] { Prefix })
            .Select(entry => Read(entry.Value)).ToArray();
        foreach (var candidate in candidates)
        {
            if (candidate.Transaction is { } transaction)
            {
                TransactionSigner.TryRecoverSender(transaction, out _);
            }
        }

        // By nonce within a sender, so that none waits behind a gap on the way.
        Array.Sort(candidates, static (left, right) => Order(left).CompareTo(Order(right)));
        var answers = new Submission[candidates.Length];
        ingest.Submit(candidates, answers);
        var taken = 0;
        foreach (var (candidate, answer) in candidates.Zip(answers))
        {
            if (answer.Error is null)
            {
                taken++;
            }
            else if (candidate.Transaction is { } refused)
            {
                _left.Enqueue(refused.Hash);
            }
        }

        Forget();
        return taken;
    }

    public void Dispose()
    {
        _pool.Left -= OnLeft;
        Forget();
    }

    private void OnLeft(Hash256 hash, TimeSpan waited) => _left.Enqueue(hash);

    private static (Address Sender, ulong Nonce) Order(in TransactionIngest.Candidate candidate) =>
        (candidate.Transaction?.Sender ?? default, candidate.Transaction?.Nonce ?? 0);

    /// <summary>Under the lock, so that a transaction that comes again is written after it was deleted.</summary>
    private void ForgetInto(IWriteBatch batch)
    {
        while (_left.TryDequeue(out var hash))
        {
            batch.Delete(Column.Consensus, Key(hash));
        }
    }

    /// <summary>The envelope; behind a zero byte where it was sent in a name (no envelope begins with it).</summary>
    private static byte[] ValueOf(Transaction transaction)
    {
        var envelope = TransactionCodec.Encode(transaction);
        return Impersonation.Is(transaction) ? [0, .. envelope] : envelope;
    }

    private static TransactionIngest.Candidate Read(ReadOnlySpan<byte> value)
    {
        var isImpersonated = value.Length > 0 && value[0] == 0;
        var candidate = TransactionIngest.Decode(isImpersonated ? value[1..] : value);
        if (isImpersonated && candidate.Transaction is { } transaction)
        {
            Impersonation.Restore(transaction);
        }

        return candidate;
    }

    private static byte[] Key(in Hash256 hash) => [Prefix, .. hash.Bytes];
}
