using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;

namespace SuperVm.Core.Tests.Proving;

/// <summary>Reproducible randomness, and values, points and bytes made from it.</summary>
internal sealed class ProvingRandom(int seed) : IRandomSource
{
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> bytes) => _random.NextBytes(bytes);

    internal int Next(int end) => _random.Next(end);

    /// <summary>Any number, now and then one at an edge.</summary>
    internal UInt256 Number(in UInt256 modulus)
    {
        switch (_random.Next(12))
        {
            case 0: return UInt256.Zero;
            case 1: return UInt256.One;
            case 2: return modulus - 1;
            case 3: return (ulong)_random.NextInt64();
            default:
                Span<byte> bytes = stackalloc byte[32];
                _random.NextBytes(bytes);
                return UInt256.FromBigEndian(bytes) % modulus;
        }
    }

    internal Fq Fq()
    {
        Core.Cryptography.Bn254.Fq.TryCreate(Number(Core.Cryptography.Bn254.Fq.Modulus), out var value);
        return value;
    }

    internal Fr Fr() => Core.Cryptography.Bn254.Fr.Reduce(Number(Core.Cryptography.Bn254.Fr.Modulus));

    internal AffinePoint<Fq> G1Point()
    {
        G1.Multiply(G1.Generator, Number(Core.Cryptography.Bn254.Fr.Modulus), out var point);
        return point.ToAffine();
    }

    internal AffinePoint<Fq2> G2Point()
    {
        G2.Multiply(G2.Generator, Number(Core.Cryptography.Bn254.Fr.Modulus), out var point);
        return point.ToAffine();
    }
}
