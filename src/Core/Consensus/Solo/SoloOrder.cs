using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Solo;

/// <summary>A message with transactions: its name, the same at every delivery, and what it carries.</summary>
public readonly record struct OrderedMessage(string Id, IReadOnlyList<ReadOnlyMemory<byte>> Transactions);

/// <summary>What a step made: the state to save, and the batches to keep before and to announce after.</summary>
/// <param name="State">The state after the step.</param>
/// <param name="Batches">In order.</param>
/// <param name="Refused">Bytes that are no transaction of this chain.</param>
public sealed record SoloStep(SoloState State, IReadOnlyList<Batch> Batches, int Refused);

/// <summary>
/// Orders transactions for a chain of one operator (n = 1, f = 0): no rounds, one pure function.
/// </summary>
/// <remarks>
/// <code>
///   messages ──Step──▶ batches, each naming the one before ──▶ kept by digest ──▶ state saved (compare-and-swap)
///                                                                                  └──▶ the last one announced
/// </code>
/// A message that was taken before changes nothing. A transaction that comes twice in one step is ordered once; one
/// that
/// comes again later is ordered again and left out by its block, as its nonce is used.
/// </remarks>
public sealed class SoloOrder(in Address proposer, ulong gasLimit, ITransactionInspector inspector)
{
    /// <summary>Transactions of a batch.</summary>
    public const int MostTransactions = 4_096;

    /// <summary>Bytes of a batch's transactions; a larger transaction has a batch of its own.</summary>
    public const int MostBytes = 1 << 20;

    private readonly Address _proposer = proposer;
    private readonly ulong _gasLimit = gasLimit;

    /// <param name="state">The state before.</param>
    /// <param name="messages">Messages in the order in which they came.</param>
    /// <param name="nowSeconds">Seconds since 1970; a batch is never older than the one before.</param>
    public SoloStep Step(SoloState state, IReadOnlyList<OrderedMessage> messages, ulong nowSeconds)
    {
        var known = new HashSet<UInt128>(state.Taken);
        var taken = new List<UInt128>(state.Taken);
        var seen = new HashSet<Hash256>();
        var maker = new BatchMaker(this, state, Math.Max(state.Timestamp, nowSeconds));
        var refused = 0;
        foreach (var message in messages)
        {
            var mark = SoloState.Mark(message.Id);
            if (!known.Add(mark))
            {
                continue;
            }

            taken.Add(mark);
            foreach (var transaction in message.Transactions)
            {
                if (!inspector.TryInspect(transaction.Span, out var hash, out _))
                {
                    refused++;
                }
                else if (seen.Add(hash))
                {
                    maker.Add(hash, transaction.ToArray());
                }
            }
        }

        maker.Close();
        taken.RemoveRange(0, Math.Max(0, taken.Count - SoloState.MostTaken));
        var batches = maker.Batches;
        return new(
            new(
                maker.Last,
                batches.Count > 0 ? batches[^1].Header.Timestamp : state.Timestamp,
                taken),
            batches,
            refused);
    }

    private sealed class BatchMaker(SoloOrder order, SoloState state, ulong timestamp)
    {
        private readonly List<Hash256> _hashes = [];
        private readonly List<byte[]> _transactions = [];
        private int _bytes;

        internal List<Batch> Batches { get; } = [];

        internal BatchPlace Last { get; private set; } = state.Last;

        internal void Add(in Hash256 hash, byte[] transaction)
        {
            if (_hashes.Count == MostTransactions || (_hashes.Count > 0 && _bytes + transaction.Length > MostBytes))
            {
                Close();
            }

            _hashes.Add(hash);
            _transactions.Add(transaction);
            _bytes += transaction.Length;
        }

        internal void Close()
        {
            if (_hashes.Count == 0)
            {
                return;
            }

            var sequence = Last.Sequence + 1;
            var header = new BatchHeader(
                sequence, 0, 0, Last.Digest, order._proposer, timestamp, BatchHeader.RandaoAfter(Last.Digest, sequence),
                order._gasLimit, BatchHeader.HashOf(_hashes), _hashes.Count);
            Batches.Add(new Batch(header, [.. _hashes], [.. _transactions]));
            Last = new(sequence, header.Digest);
            _hashes.Clear();
            _transactions.Clear();
            _bytes = 0;
        }
    }
}
