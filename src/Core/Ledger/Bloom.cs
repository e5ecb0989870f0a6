using System.Runtime.Intrinsics;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>The 2,048-bit logs bloom (Yellow Paper, 4.3.1): three bits for each address and topic.</summary>
public sealed class Bloom : IEquatable<Bloom>
{
    public const int Size = 256;

    private readonly byte[] _bits;

    /// <summary>Copies exactly 256 bytes.</summary>
    /// <exception cref="ArgumentException">Another length.</exception>
    public Bloom(ReadOnlySpan<byte> bits)
    {
        if (bits.Length != Size)
        {
            throw new ArgumentException("A logs bloom has 256 bytes.");
        }

        _bits = bits.ToArray();
    }

    private Bloom(byte[] bits) => _bits = bits;

    public static Bloom Empty { get; } = new(new byte[Size]);

    public ReadOnlySpan<byte> Bytes => _bits;

    /// <summary>The bloom of some logs; the shared empty one where there are none.</summary>
    public static Bloom Of(IReadOnlyList<Log> logs)
    {
        if (logs.Count == 0)
        {
            return Empty;
        }

        var bits = new byte[Size];
        foreach (var log in logs)
        {
            Set(bits, log.Address.Bytes);
            foreach (var topic in log.Topics)
            {
                Set(bits, topic.Bytes);
            }
        }

        return new Bloom(bits);
    }

    /// <summary>The union of several blooms; the shared empty one where all are that.</summary>
    public static Bloom Union(IEnumerable<Bloom> blooms)
    {
        byte[]? bits = null;
        foreach (var bloom in blooms)
        {
            if (!ReferenceEquals(bloom, Empty))
            {
                bits ??= new byte[Size];
                OrInto(bits, bloom._bits);
            }
        }

        return bits is null ? Empty : new Bloom(bits);
    }

    /// <summary>Takes 256 bytes over that nobody else changes.</summary>
    internal static Bloom Own(byte[] bits) => new(bits);

    /// <summary>The bit, 0 to 2,047, that two bytes of a hash stand for.</summary>
    internal static ushort BitAt(ReadOnlySpan<byte> pair) => (ushort)(((pair[0] << 8) | pair[1]) & 0x7FF);

    internal static void Set(byte[] bits, int bit) => bits[Size - 1 - (bit / 8)] |= (byte)(1 << (bit % 8));

    private static void OrInto(byte[] bits, byte[] others)
    {
        for (var i = 0; i < Size; i += Vector256<byte>.Count)
        {
            (Vector256.LoadUnsafe(ref bits[i]) | Vector256.LoadUnsafe(ref others[i])).StoreUnsafe(ref bits[i]);
        }
    }

    /// <summary>Whether the value may have been added; false is certain.</summary>
    public bool MayContain(ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[32];
        Keccak256.Hash(value, hash);
        for (var i = 0; i < 6; i += 2)
        {
            var bit = BitAt(hash[i..]);
            if ((_bits[Size - 1 - (bit / 8)] & (1 << (bit % 8))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(Bloom? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => Equals(obj as Bloom);

    public override int GetHashCode() => BitConverter.ToInt32(_bits, 0);

    public override string ToString() => Hex.Encode(_bits);

    private static void Set(byte[] bits, ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[32];
        Keccak256.Hash(value, hash);
        for (var i = 0; i < 6; i += 2)
        {
            Set(bits, BitAt(hash[i..]));
        }
    }
}
