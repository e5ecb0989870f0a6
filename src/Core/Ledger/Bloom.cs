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

    /// <summary>The union of several blooms.</summary>
    public static Bloom Union(IEnumerable<Bloom> blooms)
    {
        var bits = new byte[Size];
        foreach (var bloom in blooms)
        {
            if (!ReferenceEquals(bloom, Empty))
            {
                for (var i = 0; i < Size; i++)
                {
                    bits[i] |= bloom._bits[i];
                }
            }
        }

        return new Bloom(bits);
    }

    /// <summary>Whether the value may have been added; false is certain.</summary>
    public bool MayContain(ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[32];
        Keccak256.Hash(value, hash);
        for (var i = 0; i < 6; i += 2)
        {
            var (index, mask) = Place(hash[i..]);
            if ((_bits[index] & mask) == 0)
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
            var (index, mask) = Place(hash[i..]);
            bits[index] |= mask;
        }
    }

    private static (int Index, byte Mask) Place(ReadOnlySpan<byte> pair)
    {
        var bit = ((pair[0] << 8) | pair[1]) & 0x7FF;
        return (Size - 1 - (bit / 8), (byte)(1 << (bit % 8)));
    }
}
