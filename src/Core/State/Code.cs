using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>Immutable contract code with its hash and what an engine worked out about it.</summary>
/// <remarks>
/// One instance a code hash is shared by all threads, so an analysis is done once. <see cref="Analysis"/> may be
/// written by several threads at once; all write equal values.
/// </remarks>
public sealed class Code
{
    /// <summary>Zero bytes (STOP) behind the code, so that a PUSH32 at its end reads in bounds.</summary>
    public const int Padding = 33;

    private static readonly byte[] DelegationPrefix = [0xEF, 0x01, 0x00];

    private readonly byte[] _padded;

    public Code(ReadOnlySpan<byte> bytes, Hash256? hash = null)
    {
        _padded = new byte[bytes.Length + Padding];
        bytes.CopyTo(_padded);
        Length = bytes.Length;
        Hash = hash ?? Keccak256.Hash(bytes);
    }

    public static Code Empty { get; } = new([], Keccak256.OfEmpty);

    public Hash256 Hash { get; }

    /// <summary>Bytes, without the padding.</summary>
    public int Length { get; }

    public ReadOnlySpan<byte> Bytes => _padded.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _padded.AsMemory(0, Length);

    /// <summary>The code followed by <see cref="Padding"/> zero bytes.</summary>
    public byte[] Padded => _padded;

    /// <summary>What an engine keeps about the code (jump destinations, compiled form).</summary>
    public object? Analysis { get; set; }

    /// <summary>The account whose code runs instead, where this is a delegation designator (EIP-7702).</summary>
    public bool IsDelegation(out Address target)
    {
        var isDelegation = Length == 23 && Bytes.StartsWith(DelegationPrefix);
        target = isDelegation ? new Address(Bytes[3..]) : default;
        return isDelegation;
    }

    /// <summary>The designator that delegates to the address (EIP-7702).</summary>
    public static Code DelegationTo(in Address target)
    {
        Span<byte> bytes = stackalloc byte[23];
        DelegationPrefix.CopyTo(bytes);
        target.CopyTo(bytes[3..]);
        return new Code(bytes);
    }
}
