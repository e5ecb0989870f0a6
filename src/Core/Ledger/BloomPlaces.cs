using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>The three bits of a logs bloom for an address or a topic, remembered for values of late.</summary>
/// <remarks>
/// A token's address and the topic of its event come with every transfer, and each costs a Keccak-256 otherwise.
/// Direct mapped; belongs to one thread. Forced collisions cost the hash that they would have cost anyway.
/// </remarks>
internal sealed class BloomPlaces
{
    private const int Entries = 1024;

    private readonly Entry[] _entries = new Entry[Entries];

    /// <summary>The bloom of some logs; the shared empty one where there are none.</summary>
    internal Bloom Of(ReadOnlySpan<Log> logs)
    {
        if (logs.IsEmpty)
        {
            return Bloom.Empty;
        }

        var bits = new byte[Bloom.Size];
        foreach (var log in logs)
        {
            Set(bits, log.Address.Bytes);
            foreach (ref readonly var topic in log.Topics.AsSpan())
            {
                Set(bits, topic.Bytes);
            }
        }

        return Bloom.Own(bits);
    }

    private void Set(byte[] bits, ReadOnlySpan<byte> value)
    {
        // An address is 20 bytes, a topic 32: what stands in the last twelve tells them apart but for one case in 2^96,
        // which the length settles.
        Unsafe.SkipInit(out Hash256 key);
        var bytes = MemoryMarshal.AsBytes(new Span<Hash256>(ref key));
        bytes.Clear();
        value.CopyTo(bytes);
        ref var entry = ref _entries[(key.GetHashCode() ^ value.Length) & (Entries - 1)];
        if (entry.Length != value.Length || entry.Key != key)
        {
            Span<byte> hash = stackalloc byte[32];
            Keccak256.Hash(value, hash);
            entry = new Entry(
                key, value.Length, Bloom.BitAt(hash), Bloom.BitAt(hash[2..]), Bloom.BitAt(hash[4..]));
        }

        Bloom.Set(bits, entry.First);
        Bloom.Set(bits, entry.Second);
        Bloom.Set(bits, entry.Third);
    }

    private readonly record struct Entry(Hash256 Key, int Length, ushort First, ushort Second, ushort Third);
}
