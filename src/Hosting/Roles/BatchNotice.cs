using System.Buffers.Binary;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Roles;

/// <summary>
/// The message that says: this batch is ordered, and with it all before it. The body lies in the archive.
/// </summary>
/// <remarks>
/// <code>
/// 'B'  sequence (8, big-endian)  digest (32)
/// 'H'                                          nothing is ordered: an operator wakes execution, to begin the chain
/// </code>
/// </remarks>
public static class BatchNotice
{
    /// <summary>Bytes of a notice.</summary>
    public const int Bytes = 1 + sizeof(ulong) + Hash256.Size;

    private const byte Kind = (byte)'B';

    /// <summary>Whether the message only wakes whoever takes it.</summary>
    public static bool IsCall(ReadOnlySpan<byte> body) => body is [(byte)'H'];

    public static byte[] Encode(in BatchPlace place)
    {
        var body = new byte[Bytes];
        body[0] = Kind;
        BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(1), place.Sequence);
        place.Digest.CopyTo(body.AsSpan(1 + sizeof(ulong)));
        return body;
    }

    public static bool TryDecode(ReadOnlySpan<byte> body, out BatchPlace place)
    {
        if (body.Length != Bytes || body[0] != Kind)
        {
            place = default;
            return false;
        }

        place = new(
            BinaryPrimitives.ReadUInt64BigEndian(body[1..]), new Hash256(body[(1 + sizeof(ulong))..]));
        return true;
    }
}
