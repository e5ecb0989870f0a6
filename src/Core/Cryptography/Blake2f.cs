using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Cryptography;

/// <summary>The BLAKE2b compression function with a free number of rounds, as EIP-152's precompile calls it.</summary>
/// <remarks>
/// Source: RFC 7693, section 3.2, and EIP-152. The sixteen working words are four rows of four; a row is one 256-bit
/// register, so that the four column mixings, and then the four diagonal ones, run side by side:
/// <code>
///   a = v0  v1  v2  v3      diagonals: a turns right by one word, c left by one, d by two;
///   b = v4  v5  v6  v7      mix columns; turn; mix columns; turn back.
///   c = v8  v9  v10 v11     b stays in place, because each mixing waits for b last.
///   d = v12 v13 v14 v15
/// </code>
/// The message schedule repeats after ten rounds, so its forty rows are gathered once.
/// </remarks>
public static class Blake2f
{
    /// <summary>Bytes of the input: rounds 4, state 64, message 128, offset 16, final flag 1.</summary>
    public const int InputSize = 213;

    /// <summary>Bytes of the output: the new state.</summary>
    public const int OutputSize = 64;

    private const int StateOffset = 4, MessageOffset = 68, CounterOffset = 196, FlagOffset = 212;
    private const int ScheduleRounds = 10;

    private static readonly Vector256<ulong> InitialLow = Vector256.Create(
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1);

    private static readonly Vector256<ulong> InitialHigh = Vector256.Create(
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179);

    /// <summary>RFC 7693, section 2.7: which message word each mixing of a round takes.</summary>
    private static ReadOnlySpan<byte> Sigma =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
    ];

    /// <summary>Compresses one block (EIP-152).</summary>
    /// <param name="input">Exactly 213 bytes; the rounds are big-endian, all other words little-endian.</param>
    /// <param name="output">64 bytes or more; written on success only.</param>
    /// <returns>False for another input length, a final flag other than 0 or 1, or too short an output.</returns>
    public static bool TryCompress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != InputSize || input[FlagOffset] > 1 || output.Length < OutputSize)
        {
            return false;
        }

        var rounds = BinaryPrimitives.ReadUInt32BigEndian(input);
        var low = ReadRow(input[StateOffset..]);
        var high = ReadRow(input[(StateOffset + 32)..]);
        var counter = Vector256.Create(
            BinaryPrimitives.ReadUInt64LittleEndian(input[CounterOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(input[(CounterOffset + 8)..]),
            input[FlagOffset] == 1 ? ulong.MaxValue : 0,
            0);
        Span<Vector256<ulong>> schedule = stackalloc Vector256<ulong>[4 * ScheduleRounds];
        FillSchedule(input.Slice(MessageOffset, 128), schedule, (int)Math.Min(rounds, ScheduleRounds));
        Rounds(rounds, schedule, counter, ref low, ref high);
        MemoryMarshal.Write(output, low);
        MemoryMarshal.Write(output[32..], high);
        return true;
    }

    private static Vector256<ulong> ReadRow(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<Vector256<ulong>>(bytes);

    /// <summary>Gathers four rows a round: first and second words of the columns, then of the diagonals.</summary>
    private static void FillSchedule(ReadOnlySpan<byte> message, Span<Vector256<ulong>> schedule, int rounds)
    {
        var m = MemoryMarshal.Cast<byte, ulong>(message);
        for (var i = 0; i < rounds; i++)
        {
            var s = Sigma.Slice(16 * i, 16);
            var row = schedule.Slice(4 * i, 4);
            row[0] = Vector256.Create(m[s[0]], m[s[2]], m[s[4]], m[s[6]]);
            row[1] = Vector256.Create(m[s[1]], m[s[3]], m[s[5]], m[s[7]]);
            row[2] = Vector256.Create(m[s[14]], m[s[8]], m[s[10]], m[s[12]]);
            row[3] = Vector256.Create(m[s[15]], m[s[9]], m[s[11]], m[s[13]]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rounds(
        uint rounds, Span<Vector256<ulong>> schedule, Vector256<ulong> counter,
        ref Vector256<ulong> low, ref Vector256<ulong> high)
    {
        var (a, b, c, d) = (low, high, InitialLow, InitialHigh ^ counter);
        ref var first = ref MemoryMarshal.GetReference(schedule);
        ref var end = ref Unsafe.Add(ref first, 4 * ScheduleRounds);
        ref var words = ref first;
        for (var i = 0u; i < rounds; i++)
        {
            Mix(ref a, ref b, ref c, ref d, words, Unsafe.Add(ref words, 1));
            a = Vector256.Shuffle(a, Vector256.Create(3UL, 0, 1, 2));
            c = Vector256.Shuffle(c, Vector256.Create(1UL, 2, 3, 0));
            d = Vector256.Shuffle(d, Vector256.Create(2UL, 3, 0, 1));
            Mix(ref a, ref b, ref c, ref d, Unsafe.Add(ref words, 2), Unsafe.Add(ref words, 3));
            a = Vector256.Shuffle(a, Vector256.Create(1UL, 2, 3, 0));
            c = Vector256.Shuffle(c, Vector256.Create(3UL, 0, 1, 2));
            d = Vector256.Shuffle(d, Vector256.Create(2UL, 3, 0, 1));
            words = ref Unsafe.Add(ref words, 4);
            if (Unsafe.AreSame(ref words, ref end))
            {
                words = ref first;
            }
        }

        low ^= a ^ c;
        high ^= b ^ d;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(
        ref Vector256<ulong> a, ref Vector256<ulong> b, ref Vector256<ulong> c, ref Vector256<ulong> d,
        Vector256<ulong> x, Vector256<ulong> y)
    {
        a = a + x + b;
        d = RotateRight(d ^ a, 32);
        c += d;
        b = RotateRight(b ^ c, 24);
        a = a + y + b;
        d = RotateRight(d ^ a, 16);
        c += d;
        b = RotateRight(b ^ c, 63);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> RotateRight(
        Vector256<ulong> value, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(value, count) : (value >>> count) | (value << (64 - count));
}
