using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SuperVm.Core.Cryptography;

public static partial class Keccak256
{
    /// <summary>Truth table of a ^ b ^ c for the three-input logic instruction.</summary>
    internal const byte TernaryXor3 = 0x96;

    /// <summary>Truth table of a ^ (~b &amp; c).</summary>
    internal const byte TernaryChi = 0xD2;

    private const int Rounds = 24;

    private static ReadOnlySpan<ulong> RoundConstants =>
    [
        0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000,
        0x000000000000808B, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
        0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
        0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003,
        0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
        0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    ];

    /// <summary>Keccak-f[1600] on T.Count states of 25 lanes (layout: <see cref="IKeccakLane{TSelf}"/>).</summary>
    /// <remarks>All 25 lanes are locals; one loop turn is one round, unrolled. Longer than a function should be,
    /// because a helper for each step would have to pass 25 lanes.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Permute<T>(ref ulong state)
        where T : struct, IKeccakLane<T>
    {
        ref var round = ref MemoryMarshal.GetReference(RoundConstants);
        var a0 = T.Load(ref state, 0); var a1 = T.Load(ref state, 1); var a2 = T.Load(ref state, 2);
        var a3 = T.Load(ref state, 3); var a4 = T.Load(ref state, 4);
        var a5 = T.Load(ref state, 5); var a6 = T.Load(ref state, 6); var a7 = T.Load(ref state, 7);
        var a8 = T.Load(ref state, 8); var a9 = T.Load(ref state, 9);
        var a10 = T.Load(ref state, 10); var a11 = T.Load(ref state, 11); var a12 = T.Load(ref state, 12);
        var a13 = T.Load(ref state, 13); var a14 = T.Load(ref state, 14);
        var a15 = T.Load(ref state, 15); var a16 = T.Load(ref state, 16); var a17 = T.Load(ref state, 17);
        var a18 = T.Load(ref state, 18); var a19 = T.Load(ref state, 19);
        var a20 = T.Load(ref state, 20); var a21 = T.Load(ref state, 21); var a22 = T.Load(ref state, 22);
        var a23 = T.Load(ref state, 23); var a24 = T.Load(ref state, 24);
        for (var i = 0; i < Rounds; i++)
        {
            // theta: every lane takes the parities of two neighbouring columns.
            var c0 = T.Xor3(T.Xor3(a0, a5, a10), a15, a20);
            var c1 = T.Xor3(T.Xor3(a1, a6, a11), a16, a21);
            var c2 = T.Xor3(T.Xor3(a2, a7, a12), a17, a22);
            var c3 = T.Xor3(T.Xor3(a3, a8, a13), a18, a23);
            var c4 = T.Xor3(T.Xor3(a4, a9, a14), a19, a24);
            var d0 = T.Xor(c4, T.RotateLeft(c1, 1));
            var d1 = T.Xor(c0, T.RotateLeft(c2, 1));
            var d2 = T.Xor(c1, T.RotateLeft(c3, 1));
            var d3 = T.Xor(c2, T.RotateLeft(c4, 1));
            var d4 = T.Xor(c3, T.RotateLeft(c0, 1));

            // rho and pi, in place along the one cycle of 24 lanes that pi has.
            a0 = T.Xor(a0, d0);
            var moved = T.Xor(a1, d1);
            a1 = T.RotateLeft(T.Xor(a6, d1), 44);
            a6 = T.RotateLeft(T.Xor(a9, d4), 20);
            a9 = T.RotateLeft(T.Xor(a22, d2), 61);
            a22 = T.RotateLeft(T.Xor(a14, d4), 39);
            a14 = T.RotateLeft(T.Xor(a20, d0), 18);
            a20 = T.RotateLeft(T.Xor(a2, d2), 62);
            a2 = T.RotateLeft(T.Xor(a12, d2), 43);
            a12 = T.RotateLeft(T.Xor(a13, d3), 25);
            a13 = T.RotateLeft(T.Xor(a19, d4), 8);
            a19 = T.RotateLeft(T.Xor(a23, d3), 56);
            a23 = T.RotateLeft(T.Xor(a15, d0), 41);
            a15 = T.RotateLeft(T.Xor(a4, d4), 27);
            a4 = T.RotateLeft(T.Xor(a24, d4), 14);
            a24 = T.RotateLeft(T.Xor(a21, d1), 2);
            a21 = T.RotateLeft(T.Xor(a8, d3), 55);
            a8 = T.RotateLeft(T.Xor(a16, d1), 45);
            a16 = T.RotateLeft(T.Xor(a5, d0), 36);
            a5 = T.RotateLeft(T.Xor(a3, d3), 28);
            a3 = T.RotateLeft(T.Xor(a18, d3), 21);
            a18 = T.RotateLeft(T.Xor(a17, d2), 15);
            a17 = T.RotateLeft(T.Xor(a11, d1), 10);
            a11 = T.RotateLeft(T.Xor(a7, d2), 6);
            a7 = T.RotateLeft(T.Xor(a10, d0), 3);
            a10 = T.RotateLeft(moved, 1);

            // chi a row, and iota.
            c0 = a0;
            c1 = a1;
            a0 = T.Xor(T.Chi(a0, a1, a2), T.Broadcast(Unsafe.Add(ref round, i)));
            a1 = T.Chi(a1, a2, a3);
            a2 = T.Chi(a2, a3, a4);
            a3 = T.Chi(a3, a4, c0);
            a4 = T.Chi(a4, c0, c1);
            c0 = a5;
            c1 = a6;
            a5 = T.Chi(a5, a6, a7);
            a6 = T.Chi(a6, a7, a8);
            a7 = T.Chi(a7, a8, a9);
            a8 = T.Chi(a8, a9, c0);
            a9 = T.Chi(a9, c0, c1);
            c0 = a10;
            c1 = a11;
            a10 = T.Chi(a10, a11, a12);
            a11 = T.Chi(a11, a12, a13);
            a12 = T.Chi(a12, a13, a14);
            a13 = T.Chi(a13, a14, c0);
            a14 = T.Chi(a14, c0, c1);
            c0 = a15;
            c1 = a16;
            a15 = T.Chi(a15, a16, a17);
            a16 = T.Chi(a16, a17, a18);
            a17 = T.Chi(a17, a18, a19);
            a18 = T.Chi(a18, a19, c0);
            a19 = T.Chi(a19, c0, c1);
            c0 = a20;
            c1 = a21;
            a20 = T.Chi(a20, a21, a22);
            a21 = T.Chi(a21, a22, a23);
            a22 = T.Chi(a22, a23, a24);
            a23 = T.Chi(a23, a24, c0);
            a24 = T.Chi(a24, c0, c1);
        }

        T.Store(a0, ref state, 0);
        T.Store(a1, ref state, 1);
        T.Store(a2, ref state, 2);
        T.Store(a3, ref state, 3);
        T.Store(a4, ref state, 4);
        T.Store(a5, ref state, 5);
        T.Store(a6, ref state, 6);
        T.Store(a7, ref state, 7);
        T.Store(a8, ref state, 8);
        T.Store(a9, ref state, 9);
        T.Store(a10, ref state, 10);
        T.Store(a11, ref state, 11);
        T.Store(a12, ref state, 12);
        T.Store(a13, ref state, 13);
        T.Store(a14, ref state, 14);
        T.Store(a15, ref state, 15);
        T.Store(a16, ref state, 16);
        T.Store(a17, ref state, 17);
        T.Store(a18, ref state, 18);
        T.Store(a19, ref state, 19);
        T.Store(a20, ref state, 20);
        T.Store(a21, ref state, 21);
        T.Store(a22, ref state, 22);
        T.Store(a23, ref state, 23);
        T.Store(a24, ref state, 24);
    }
}
