using System.Buffers.Binary;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>What lies in a replica's inbox.</summary>
/// <remarks>
/// <code>
///   00 …                                         packed transactions: an item's length begins with a zero byte
///   'T'  timer (1)  generation (8)               a time-out, sent to oneself with a delay
///   'X'  sequence (8)  digest (32)  block (32)   a batch was executed
///   'S'                                          the transfer of a state goes on
///   'I'  block (8)  hash (32)                    that state is in place
///   'W'                                          who is in no set looks where the others are
/// </code>
/// Integers are big-endian.
/// </remarks>
internal static class InboxMessage
{
    private const byte Timer = (byte)'T';
    private const byte Executed = (byte)'X';
    private const byte Watching = (byte)'W';
    private const byte Step = (byte)'S';
    private const byte InPlace = (byte)'I';
    private const int InstalledBytes = 1 + sizeof(ulong) + Hash256.Size;
    private const int TimerBytes = 2 + sizeof(ulong);
    private const int ExecutedBytes = 1 + sizeof(ulong) + (2 * Hash256.Size);

    /// <summary>The reminder of a replica that is in no set, and that nobody sends to.</summary>
    internal static byte[] Watch { get; } = [Watching];

    internal static bool IsWatch(ReadOnlySpan<byte> body) => body.Length == 1 && body[0] == Watching;

    /// <summary>What a message other than transactions is, for people; null where it is none.</summary>
    internal static string? WordsOf(ReadOnlyMemory<byte> body) => Read(body, 0) switch
    {
        TimerExpired timer => $"the time-out {timer.Timer}",
        BatchExecuted executed => $"batch {executed.Sequence} is executed",
        _ when IsSnapshotStep(body.Span) => "the transfer of a state goes on",
        _ when ReadInstalled(body.Span) is { } installed => $"the state of block {installed.Number} is in place",
        _ => IsWatch(body.Span) ? "a look at the other validators" : null,
    };

    /// <summary>Carries a transfer from step to step.</summary>
    internal static byte[] SnapshotStep { get; } = [Step];

    internal static bool IsSnapshotStep(ReadOnlySpan<byte> body) => body.Length == 1 && body[0] == Step;

    internal static byte[] Installed(ulong number, in Hash256 blockHash)
    {
        var body = new byte[InstalledBytes];
        body[0] = InPlace;
        BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(1), number);
        blockHash.CopyTo(body.AsSpan(1 + sizeof(ulong)));
        return body;
    }

    /// <summary>The block whose state the execution has put in place; null for another message.</summary>
    internal static (ulong Number, Hash256 BlockHash)? ReadInstalled(ReadOnlySpan<byte> body) =>
        body.Length == InstalledBytes && body[0] == InPlace
            ? (BinaryPrimitives.ReadUInt64BigEndian(body[1..]), new Hash256(body[(1 + sizeof(ulong))..]))
            : null;

    internal static byte[] Of(SetTimer timer)
    {
        var body = new byte[TimerBytes];
        (body[0], body[1]) = (Timer, (byte)timer.Timer);
        BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(2), timer.Generation);
        return body;
    }

    internal static byte[] Of(in BatchPlace place, in Hash256 block)
    {
        var body = new byte[ExecutedBytes];
        body[0] = Executed;
        BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(1), place.Sequence);
        place.Digest.CopyTo(body.AsSpan(1 + sizeof(ulong)));
        block.CopyTo(body.AsSpan(1 + sizeof(ulong) + Hash256.Size));
        return body;
    }

    /// <summary>The event that a body stands for; null where it is none.</summary>
    internal static ReplicaEvent? Read(ReadOnlyMemory<byte> body, long nowMs)
    {
        var span = body.Span;
        switch (span.Length == 0 ? 0 : span[0])
        {
            case Timer when span.Length == TimerBytes && span[1] <= (byte)TimerKind.Fetch:
                return new TimerExpired(
                    nowMs, (TimerKind)span[1], BinaryPrimitives.ReadUInt64BigEndian(span[2..]));
            case Executed when span.Length == ExecutedBytes:
                return new BatchExecuted(
                    nowMs, BinaryPrimitives.ReadUInt64BigEndian(span[1..]), new Hash256(span[^Hash256.Size..]), null);
            default:
                return ItemPacking.Unpack(body) is { Count: > 0 } items
                    ? new RequestsSubmitted(nowMs, items.ConvertAll(item => item.ToArray()))
                    : null;
        }
    }
}
