using System.Diagnostics.CodeAnalysis;
using SuperVm.Core.Consensus;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>
/// What consensus needs to know of transactions, and the decoded ones on their way to a block: each is decoded once,
/// and its sender is recovered once.
/// </summary>
/// <remarks>
/// The answers are a pure function of the bytes; the memory only saves work. Signatures are not checked here: the block
/// leaves out what has no sender. Safe for concurrent use.
/// </remarks>
internal sealed class TransactionCache(ulong chainId) : ITransactionInspector
{
    private const int MaximumTransactions = 65_536;
    private const long MaximumBytes = 64L << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<Hash256, Transaction> _known = [];
    private readonly Queue<(Hash256 Hash, int Bytes)> _order = [];
    private long _bytes;

    public bool TryInspect(ReadOnlySpan<byte> transaction, out Hash256 hash, out ulong gas)
    {
        hash = Keccak256.Hash(transaction);
        if (!TryGet(hash, transaction, out var decoded))
        {
            gas = 0;
            return false;
        }

        gas = decoded.GasLimit;
        return true;
    }

    /// <summary>The transaction with these bytes; false where they are none of this chain.</summary>
    internal bool TryGet(in Hash256 hash, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Transaction? transaction)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(hash, out transaction))
            {
                return true;
            }
        }

        var decoded = TransactionCodec.Decode(bytes);
        if (!decoded.Succeeded || (decoded.Value.ChainId is { } chain && chain != chainId))
        {
            transaction = null;
            return false;
        }

        transaction = decoded.Value;
        Add(hash, transaction, bytes.Length);
        return true;
    }

    /// <summary>Empties it: what comes again is decoded again.</summary>
    internal void Forget()
    {
        lock (_gate)
        {
            _known.Clear();
            _known.TrimExcess();
            _order.Clear();
            _order.TrimExcess();
            _bytes = 0;
        }
    }

    /// <summary>Remembers a transaction whose sender is known already.</summary>
    internal void Add(in Hash256 hash, Transaction transaction, int bytes)
    {
        lock (_gate)
        {
            if (!_known.TryAdd(hash, transaction))
            {
                return;
            }

            _order.Enqueue((hash, bytes));
            _bytes += bytes;
            while (_order.Count > MaximumTransactions || _bytes > MaximumBytes)
            {
                var oldest = _order.Dequeue();
                _known.Remove(oldest.Hash);
                _bytes -= oldest.Bytes;
            }
        }
    }
}
