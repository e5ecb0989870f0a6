using System.Buffers.Binary;
using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class Blake2fTests
{
    [FixtureFact("precompiles")]
    public void The_public_vectors_give_their_states()
    {
        foreach (var vector in PrecompileVectors.Read("blake2F"))
        {
            var output = new byte[64];
            Assert.True(Blake2f.TryCompress(vector.Input, output), vector.Name);
            Assert.Equal(vector.Expected, output);
        }
    }

    [FixtureFact("precompiles")]
    public void The_public_failures_are_refused()
    {
        foreach (var vector in PrecompileVectors.Read("fail-blake2f"))
        {
            Assert.False(Blake2f.TryCompress(vector.Input, new byte[64]), vector.Name);
        }
    }

    [Fact]
    public void The_hash_of_abc_is_the_one_of_the_standard()
    {
        // RFC 7693, appendix A: one final block of three bytes under BLAKE2b-512's initial state.
        var input = new byte[Blake2f.InputSize];
        input[3] = 12;
        for (var i = 0; i < 8; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(
                input.AsSpan(4 + (8 * i)), Textbook.Initial[i] ^ (i == 0 ? 0x01010040UL : 0));
        }

        "abc"u8.CopyTo(input.AsSpan(68));
        input[196] = 3;
        input[212] = 1;
        var output = new byte[64];
        Assert.True(Blake2f.TryCompress(input, output));
        Assert.Equal(
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
            Convert.ToHexStringLower(output));
    }

    [Fact]
    public void Any_state_and_round_count_equals_the_word_by_word_form() =>
        Check.QuickThrowOnFailure(Prop.ForAll<int, byte>((seed, rounds) =>
        {
            var input = new byte[Blake2f.InputSize];
            new Random(seed).NextBytes(input);
            BinaryPrimitives.WriteUInt32BigEndian(input, rounds);
            input[212] &= 1;
            var output = new byte[64];
            return Blake2f.TryCompress(input, output) && output.AsSpan().SequenceEqual(Textbook.Compress(input));
        }));

    [Fact]
    public void Garbage_is_refused_and_never_throws() => Check.QuickThrowOnFailure(Prop.ForAll<byte[]>(bytes =>
        bytes.Length == Blake2f.InputSize || !Blake2f.TryCompress(bytes, new byte[64])));

    [Theory]
    [InlineData(212, 0, 64)]
    [InlineData(214, 0, 64)]
    [InlineData(213, 2, 64)]
    [InlineData(213, 255, 64)]
    [InlineData(213, 1, 63)]
    public void A_wrong_length_flag_or_destination_is_refused(int length, byte flag, int room)
    {
        var input = new byte[length];
        input[^1] = flag;
        Assert.False(Blake2f.TryCompress(input, new byte[room]));
    }

    /// <summary>RFC 7693, section 3.2, one word at a time.</summary>
    private static class Textbook
    {
        public static readonly ulong[] Initial =
        [
            0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
            0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
        ];

        private static readonly string[] Sigma =
        [
            "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
            "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
        ];

        public static byte[] Compress(byte[] input)
        {
            var h = Words(input.AsSpan(4, 64));
            var m = Words(input.AsSpan(68, 128));
            var t = Words(input.AsSpan(196, 16));
            ulong[] v = [.. h, .. Initial];
            v[12] ^= t[0];
            v[13] ^= t[1];
            v[14] ^= input[212] == 1 ? ulong.MaxValue : 0;
            int[] turns = [0, 0, 0, 0, 1, 1, 1, 1];
            for (var round = 0; round < BinaryPrimitives.ReadUInt32BigEndian(input); round++)
            {
                for (var i = 0; i < 8; i++)
                {
                    var turn = turns[i];
                    int Row(int row) => (4 * row) + ((i + (turn * row)) % 4);
                    ulong Word(int which) =>
                        m[Convert.ToInt32(Sigma[round % 10][(2 * i) + which].ToString(), 16)];
                    Mix(v, Row(0), Row(1), Row(2), Row(3), Word(0), Word(1));
                }
            }

            var output = new byte[64];
            for (var i = 0; i < 8; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(output.AsSpan(8 * i), h[i] ^ v[i] ^ v[i + 8]);
            }

            return output;
        }

        private static void Mix(ulong[] v, int a, int b, int c, int d, ulong x, ulong y)
        {
            v[a] += v[b] + x;
            v[d] = BitOperations.RotateRight(v[d] ^ v[a], 32);
            v[c] += v[d];
            v[b] = BitOperations.RotateRight(v[b] ^ v[c], 24);
            v[a] += v[b] + y;
            v[d] = BitOperations.RotateRight(v[d] ^ v[a], 16);
            v[c] += v[d];
            v[b] = BitOperations.RotateRight(v[b] ^ v[c], 63);
        }

        private static ulong[] Words(ReadOnlySpan<byte> bytes)
        {
            var words = new ulong[bytes.Length / 8];
            for (var i = 0; i < words.Length; i++)
            {
                words[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * i)..]);
            }

            return words;
        }
    }
}
