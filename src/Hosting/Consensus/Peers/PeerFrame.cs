using System.Buffers.Binary;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>What a frame says before its messages.</summary>
/// <param name="Codec">How the messages are compressed.</param>
/// <param name="WantsAnswer">The receiver acknowledges at once, also what it does not have to.</param>
/// <param name="Number">The first message's number; in an acknowledgement the last message's that arrived.</param>
/// <param name="Stamp">The sender's clock; an acknowledgement carries the newest one that arrived.</param>
internal readonly record struct PeerFrame(PeerCodec Codec, bool WantsAnswer, ulong Number, long Stamp)
{
    /// <summary>The longest frame: one message of the greatest size.</summary>
    internal const int MaximumBytes = Limits.MessageBytes + (64 << 10);

    /// <summary>Messages are gathered up to here; a longer one goes alone.</summary>
    internal const int GatheredBytes = 512 << 10;

    /// <summary>The most messages of one frame.</summary>
    internal const int MaximumMessages = 4_096;

    /// <summary>
    /// <code>
    ///   codec 1 │ wants answer 1 │ number 8 │ stamp 8 │ size 4 │ { length 4 │ message }…       (integers big-endian)
    /// </code>
    /// The size is that of the messages before compression.
    /// </summary>
    internal const int HeadBytes = 22;

    internal void Write(Span<byte> into, int size)
    {
        (into[0], into[1]) = ((byte)Codec, WantsAnswer ? (byte)1 : (byte)0);
        BinaryPrimitives.WriteUInt64BigEndian(into[2..], Number);
        BinaryPrimitives.WriteInt64BigEndian(into[10..], Stamp);
        BinaryPrimitives.WriteInt32BigEndian(into[18..], size);
    }

    /// <summary>False where the head is malformed, or the size above its limit.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> frame, out PeerFrame head, out int size)
    {
        (head, size) = (default, 0);
        if (frame.Length < HeadBytes || frame[0] > (byte)PeerCodec.Brotli || frame[1] > 1)
        {
            return false;
        }

        size = BinaryPrimitives.ReadInt32BigEndian(frame[18..]);
        head = new PeerFrame(
            (PeerCodec)frame[0], frame[1] == 1, BinaryPrimitives.ReadUInt64BigEndian(frame[2..]),
            BinaryPrimitives.ReadInt64BigEndian(frame[10..]));
        return size is >= 0 and <= MaximumBytes
            && (head.Codec != PeerCodec.None || size == frame.Length - HeadBytes);
    }

    /// <summary>
    /// Takes the next message off; false at the end and, with a reason, where what follows is malformed.
    /// </summary>
    internal static bool TryTake(
        ref ReadOnlySpan<byte> messages, out ConsensusMessage? message, out int bytes, out DropReason? refusal)
    {
        (message, bytes, refusal) = (null, 0, null);
        if (messages.IsEmpty)
        {
            return false;
        }

        var length = messages.Length < 4 ? -1 : BinaryPrimitives.ReadInt32BigEndian(messages);
        if (length < 0 || length > messages.Length - 4)
        {
            refusal = DropReason.Malformed;
            return false;
        }

        if (length > Limits.MessageBytes)
        {
            refusal = DropReason.Oversized;
            return false;
        }

        if (!MessageCodec.TryDecode(messages.Slice(4, length), out message))
        {
            refusal = DropReason.Malformed;
            return false;
        }

        bytes = length;
        messages = messages[(4 + length)..];
        return true;
    }
}
