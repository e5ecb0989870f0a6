using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving.Msm;

namespace SuperVm.Core.Proving.Ntt;

using Lanes = FieldLanes<FrModulus>;

/// <summary>The values of a b - c on the coset, from values of a and b on the domain, where c = a b.</summary>
/// <remarks>
/// Six transforms. With Z, which is zero on the domain and constant on the coset, the quotient (a b - c) / Z is what a
/// Groth16 proof needs; snarkjs' keys have the constant in their points.
/// </remarks>
public static unsafe class Quotient
{
    /// <summary>Computes the values and leaves them as little-endian numbers of 32 bytes.</summary>
    /// <param name="a">Values of a; overwritten.</param>
    /// <param name="b">Values of b, as many; overwritten.</param>
    /// <param name="result">Room for 32 bytes a value.</param>
    public static void Compute(Span<Fr> a, Span<Fr> b, Span<byte> result)
    {
        if (a.Length != b.Length || result.Length != a.Length * Fr.Size)
        {
            throw new ArgumentException("a, b and the result have one length.");
        }

        var log = ScalarTransform.LogOf(a);
        if (Lanes.IsSupported && log >= LaneDomain.LeastLog)
        {
            InLanes(LaneDomain.Of(log), a, b, result);
        }
        else
        {
            OneByOne(a, b, result);
        }
    }

    internal static void OneByOne(Span<Fr> a, Span<Fr> b, Span<byte> result)
    {
        var c = new Fr[a.Length];
        for (var i = 0; i < c.Length; i++)
        {
            Fr.Multiply(a[i], b[i], out c[i]);
        }

        ScalarTransform.ToCoset(a);
        ScalarTransform.ToCoset(b);
        ScalarTransform.ToCoset(c);
        for (var i = 0; i < c.Length; i++)
        {
            var value = ((a[i] * b[i]) - c[i]).ToUInt256();
            var words = MemoryMarshal.Cast<byte, ulong>(result.Slice(i * Fr.Size, Fr.Size));
            (words[0], words[1], words[2], words[3]) = (value.U0, value.U1, value.U2, value.U3);
        }

        Array.Clear(c);
    }

    private static void InLanes(LaneDomain domain, Span<Fr> a, Span<Fr> b, Span<byte> result)
    {
        var bytes = (long)domain.Blocks * sizeof(Lanes);
        using var first = new AlignedMemory(bytes, secret: true);
        using var second = new AlignedMemory(bytes, secret: true);
        using var third = new AlignedMemory(bytes, secret: true);
        Lanes* va = first.As<Lanes>(), vb = second.As<Lanes>(), vc = third.As<Lanes>();
        fixed (Fr* from = a)
        {
            Read(domain, (ulong*)from, va);
        }

        fixed (Fr* from = b)
        {
            Read(domain, (ulong*)from, vb);
        }

        // Values stand as a 2^256, so that a product has a factor of 2^252, and 2^264 makes it stand so too.
        Broadcast(Fr.FromUInt64(1 << 8), out var rescale);
        LaneTransform.ForEach(domain.Blocks, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                Lanes.Multiply(va[i], vb[i], out vc[i]);
                Lanes.Multiply(vc[i], rescale, out vc[i]);
            }
        });
        ToCoset(domain, va);
        ToCoset(domain, vb);
        ToCoset(domain, vc);
        fixed (byte* to = result)
        {
            Write(domain, va, vb, vc, (ulong*)to);
        }

        GC.KeepAlive(domain); // its tables were read by address
    }

    private static void ToCoset(LaneDomain domain, Lanes* values)
    {
        LaneTransform.ToCoefficients(domain, values);
        LaneTransform.Scale(domain, values, domain.Shifts);
        LaneTransform.ToValues(domain, values);
    }

    /// <summary>Eight elements of four words each to a vector, and so on.</summary>
    internal static void Read(LaneDomain domain, ulong* from, Lanes* to) =>
        LaneTransform.ForEach(domain.Blocks, (first, end) =>
        {
            for (var block = first; block < end; block++)
            {
                LaneWords w = default;
                LoadHalf(from + (32L * block), ref w);
                Lanes.Unpack(w.W0, w.W1, w.W2, w.W3, out to[block]);
            }
        });

    /// <summary>a b - c as plain numbers below r.</summary>
    private static void Write(LaneDomain domain, Lanes* a, Lanes* b, Lanes* c, ulong* to)
    {
        // a b 2^252 times 2^8 and c 2^256 times 2^4, over 2^260.
        Lanes.Broadcast(1 << 8, 0, 0, 0, 0, out var factor);
        Lanes.Broadcast(1 << 4, 0, 0, 0, 0, out var factorOfC);
        LaneTransform.ForEach(domain.Blocks, (first, end) =>
        {
            var words = stackalloc ulong[32];
            for (var block = first; block < end; block++)
            {
                Lanes.Multiply(a[block], b[block], out var product);
                Lanes.Multiply(product, factor, out product);
                Lanes.Multiply(c[block], factorOfC, out var subtrahend);
                Lanes.SubtractTight(product, subtrahend, out product);
                product.Canonical(out product);
                product.Pack(out var w0, out var w1, out var w2, out var w3);
                for (var lane = 0; lane < 8; lane++)
                {
                    var at = to + (32L * block) + (4 * lane);
                    (at[0], at[1], at[2], at[3]) = (w0[lane], w1[lane], w2[lane], w3[lane]);
                }
            }
        });
    }

    /// <summary>Word j of element i becomes lane i of vector j, for eight elements of four words.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadHalf(ulong* from, ref LaneWords w)
    {
        var rows = stackalloc ulong[64];
        for (var i = 0; i < 8; i++)
        {
            System.Runtime.Intrinsics.Vector256.Store(
                System.Runtime.Intrinsics.Vector256.Load(from + (4 * i)), rows + (8 * i));
        }

        w.W0 = System.Runtime.Intrinsics.Vector512.Load(rows);
        w.W1 = System.Runtime.Intrinsics.Vector512.Load(rows + 8);
        w.W2 = System.Runtime.Intrinsics.Vector512.Load(rows + 16);
        w.W3 = System.Runtime.Intrinsics.Vector512.Load(rows + 24);
        w.W4 = System.Runtime.Intrinsics.Vector512.Load(rows + 32);
        w.W5 = System.Runtime.Intrinsics.Vector512.Load(rows + 40);
        w.W6 = System.Runtime.Intrinsics.Vector512.Load(rows + 48);
        w.W7 = System.Runtime.Intrinsics.Vector512.Load(rows + 56);
        w.Transpose();
    }

    private static void Broadcast(in Fr value, out Lanes lanes)
    {
        lanes = default;
        fixed (Lanes* block = &lanes)
        {
            for (var lane = 0; lane < 8; lane++)
            {
                LaneDomain.PutLimbs(block, lane, value);
            }
        }
    }
}
