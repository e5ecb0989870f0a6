using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>Eight vectors of eight 64-bit words, as a square that can be turned about its diagonal.</summary>
internal struct LaneWords
{
    internal Vector512<ulong> W0, W1, W2, W3, W4, W5, W6, W7;

    /// <summary>Word j of vector i becomes word i of vector j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Transpose()
    {
        // Pairs of words, then quarters: a0 b0 a2 b2 …, then what the halves of four vectors share.
        var t0 = Avx512F.UnpackLow(W0, W1);
        var t1 = Avx512F.UnpackHigh(W0, W1);
        var t2 = Avx512F.UnpackLow(W2, W3);
        var t3 = Avx512F.UnpackHigh(W2, W3);
        var t4 = Avx512F.UnpackLow(W4, W5);
        var t5 = Avx512F.UnpackHigh(W4, W5);
        var t6 = Avx512F.UnpackLow(W6, W7);
        var t7 = Avx512F.UnpackHigh(W6, W7);
        var even0 = Avx512F.Shuffle4x128(t0, t2, 0x88);
        var even1 = Avx512F.Shuffle4x128(t1, t3, 0x88);
        var odd0 = Avx512F.Shuffle4x128(t0, t2, 0xDD);
        var odd1 = Avx512F.Shuffle4x128(t1, t3, 0xDD);
        var even2 = Avx512F.Shuffle4x128(t4, t6, 0x88);
        var even3 = Avx512F.Shuffle4x128(t5, t7, 0x88);
        var odd2 = Avx512F.Shuffle4x128(t4, t6, 0xDD);
        var odd3 = Avx512F.Shuffle4x128(t5, t7, 0xDD);
        W0 = Avx512F.Shuffle4x128(even0, even2, 0x88);
        W1 = Avx512F.Shuffle4x128(even1, even3, 0x88);
        W2 = Avx512F.Shuffle4x128(odd0, odd2, 0x88);
        W3 = Avx512F.Shuffle4x128(odd1, odd3, 0x88);
        W4 = Avx512F.Shuffle4x128(even0, even2, 0xDD);
        W5 = Avx512F.Shuffle4x128(even1, even3, 0xDD);
        W6 = Avx512F.Shuffle4x128(odd0, odd2, 0xDD);
        W7 = Avx512F.Shuffle4x128(odd1, odd3, 0xDD);
    }
}
