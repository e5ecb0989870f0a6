using System.Net;
using System.Net.Sockets;

namespace SuperVm.Hosting.Security;

/// <summary>Who sends a body, as far as it is known.</summary>
/// <param name="Origin">The part of the network address that limits count by; 0 where there is none.</param>
/// <param name="MayCall">Whether JSON-RPC is open to it.</param>
/// <param name="MayManage">Whether methods that change time, accounts and history are.</param>
/// <param name="Key">The short name of the key that it showed, for the audit log.</param>
internal readonly record struct RpcCaller(ulong Origin, bool MayCall, bool MayManage, string? Key)
{
    /// <summary>Who is within this process: everything is open, nothing counted.</summary>
    internal static RpcCaller Local { get; } = new(0, true, true, null);

    /// <summary>
    /// An IPv4 address, or the upper 64 bits of an IPv6 one: the smallest block that one customer is given.
    /// </summary>
    internal static ulong OriginOf(IPAddress? address)
    {
        if (address is null)
        {
            return 0;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? 0xFFFF_0000_0000UL | System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    /// <summary>The origin with its customer's part blotted out, as the audit log may keep it.</summary>
    internal string RedactedOrigin => (Origin >> 32) == 0xFFFF
        ? $"{(byte)(Origin >> 24)}.{(byte)(Origin >> 16)}.x.x"
        : Origin == 0 ? "-" : $"{Origin >> 48:x}:{(ushort)(Origin >> 32):x}:x";
}
