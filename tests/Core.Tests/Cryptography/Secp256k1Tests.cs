using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class Secp256k1Tests
{
    private static readonly BigInteger FieldPrime = (BigInteger)SecpField.Modulus;
    private static readonly BigInteger Order = (BigInteger)Secp256k1.Order;

    [Fact]
    public void A_description_says_which_backend_runs_in_one_line()
    {
        Assert.StartsWith("secp256k1: ", Secp256k1.BackendDescription);
        Assert.DoesNotContain('\n', Secp256k1.BackendDescription);
    }

    [Fact]
    public void The_field_agrees_with_big_integers_on_edges_and_random_values()
    {
        var values = EdgeValues(FieldPrime, 40);
        foreach (var a in values)
        {
            var (fieldA, bigA) = (SecpField.From(a), (BigInteger)a);
            AssertField(bigA * bigA, SecpField.Square(fieldA));
            AssertField(bigA * 21, SecpField.Scale(fieldA, 21));
            AssertField(bigA, SecpField.Half(fieldA) + SecpField.Half(fieldA));
            AssertField(BigInteger.ModPow(bigA, FieldPrime - 2, FieldPrime), SecpField.Invert(fieldA));
            AssertField(BigInteger.ModPow(bigA, FieldPrime - 2, FieldPrime), SecpField.InvertFast(fieldA));
            foreach (var b in values)
            {
                var (fieldB, bigB) = (SecpField.From(b), (BigInteger)b);
                AssertField(bigA * bigB, fieldA * fieldB);
                AssertField(bigA + bigB, fieldA + fieldB);
                AssertField(bigA - bigB, fieldA - fieldB);
            }
        }
    }

    [Fact]
    public void Scalars_agree_with_big_integers_and_halves_add_up()
    {
        var lambda = BigInteger.Parse("37718080363155996902926221483475020450927657555482586988616620542887997980018");
        foreach (var a in EdgeValues(Order, 40).Select(value => SecpScalar.Reduce(value)))
        {
            var bigA = (BigInteger)a;
            var inverse = (UInt256)BigInteger.ModPow(bigA, Order - 2, Order);
            Assert.Equal(inverse, SecpScalar.InvertFast(a));
            SecpScalar.Split(a, out var k1, out var k2);
            Assert.Equal(bigA, Mod(Signed(k1) + (Signed(k2) * lambda), Order));
            foreach (var b in EdgeValues(Order, 5).Select(value => SecpScalar.Reduce(value)))
            {
                Assert.Equal((UInt256)Mod(bigA * (BigInteger)b, Order), SecpScalar.Multiply(a, b));
                Assert.Equal((UInt256)Mod(bigA + (BigInteger)b, Order), SecpScalar.Add(a, b));
            }
        }

        Assert.Equal(UInt256.One, SecpScalar.Multiply(SecpScalar.Invert(12345), 12345));
    }

    [Fact]
    public void Signed_digits_add_up_to_the_number()
    {
        Span<short> digits = stackalloc short[SecpScalar.DigitCount];
        foreach (var value in EdgeValues(Order, 30))
        {
            var k = new UInt128(value.U1, value.U0);
            foreach (var width in new[] { 2, 5, 12 })
            {
                var length = SecpScalar.WriteDigits(k, true, width, digits);
                var sum = BigInteger.Zero;
                for (var i = length - 1; i >= 0; i--)
                {
                    Assert.True(digits[i] == 0 || digits[i] % 2 != 0);
                    sum = (2 * sum) + digits[i];
                }

                Assert.Equal(-(BigInteger)k, sum);
            }
        }
    }

    [Fact]
    public void The_two_ways_to_multiply_the_generator_agree()
    {
        foreach (var k in EdgeValues(Order, 20).Where(value => SecpScalar.IsInRange(value)))
        {
            var constantTime = SecpGenerator.Multiply(k);
            var strauss = SecpMultiplication.Sum(k, UInt256.Zero, SecpAffine.Generator).ToAffine();
            var asPoint = SecpMultiplication.Sum(UInt256.Zero, k, SecpAffine.Generator).ToAffine();
            Assert.Equal(constantTime.X.ToUInt256(), strauss.X.ToUInt256());
            Assert.Equal(constantTime.Y.ToUInt256(), strauss.Y.ToUInt256());
            Assert.Equal(constantTime.X.ToUInt256(), asPoint.X.ToUInt256());
            Assert.Equal(constantTime.Y.ToUInt256(), asPoint.Y.ToUInt256());
        }
    }

    [Fact]
    public void Sums_that_meet_doubling_and_infinity_are_right()
    {
        var minusOne = Secp256k1.Order - 1;
        Assert.True(SecpMultiplication.Sum(1, minusOne, SecpAffine.Generator).IsInfinity);
        Assert.True(SecpMultiplication.Sum(0, 0, SecpAffine.Generator).IsInfinity);
        var twice = SecpMultiplication.Sum(1, 1, SecpAffine.Generator).ToAffine();
        Assert.Equal(SecpGenerator.Multiply(2).X.ToUInt256(), twice.X.ToUInt256());
    }

    [Fact]
    public void Managed_signatures_verify_recover_and_are_low()
    {
        for (var i = 0; i < 20; i++)
        {
            AssertRoundTrip(Secp256k1.Managed, RandomKey(i), new Hash256(SHA256.HashData([(byte)i])));
        }

        AssertRoundTrip(Secp256k1.Managed, RandomKey(7), new Hash256(UInt256.MaxValue.ToBigEndian()));
        AssertRoundTrip(Secp256k1.Managed, UInt256.One.ToBigEndian(), Hash256.Zero);
        AssertRoundTrip(Secp256k1.Managed, (Secp256k1.Order - 1).ToBigEndian(), Hash256.Zero);
    }

    [Fact]
    public void Nonces_are_those_of_the_rfc_6979_vectors_for_this_curve()
    {
        // The usual community vector: key 1, SHA-256 of the text.
        var digest = new Hash256(SHA256.HashData("Satoshi Nakamoto"u8));
        var signature = Secp256k1.Managed.Sign(digest, UInt256.One.ToBigEndian());
        AssertHex("934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8", signature.R);
        AssertHex("2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5", signature.S);
    }

    [NativeSecp256k1Fact]
    public void Both_backends_sign_and_recover_alike()
    {
        var (managed, native) = (Secp256k1.Managed, Secp256k1.Native!);
        var (expected, actual) = (new byte[64], new byte[64]);
        for (var i = 0; i < 150; i++)
        {
            var key = RandomKey(i);
            var digest = i == 0 ? new Hash256(UInt256.MaxValue.ToBigEndian()) : new Hash256(RandomKey(i + 1000));
            var signature = native.Sign(digest, key);
            Assert.Equal(signature, managed.Sign(digest, key));
            native.WritePublicKey(key, expected);
            managed.WritePublicKey(key, actual);
            Assert.Equal(expected, actual);

            // Garbage that has the right ranges: either backend finds the same key or none.
            var (r, s) = (SecpScalar.Reduce(UInt256.FromBigEndian(RandomKey(i + 2000))), signature.S);
            var found = native.TryRecover(digest, r, s, i % 2 == 1, expected);
            Assert.Equal(found, managed.TryRecover(digest, r, s, i % 2 == 1, actual));
            Assert.Equal(expected, actual);
            AssertRoundTrip(native, key, digest);
        }
    }

    [NativeSecp256k1Fact]
    public void Both_backends_verify_alike()
    {
        var key = RandomKey(1);
        var digest = new Hash256(RandomKey(2));
        var publicKey = Secp256k1.PublicKeyOf(key);
        var (r, s, _) = Secp256k1.Sign(digest, key);
        var high = Secp256k1.Order - s;
        foreach (var backend in new[] { Secp256k1.Managed, Secp256k1.Native! })
        {
            Assert.True(backend.Verify(digest, r, s, publicKey));
            Assert.True(backend.Verify(digest, r, high, publicKey));
            Assert.False(backend.Verify(digest, s, r, publicKey));
            Assert.False(backend.Verify(Hash256.Zero, r, s, publicKey));
            Assert.False(backend.Verify(digest, r, s, new byte[64]));
            var offCurve = publicKey.ToArray();
            offCurve[63] ^= 1;
            Assert.False(backend.Verify(digest, r, s, offCurve));
        }
    }

    [Fact]
    public void A_key_at_infinity_is_not_recovered()
    {
        // r = x of G, s R = m G with R = G: s = m.
        var r = SecpAffine.Generator.X.ToUInt256();
        var message = new Hash256(new UInt256(5).ToBigEndian());
        var odd = SecpAffine.Generator.Y.IsOdd;
        foreach (var backend in Backends())
        {
            Assert.False(backend.TryRecover(message, r, 5, odd, new byte[64]));
            Assert.True(backend.TryRecover(message, r, 5, !odd, new byte[64]));
        }
    }

    [Fact]
    public void Ranges_are_checked_at_the_border()
    {
        var order = Secp256k1.Order;
        var g = SecpAffine.Generator.X.ToUInt256();
        Assert.False(Secp256k1.TryRecover(Hash256.Zero, 0, 1, 0, out _));
        Assert.False(Secp256k1.TryRecover(Hash256.Zero, g, 0, 0, out _));
        Assert.False(Secp256k1.TryRecover(Hash256.Zero, order, 1, 0, out _));
        Assert.False(Secp256k1.TryRecover(Hash256.Zero, g, order, 0, out _));
        Assert.False(Secp256k1.TryRecover(Hash256.Zero, g, 1, 2, out _));
        Assert.True(Secp256k1.TryRecover(Hash256.Zero, g, order - 1, 0, out _));
        Assert.True(Secp256k1.IsLowS((order - 1) / 2));
        Assert.False(Secp256k1.IsLowS(((order - 1) / 2) + 1));
        Assert.False(Secp256k1.IsPrivateKey(new byte[32]));
        Assert.False(Secp256k1.IsPrivateKey(order.ToBigEndian()));
        Assert.Throws<ArgumentException>(() => Secp256k1.Sign(Hash256.Zero, new byte[31]));
    }

    [Fact]
    public void A_batch_answers_like_single_recoveries_on_any_number_of_workers()
    {
        var requests = new RecoveryRequest[100];
        var expected = new Address?[requests.Length];
        for (var i = 0; i < requests.Length; i++)
        {
            var key = RandomKey(i % 10);
            var digest = new Hash256(RandomKey(i + 500));
            var (r, s, parity) = Secp256k1.Sign(digest, key);
            var broken = i % 7 == 3;
            requests[i] = new RecoveryRequest(digest, r, broken ? 0 : s, parity);
            expected[i] = broken ? null : Secp256k1.AddressOf(key);
        }

        foreach (var workers in new[] { 0, 1, 3 })
        {
            var signers = new Address?[requests.Length];
            var found = Secp256k1.RecoverMany(requests, signers, workers);
            Assert.Equal(expected, signers);
            Assert.Equal(expected.Count(a => a is not null), found);
        }

        Assert.Equal(0, Secp256k1.RecoverMany(default, default));
    }

    [AvxFact]
    public void Eight_products_side_by_side_agree_with_single_ones()
    {
        var values = EdgeValues(FieldPrime, 42).Select(value => SecpField.From(value)).ToArray();
        var results = new SecpField[8];
        for (var start = 0; start < values.Length; start += 8)
        {
            for (var shift = 0; shift < values.Length; shift += 3)
            {
                var a = values.AsSpan(start, 8).ToArray();
                var b = Enumerable.Range(0, 8).Select(i => values[(start + shift + i) % values.Length]).ToArray();
                var (a8, b8) = (SecpField8.Create(a), SecpField8.Create(b));
                SecpField8.Multiply(a8, b8, out var product);
                SecpField8.Square(a8, out var square);
                SecpField8.Add(a8, b8, out var sum);
                SecpField8.Subtract(a8, 2, b8, 3, out var difference);
                SecpField8.SubtractTwice(a8, b8, a8, out var twice);
                SecpField8.Triple(sum, out var triple);
                SecpField8.Multiply(difference, triple, out var mixed);
                for (var lane = 0; lane < 8; lane++)
                {
                    var (x, y) = ((BigInteger)a[lane].ToUInt256(), (BigInteger)b[lane].ToUInt256());
                    AssertLane(x * y, product, lane);
                    AssertLane(x * x, square, lane);
                    AssertLane(x + y, sum, lane);
                    AssertLane((4 * x) - (8 * y), difference, lane);
                    AssertLane(-x - y, twice, lane);
                    AssertLane(((4 * x) - (8 * y)) * 3 * (x + y), mixed, lane);
                }
            }
        }

        void AssertLane(BigInteger expected, SecpField8 actual, int lane)
        {
            actual.CopyTo(results);
            AssertField(expected, results[lane]);
        }
    }

    [AvxFact]
    public void The_largest_limbs_that_the_lanes_allow_do_not_overflow_their_products()
    {
        var limbs = new ulong[40];
        Array.Fill(limbs, (1UL << 52) - 1, 0, 32);
        Array.Fill(limbs, (1UL << 49) - 1, 32, 8);
        var value = SecpField8.Create(limbs);
        var number = (BigInteger.One << 257) - 1;
        SecpField8.Multiply(value, value, out var product);
        SecpField8.Square(value, out var square);
        SecpField8.Subtract(value, 2, value, 3, out var difference);
        SecpField8.SubtractTwice(default, value, value, out var twice);
        var results = new SecpField[8];
        foreach (var (expected, actual) in new[]
            { (number * number, product), (number * number, square), (-4 * number, difference), (-3 * number, twice) })
        {
            actual.CopyTo(results);
            Assert.All(results, result => AssertField(expected, result));
        }
    }

    [AvxFact]
    public void Recovery_side_by_side_finds_the_keys_that_the_managed_backend_finds()
    {
        var (keys, expected) = (new byte[8 * 64], new byte[64]);
        for (var batch = 0; batch < 12; batch++)
        {
            var requests = new RecoveryRequest[batch % 8 == 0 ? 8 : batch % 8];
            for (var i = 0; i < requests.Length; i++)
            {
                var seed = (batch * 8) + i;
                var digest = new Hash256(RandomKey(seed));
                var signature = Secp256k1.Managed.Sign(digest, RandomKey(seed + 1000));

                // Most are signatures, some only have r and s in range, so that half of these have no point.
                var r = seed % 3 == 0 ? SecpScalar.Reduce(UInt256.FromBigEndian(RandomKey(seed + 2000))) : signature.R;
                requests[i] = new RecoveryRequest(digest, r, signature.S, signature.YParity);
            }

            var lanes = SecpBatch.Recover(requests, keys);
            for (var i = 0; i < requests.Length; i++)
            {
                var (message, r, s, parity) = requests[i];
                var found = Secp256k1.Managed.TryRecover(message, r, s, parity == 1, expected);
                Assert.Equal(found, (lanes & (1 << i)) != 0);
                Assert.True(!found || expected.AsSpan().SequenceEqual(keys.AsSpan(i * 64, 64)));
            }

            Assert.Equal(0, lanes >> requests.Length);
        }
    }

    [Fact]
    public void Special_cases_in_a_batch_are_answered_as_alone()
    {
        var (g, odd) = (SecpAffine.Generator.X.ToUInt256(), SecpAffine.Generator.Y.IsOdd ? (byte)1 : (byte)0);
        Hash256 Message(UInt256 m) => new(m.ToBigEndian());
        var order = Secp256k1.Order;
        RecoveryRequest[] requests =
        [
            new(Message(5), g, 5, odd), // infinity
            new(Message(0), g, 1, odd), new(Message(0), g, 1, (byte)(1 - odd)), // small multiples of G only
            new(Message(order - 1), g, 1, odd), new(Message(1), g, order - 1, odd), new(Message(5), g, 10, odd),
            new(Message(UInt256.MaxValue), g, order - 1, odd), new(Message(order), g, 2, odd),
            new(Message(1), 0, 1, 0), new(Message(1), g, 0, 0), new(Message(1), order, 1, 0),
            new(Message(1), g, 1, 2), new(Message(1), 5, 1, 0), new(Message(2), order - 1, 1, 1),
            new(Message(16), g, 8, odd), new(Message(3), g, (UInt256.One << 128) + 1, odd),
        ];
        var signers = new Address?[requests.Length];
        Secp256k1.RecoverMany(requests, signers, 1);
        for (var i = 0; i < requests.Length; i++)
        {
            var (message, r, s, parity) = requests[i];
            var ok = Secp256k1.TryRecover(message, r, s, parity, out var address);
            Assert.Equal(ok ? address : null, signers[i]);
        }
    }

    [FixtureFact("precompiles")]
    public void Wycheproof_vectors_are_answered_rightly_by_every_backend()
    {
        var path = Path.Combine(
            Fixtures.Folder("precompiles"), "precompiles", "wycheproof", "ecdsa_secp256k1_sha256_p1363_test.json");
        using var file = JsonDocument.Parse(File.ReadAllBytes(path));
        var count = 0;
        foreach (var group in file.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            var key = Hex.Decode(group.GetProperty("publicKey").GetProperty("uncompressed").GetString()!)[1..];
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                var digest = new Hash256(SHA256.HashData(Hex.Decode(test.GetProperty("msg").GetString()!)));
                var signature = Hex.Decode(test.GetProperty("sig").GetString()!);
                var expected = test.GetProperty("result").GetString() == "valid";
                var id = test.GetProperty("tcId").GetInt32();
                Assert.True(expected == VerifyAll(digest, signature, key), $"vector {id}");
                count++;
            }
        }

        Assert.True(count > 200);
    }

    private static bool VerifyAll(in Hash256 digest, byte[] signature, byte[] key)
    {
        if (signature.Length != 64)
        {
            return false;
        }

        var r = UInt256.FromBigEndian(signature.AsSpan(0, 32));
        var s = UInt256.FromBigEndian(signature.AsSpan(32));
        var answer = Secp256k1.Verify(digest, r, s, key);
        if (Secp256k1.IsInRange(r) && Secp256k1.IsInRange(s))
        {
            foreach (var backend in Backends())
            {
                Assert.Equal(answer, backend.Verify(digest, r, s, key));
            }
        }

        return answer;
    }

    private static void AssertRoundTrip(ISecp256k1Backend backend, byte[] key, in Hash256 digest)
    {
        var (publicKey, recovered) = (new byte[64], new byte[64]);
        backend.WritePublicKey(key, publicKey);
        var (r, s, parity) = backend.Sign(digest, key);
        Assert.True(Secp256k1.IsLowS(s));
        Assert.True(backend.Verify(digest, r, s, publicKey));
        Assert.True(backend.TryRecover(digest, r, s, parity == 1, recovered));
        Assert.Equal(publicKey, recovered);
        Assert.True(backend.TryRecover(digest, r, Secp256k1.Order - s, parity == 0, recovered));
        Assert.Equal(publicKey, recovered);
    }

    private static IEnumerable<ISecp256k1Backend> Backends() =>
        Secp256k1.Native is { } native ? [Secp256k1.Managed, native] : [Secp256k1.Managed];

    private static byte[] RandomKey(int seed) => SHA256.HashData(BitConverter.GetBytes(seed));

    private static BigInteger Signed(SecpScalar.Half half) => half.IsNegative ? -(BigInteger)half.Size : half.Size;

    private static BigInteger Mod(BigInteger value, BigInteger modulus) =>
        ((value % modulus) + modulus) % modulus;

    private static void AssertHex(string digits, in UInt256 actual) =>
        Assert.Equal("0x" + digits, Hex.Encode(actual.ToBigEndian()));

    private static void AssertField(BigInteger expected, SecpField actual) =>
        Assert.Equal((UInt256)Mod(expected, FieldPrime), actual.ToUInt256());

    private static List<UInt256> EdgeValues(BigInteger modulus, int random)
    {
        var m = (UInt256)modulus;
        List<UInt256> values =
        [
            0, 1, 2, 3, ulong.MaxValue, m - 1, m - 2, m, m + 1, UInt256.MaxValue, UInt256.MaxValue - 1,
            new(0, 0, 0, 1UL << 63), new(ulong.MaxValue, ulong.MaxValue), new(0, 0, ulong.MaxValue, ulong.MaxValue),
        ];
        for (var i = 0; i < random; i++)
        {
            values.Add(UInt256.FromBigEndian(RandomKey(i + 90_000)));
        }

        return values;
    }
}
