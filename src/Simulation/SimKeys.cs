using System.Buffers.Binary;
using System.Runtime.InteropServices;
using SuperVm.Core.Consensus;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>
/// Signatures as keyed hashes: nobody in the simulation can make one without the secret, and checking takes
/// nanoseconds.
/// </summary>
internal sealed class SimKeys : ISignatureVerifier
{
    private readonly Dictionary<Address, ulong> _secrets = [];

    private SimKeys(int count)
    {
        var addresses = new Address[count];
        Span<byte> seed = stackalloc byte[8];
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(seed, i + 1);
            addresses[i] = new Address(Keccak256.Hash(seed).Bytes[12..]);
            _secrets.Add(addresses[i], SimRandom.Mix((ulong)i + 0xABCDEF));
        }

        Addresses = addresses;
    }

    /// <summary>Keys of the most replicas a run may have.</summary>
    internal static SimKeys Shared { get; } = new(32);

    internal IReadOnlyList<Address> Addresses { get; }

    internal IConsensusSigner Signer(int node) => new KeyedSigner(this, Addresses[node]);

    public bool Verify(in Address signer, in Hash256 digest, ReadOnlySpan<byte> signature) =>
        signature.Length == 16 && _secrets.TryGetValue(signer, out var secret)
        && Tag(secret, digest) == BinaryPrimitives.ReadUInt128LittleEndian(signature);

    private static UInt128 Tag(ulong secret, in Hash256 digest)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(digest.Bytes);
        ulong a = secret, b = ~secret;
        foreach (var word in words)
        {
            a = SimRandom.Mix(a ^ word);
            b = SimRandom.Mix(b + (word * 0x9E3779B97F4A7C15UL) + a);
        }

        return new UInt128(a, b);
    }

    private sealed class KeyedSigner(SimKeys keys, Address address) : IConsensusSigner
    {
        public Address Address { get; } = address;

        public byte[] Sign(in Hash256 digest)
        {
            var signature = new byte[16];
            BinaryPrimitives.WriteUInt128LittleEndian(signature, Tag(keys._secrets[Address], digest));
            return signature;
        }
    }
}
