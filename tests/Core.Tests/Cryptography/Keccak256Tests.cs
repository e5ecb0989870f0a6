using System.Numerics;
using System.Runtime.Intrinsics.X86;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class Keccak256Tests
{
    [Theory]
    [InlineData("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")]
    [InlineData("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")]
    [InlineData("testing", "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02")]
    [InlineData(
        "The quick brown fox jumps over the lazy dog",
        "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15")]
    [InlineData(
        "Transfer(address,address,uint256)", "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")]
    public void Known_texts_have_their_known_digests(string text, string digest) =>
        Assert.Equal(Hash256.Parse(digest), Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Every_length_up_to_four_blocks_equals_the_textbook_sponge()
    {
        var bytes = new byte[4 * Keccak256.Rate];
        new Random(1).NextBytes(bytes);
        for (var length = 0; length <= bytes.Length; length++)
        {
            Assert.Equal(Textbook.Hash(bytes.AsSpan(0, length)), Keccak256.Hash(bytes.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Both_ways_to_ask_for_a_digest_agree() => Check.QuickThrowOnFailure(Prop.ForAll<byte[]>(bytes =>
    {
        var digest = new byte[32];
        Keccak256.Hash(bytes, digest);
        return new Hash256(digest) == Keccak256.Hash(bytes);
    }));

    [Fact]
    public void A_batch_of_slices_of_any_length_equals_one_hash_each()
    {
        var buffer = new byte[4096];
        new Random(2).NextBytes(buffer);
        var slices = ArbMap.Default.ArbFor<(ushort Offset, ushort Length)[]>().Generator.Resize(300).ToArbitrary();
        Check.QuickThrowOnFailure(Prop.ForAll(slices, pairs =>
        {
            var inputs = pairs.Select(pair =>
            {
                var offset = pair.Offset % buffer.Length;
                return new KeccakInput(offset, pair.Length % (buffer.Length - offset));
            }).ToArray();
            var digests = new Hash256[inputs.Length];
            Keccak256.HashMany(buffer, inputs, digests);
            return digests.SequenceEqual(OneByOne(buffer, inputs));
        }));
    }

    [Fact]
    public void Every_register_width_gives_the_same_digests()
    {
        var random = new Random(3);
        var buffer = new byte[20_000];
        random.NextBytes(buffer);
        var inputs = Enumerable.Range(0, 100)
            .Select(i => new KeccakInput(i, random.Next(i == 7 ? 15_000 : 700))).ToArray();
        var expected = OneByOne(buffer, inputs);
        AssertWindow<KeccakLaneScalar>(true, buffer, inputs, expected);
        AssertWindow<KeccakLane128>(KeccakLane128.IsSupported, buffer, inputs, expected);
        AssertWindow<KeccakLane256>(Avx2.IsSupported, buffer, inputs, expected);
        AssertWindow<KeccakLane512>(Avx512F.IsSupported, buffer, inputs, expected);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(136)]
    [InlineData(300)]
    public void A_batch_of_one_length_equals_one_hash_each(int length)
    {
        for (var count = 0; count < 300; count += 1 + (count / 4))
        {
            var buffer = new byte[count * length];
            new Random(count).NextBytes(buffer);
            var digests = new Hash256[count];
            Keccak256.HashMany(buffer, length, digests);
            for (var i = 0; i < count; i++)
            {
                Assert.Equal(Keccak256.Hash(buffer.AsSpan(i * length, length)), digests[i]);
            }
        }
    }

    [Fact]
    public void A_batch_whose_sizes_do_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Keccak256.HashMany(new byte[63], 32, new Hash256[2]));
        Assert.Throws<ArgumentException>(() => Keccak256.HashMany(new byte[64], new KeccakInput[1], new Hash256[2]));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Keccak256.HashMany(new byte[64], [new KeccakInput(60, 5)], new Hash256[1]));
    }

    private static void AssertWindow<T>(bool supported, byte[] buffer, KeccakInput[] inputs, Hash256[] expected)
        where T : struct, IKeccakLane<T>
    {
        if (supported)
        {
            var digests = new Hash256[inputs.Length];
            Keccak256.HashWindow<T>(buffer, inputs, digests);
            Assert.Equal(expected, digests);
        }
    }

    private static Hash256[] OneByOne(byte[] buffer, KeccakInput[] inputs) =>
        [.. inputs.Select(input => Textbook.Hash(buffer.AsSpan(input.Offset, input.Length)))];

    /// <summary>The sponge as its specification words it: coordinates, step by step, no unrolling.</summary>
    private static class Textbook
    {
        public static Hash256 Hash(ReadOnlySpan<byte> input)
        {
            var padded = new byte[((input.Length / Keccak256.Rate) + 1) * Keccak256.Rate];
            input.CopyTo(padded);
            padded[input.Length] ^= 0x01;
            padded[^1] ^= 0x80;
            var state = new ulong[5, 5];
            for (var start = 0; start < padded.Length; start += Keccak256.Rate)
            {
                for (var i = 0; i < Keccak256.Rate / 8; i++)
                {
                    state[i % 5, i / 5] ^= BitConverter.ToUInt64(padded, start + (8 * i));
                }

                Permute(state);
            }

            var digest = new byte[32];
            for (var i = 0; i < 4; i++)
            {
                BitConverter.TryWriteBytes(digest.AsSpan(8 * i), state[i, 0]);
            }

            return new Hash256(digest);
        }

        private static void Permute(ulong[,] a)
        {
            byte register = 1;
            for (var round = 0; round < 24; round++)
            {
                var parity = new ulong[5];
                for (var i = 0; i < 25; i++)
                {
                    parity[i % 5] ^= a[i % 5, i / 5];
                }

                for (var i = 0; i < 25; i++)
                {
                    var x = i % 5;
                    a[x, i / 5] ^= parity[(x + 4) % 5] ^ BitOperations.RotateLeft(parity[(x + 1) % 5], 1);
                }

                var b = new ulong[5, 5];
                b[0, 0] = a[0, 0];
                var (column, row) = (1, 0);
                for (var t = 0; t < 24; t++)
                {
                    var rotated = BitOperations.RotateLeft(a[column, row], ((t + 1) * (t + 2) / 2) % 64);
                    (column, row) = (row, ((2 * column) + (3 * row)) % 5);
                    b[column, row] = rotated;
                }

                for (var i = 0; i < 25; i++)
                {
                    var (x, y) = (i % 5, i / 5);
                    a[x, y] = b[x, y] ^ (~b[(x + 1) % 5, y] & b[(x + 2) % 5, y]);
                }

                // The round constants come from a linear feedback shift register, x^8 + x^6 + x^5 + x^4 + 1.
                for (var j = 0; j < 7; j++)
                {
                    a[0, 0] ^= (ulong)(register & 1) << ((1 << j) - 1);
                    register = (byte)((register << 1) ^ ((register >> 7) * 0x71));
                }
            }
        }
    }
}
