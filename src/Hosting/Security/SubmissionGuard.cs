using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Security;

/// <summary>The rules against spam that a transaction meets before the pool.</summary>
/// <remarks>
/// The floor is asked before the signature is checked, which costs most; the rates after, as only then the sender is
/// known. The limit of a sender's pending transactions is the pool's (<c>MempoolOptions.MaximumPerSender</c>).
/// Safe for concurrent use.
/// </remarks>
internal sealed class SubmissionGuard
{
    private readonly BucketPartitions<Address>? _senders;
    private readonly BucketPartitions<ulong>? _payloads;
    private readonly UInt256 _floor;
    private long _belowFloor;
    private long _limitedBySender;
    private long _duplicates;

    internal SubmissionGuard(SecurityOptions options, TimeProvider clock)
    {
        _floor = options.FeeFloor;
        _senders = options.PerSender is { } each ? new(each, options.MaximumPartitions, clock) : null;
        _payloads = options.Duplicates is { } alike ? new(alike, options.MaximumPartitions, clock) : null;
    }

    internal long BelowFloor => Interlocked.Read(ref _belowFloor);

    internal long LimitedBySender => Interlocked.Read(ref _limitedBySender);

    internal long Duplicates => Interlocked.Read(ref _duplicates);

    /// <summary>Senders with a bucket of their own.</summary>
    internal int Senders => _senders?.Count ?? 0;

    /// <summary>Why the transaction is refused before its signature is looked at; null where it is not.</summary>
    internal string? CheckFee(Transaction transaction)
    {
        if (transaction.MaxFeePerGas >= _floor)
        {
            return null;
        }

        Interlocked.Increment(ref _belowFloor);
        return $"transaction underpriced: max fee per gas {transaction.MaxFeePerGas} is below the floor of {_floor}";
    }

    /// <summary>Why a transaction of a known sender is put off; null where it is not.</summary>
    internal string? CheckRate(Transaction transaction)
    {
        var sender = transaction.Sender!.Value;
        if (_senders is not null && !_senders.Of(sender).TryTake(1, out var wait))
        {
            Interlocked.Increment(ref _limitedBySender);
            return $"too many transactions of the sender, try again in {Seconds(wait)} s";
        }

        if (_payloads is not null && !_payloads.Of(PayloadOf(transaction, sender)).TryTake(1, out wait))
        {
            Interlocked.Increment(ref _duplicates);
            return $"too many transactions alike from the sender, try again in {Seconds(wait)} s";
        }

        return null;
    }

    private static int Seconds(TimeSpan wait) => (int)Math.Ceiling(wait.TotalSeconds);

    /// <summary>Stands for sender, recipient, value and data; two that meet share a bucket, without harm.</summary>
    private static ulong PayloadOf(Transaction transaction, in Address sender)
    {
        Span<byte> whole = stackalloc byte[20 + 20 + 32 + 32];
        whole.Clear();
        sender.Bytes.CopyTo(whole);
        transaction.To?.Bytes.CopyTo(whole[20..]);
        transaction.Value.WriteBigEndian(whole[40..]);
        Keccak256.Hash(transaction.Data.Span).Bytes.CopyTo(whole[72..]);
        return BitConverter.ToUInt64(Keccak256.Hash(whole).Bytes);
    }
}
