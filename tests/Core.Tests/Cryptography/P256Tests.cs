using System.Numerics;
using System.Security.Cryptography;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class P256Tests
{
    private static readonly BigInteger Prime = (BigInteger)P256Field.Modulus;

    [FixtureFact("precompiles")]
    public void Vectors_of_the_eip_and_of_wycheproof_are_answered_rightly()
    {
        var vectors = PrecompileVectors.Read("test-vectors", "eip-7951").Concat(PrecompileVectors.Read("p256Verify"));
        foreach (var vector in vectors)
        {
            Assert.True(P256.Verify(vector.Input) == (vector.Expected!.Length == 32), vector.Name);
        }
    }

    [Fact]
    public void The_field_agrees_with_big_integers()
    {
        List<UInt256> values =
            [0, 1, 2, P256Field.Modulus - 1, P256Field.Modulus - 2, new(0, 0, 0, 0xFFFFFFFF00000000)];
        for (var i = 0; i < 30; i++)
        {
            values.Add(UInt256.FromBigEndian(SHA256.HashData([(byte)i])) % P256Field.Modulus);
        }

        foreach (var a in values)
        {
            var (fieldA, bigA) = (P256Field.From(a), (BigInteger)a);
            Assert.Equal(a, fieldA.ToUInt256());
            Assert.Equal((UInt256)BigInteger.ModPow(bigA, Prime - 2, Prime), P256Field.InvertFast(fieldA).ToUInt256());
            foreach (var b in values)
            {
                var (fieldB, bigB) = (P256Field.From(b), (BigInteger)b);
                Assert.Equal((UInt256)(bigA * bigB % Prime), (fieldA * fieldB).ToUInt256());
                Assert.Equal((UInt256)((bigA + bigB) % Prime), (fieldA + fieldB).ToUInt256());
                Assert.Equal((UInt256)((bigA - bigB + Prime) % Prime), (fieldA - fieldB).ToUInt256());
            }
        }
    }

    [Fact]
    public void Answers_equal_those_of_the_runtime_and_any_changed_bit_is_refused()
    {
        using var signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = signer.ExportParameters(false).Q;
        for (var i = 0; i < 20; i++)
        {
            var digest = SHA256.HashData([(byte)i]);
            var signature = signer.SignHash(digest);
            byte[] input = [.. digest, .. signature, .. key.X!, .. key.Y!];
            Assert.True(P256.Verify(input));
            for (var j = i; j < input.Length; j += 16)
            {
                input[j] ^= 0x10;
                Assert.False(P256.Verify(input));
                input[j] ^= 0x10;
            }
        }
    }

    [Fact]
    public void Garbage_of_any_length_is_refused()
    {
        var random = new Random(7951);
        for (var length = 0; length < 400; length++)
        {
            var input = new byte[length];
            random.NextBytes(input);
            Assert.False(P256.Verify(input));
        }

        Assert.False(P256.Verify(new byte[160]));
        Assert.False(P256.Verify(Enumerable.Repeat((byte)0xFF, 160).ToArray()));
    }
}
