using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SuperVm.Core.Cryptography;

/// <summary>The BLAKE2b compression function with a free number of rounds, as EIP-152's precompile calls it.</summary>
/// <remarks>
/// Source: RFC 7693, section 3.2, and EIP-152. The sixteen working words are mixed in columns and then in diagonals:
/// <code>
///   v0  v1  v2  v3
///   v4  v5  v6  v7      column 1: v1 v5 v9  v13
///   v8  v9  v10 v11     diagonal 1: v1 v6 v11 v12
///   v12 v13 v14 v15
/// </code>
/// A round is one turn of a loop over general registers: rows in vector registers need a third of the instructions,
/// but every step waits for the one before, and a vector step takes two cycles on recent processors (measured:
/// 12 against 8 ns a round). The message schedule repeats after ten rounds, so its words are put in order once.
/// </remarks>
public static class Blake2f
{
    /// <summary>Bytes of the input: rounds 4, state 64, message 128, offset 16, final flag 1.</summary>
    public const int InputSize = 213;

    /// <summary>Bytes of the output: the new state.</summary>
    public const int OutputSize = 64;

    private const int StateOffset = 4, MessageOffset = 68, CounterOffset = 196, FlagOffset = 212;
    private const int StateWords = 8, MessageWords = 16;

    /// <summary>Rounds after which the schedule starts again.</summary>
    private const int ScheduleRounds = 10;

    private static ReadOnlySpan<ulong> Initial =>
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ];

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
    [SkipLocalsInit]
    public static bool TryCompress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != InputSize || input[FlagOffset] > 1 || output.Length < OutputSize)
        {
            return false;
        }

        var rounds = BinaryPrimitives.ReadUInt32BigEndian(input);
        Span<ulong> state = stackalloc ulong[StateWords];
        Span<ulong> v = stackalloc ulong[2 * StateWords];
        Span<ulong> schedule = stackalloc ulong[MessageWords * ScheduleRounds];
        ReadWords(input[StateOffset..], state);
        state.CopyTo(v);
        Initial.CopyTo(v[StateWords..]);
        v[12] ^= BinaryPrimitives.ReadUInt64LittleEndian(input[CounterOffset..]);
        v[13] ^= BinaryPrimitives.ReadUInt64LittleEndian(input[(CounterOffset + 8)..]);
        v[14] ^= input[FlagOffset] == 1 ? ulong.MaxValue : 0;
        FillSchedule(input[MessageOffset..], schedule, (int)Math.Min(rounds, ScheduleRounds));
        Rounds(rounds, schedule, v);
        for (var i = 0; i < StateWords; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(output[(8 * i)..], state[i] ^ v[i] ^ v[i + StateWords]);
        }

        return true;
    }

    private static void ReadWords(ReadOnlySpan<byte> bytes, Span<ulong> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * i)..]);
        }
    }

    [SkipLocalsInit]
    private static void FillSchedule(ReadOnlySpan<byte> message, Span<ulong> schedule, int rounds)
    {
        Span<ulong> m = stackalloc ulong[MessageWords];
        ReadWords(message, m);
        schedule = schedule[..(MessageWords * rounds)];
        var sigma = Sigma[..schedule.Length];

        // Every entry of sigma is below 16: no bound is passed.
        ref var first = ref MemoryMarshal.GetReference(m);
        for (var i = 0; i < sigma.Length; i++)
        {
            schedule[i] = Unsafe.Add(ref first, (nuint)sigma[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rounds(uint rounds, ReadOnlySpan<ulong> schedule, Span<ulong> v)
    {
        var (v0, v1, v2, v3, v4, v5, v6, v7) = (v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
        var (v8, v9, v10, v11, v12, v13, v14, v15) = (v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15]);
        ref var first = ref MemoryMarshal.GetReference(schedule);
        ref var end = ref Unsafe.Add(ref first, MessageWords * ScheduleRounds);
        ref var m = ref first;
        for (; rounds > 0; rounds--)
        {
            Mix(ref v0, ref v4, ref v8, ref v12, m, Unsafe.Add(ref m, 1));
            Mix(ref v1, ref v5, ref v9, ref v13, Unsafe.Add(ref m, 2), Unsafe.Add(ref m, 3));
            Mix(ref v2, ref v6, ref v10, ref v14, Unsafe.Add(ref m, 4), Unsafe.Add(ref m, 5));
            Mix(ref v3, ref v7, ref v11, ref v15, Unsafe.Add(ref m, 6), Unsafe.Add(ref m, 7));
            Mix(ref v0, ref v5, ref v10, ref v15, Unsafe.Add(ref m, 8), Unsafe.Add(ref m, 9));
            Mix(ref v1, ref v6, ref v11, ref v12, Unsafe.Add(ref m, 10), Unsafe.Add(ref m, 11));
            Mix(ref v2, ref v7, ref v8, ref v13, Unsafe.Add(ref m, 12), Unsafe.Add(ref m, 13));
            Mix(ref v3, ref v4, ref v9, ref v14, Unsafe.Add(ref m, 14), Unsafe.Add(ref m, 15));
            m = ref Unsafe.Add(ref m, MessageWords);
            if (Unsafe.AreSame(ref m, ref end))
            {
                m = ref first;
            }
        }

        (v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]) = (v0, v1, v2, v3, v4, v5, v6, v7);
        (v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15]) = (v8, v9, v10, v11, v12, v13, v14, v15);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref ulong a, ref ulong b, ref ulong c, ref ulong d, ulong x, ulong y)
    {
        a = a + x + b;
        d = BitOperations.RotateRight(d ^ a, 32);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 24);
        a = a + y + b;
        d = BitOperations.RotateRight(d ^ a, 16);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 63);
    }
}
