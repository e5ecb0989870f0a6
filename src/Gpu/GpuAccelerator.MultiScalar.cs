using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

public sealed partial class GpuAccelerator
{
    private const int ScalarBits = 254;

    /// <summary>The sum of scalar i times point i in BN254's first group.</summary>
    /// <param name="points">
    /// 64 bytes a point: x and y, four limbs each, least significant first, in Montgomery form with R = 2^256 (the
    /// layout of snarkjs' files); all zero at infinity.
    /// </param>
    /// <param name="scalars">
    /// 32 bytes a scalar, plain numbers below <see cref="Fr.Modulus"/>, least significant byte first.
    /// </param>
    /// <param name="sum">The sum; undefined where the answer is a failure.</param>
    /// <exception cref="InvalidDataException">A point is not on the curve, or a coordinate not below p.</exception>
    public GpuFailure? MultiplySum(
        ReadOnlyMemory<byte> points, ReadOnlyMemory<byte> scalars, out AffinePoint<Fq> sum)
    {
        var result = default(AffinePoint<Fq>);
        var failure = Sum<Raw64, Raw128>(
            "g1", KernelSource.FirstGroup, points, scalars, (parts, rows, bits) =>
            {
                var total = Combine<Fq>(MemoryMarshal.AsBytes(parts), rows, bits, ReadFq);
                result = total.ToAffine();
            });
        sum = result;
        return failure;
    }

    /// <summary>As the other, in the second group: 128 bytes a point (x.c0, x.c1, y.c0, y.c1).</summary>
    public GpuFailure? MultiplySum(
        ReadOnlyMemory<byte> points, ReadOnlyMemory<byte> scalars, out AffinePoint<Fq2> sum)
    {
        var result = default(AffinePoint<Fq2>);
        var failure = Sum<Raw128, Raw256>(
            "g2", KernelSource.SecondGroup, points, scalars, (parts, rows, bits) =>
            {
                var total = Combine<Fq2>(MemoryMarshal.AsBytes(parts), rows, bits, ReadFq2);
                result = total.ToAffine();
            });
        sum = result;
        return failure;
    }

    private delegate void Finisher<TSum>(ReadOnlySpan<TSum> parts, int rows, int windowBits);

    private GpuFailure? Sum<TPoint, TSum>(
        string group, Func<bool, string> source, ReadOnlyMemory<byte> points, ReadOnlyMemory<byte> scalars,
        Finisher<TSum> finish)
        where TPoint : unmanaged
        where TSum : unmanaged
    {
        var count = scalars.Length / Fr.Size;
        if (scalars.Length % Fr.Size != 0 || points.Length != (long)count * Unsafe.SizeOf<TPoint>())
        {
            throw new ArgumentException("There is one point for each scalar.", nameof(points));
        }

        foreach (ref readonly var scalar in MemoryMarshal.Cast<byte, UInt256>(scalars.Span))
        {
            if (scalar >= Fr.Modulus)
            {
                throw new ArgumentException("A scalar is not below the group's order.", nameof(scalars));
            }
        }

        return count == 0 ? null : Run(() =>
        {
            RequireItems(count, "points");
            var bits = WindowBits(count);
            var windows = (ScalarBits + bits) / bits;
            var program = Program(group, source);
            using var pointBuffer = _context.Upload(MemoryMarshal.Cast<byte, TPoint>(points.Span));
            RequireOnCurve(program[group + "_check"], pointBuffer, group, count);
            using var scalarBuffer = _context.Upload(MemoryMarshal.Cast<byte, UInt256>(scalars.Span));
            var stretches = Stretches(bits);
            var parts = new TSum[windows * stretches];
            var rows = RowsThatFit<TSum>(count, bits, windows);
            for (var first = 0; first < windows; first += rows)
            {
                var now = Math.Min(rows, windows - first);
                using var work = new MultiScalarWork<TSum>(_context, program, group, count, bits, now);
                work.Sort(scalarBuffer, first);
                work.SumBuckets(pointBuffer);
                work.Reduce(parts.AsSpan(first * stretches, now * stretches), stretches);
            }

            scalarBuffer.Clear(); // they may be secrets
            finish(parts, windows, bits);
        });
    }

    private void RequireOnCurve(ClKernel kernel, ClBuffer points, string group, int count)
    {
        var b = group == "g1" ? new Fq2(Fq.FromUInt64(3), Fq.Zero) : TwistB;
        var words = new byte[64];
        SnarkWords(b.C0).CopyTo(words, 0);
        SnarkWords(b.C1).CopyTo(words, 32);
        using var curve = _context.Upload<byte>(words);
        using var faults = _context.Upload<uint>([0]);
        kernel.Run(_context, count, 0, [points, curve, faults]);
        var found = new uint[1];
        faults.Read(found);
        if (found[0] != 0)
        {
            throw new InvalidDataException($"{found[0]} of {count} points are not on the curve.");
        }
    }

    /// <summary>3 / (9 + u), the b of the second group's curve.</summary>
    private static Fq2 TwistB
    {
        get
        {
            Fq2.Invert(new Fq2(Fq.FromUInt64(9), Fq.One), out var inverse);
            Fq2.Multiply(inverse, new Fq2(Fq.FromUInt64(3), Fq.Zero), out var b);
            return b;
        }
    }

    private static byte[] SnarkWords(in Fq value)
    {
        var bytes = value.ToMontgomery256().ToBigEndian();
        Array.Reverse(bytes);
        return bytes;
    }

    /// <summary>Bits of a digit: where the buckets' additions and the points' cost about the same.</summary>
    private static int WindowBits(int count) => Math.Clamp(BitOperations.Log2((uint)count) - 4, 4, 16);

    /// <summary>Work-items that share a window's buckets in the last step.</summary>
    private static int Stretches(int windowBits) => Math.Min(1 << (windowBits - 1), 256);

    /// <summary>Windows whose lists fit into the budget together.</summary>
    private int RowsThatFit<TSum>(int count, int bits, int windows)
        where TSum : unmanaged
    {
        var each = MultiScalarWork<TSum>.BytesPerRow(count, bits);
        if (each > _context.FreeBytes)
        {
            throw new GpuException(
                GpuFailureKind.OutOfMemory,
                $"one window of {count} points takes {each} bytes, {_context.FreeBytes} are free");
        }

        var byBuffer = _context.Device.LargestBufferBytes / MultiScalarWork<TSum>.LargestPerRow(count, bits);
        return (int)Math.Clamp(Math.Min(_context.FreeBytes / each, byBuffer), 1, (ulong)windows);
    }

    /// <summary>Adds a window's stretches up and the windows together, highest first.</summary>
    private static JacobianPoint<T> Combine<T>(
        ReadOnlySpan<byte> parts, int windows, int bits, Func<ReadOnlySpan<byte>, T> read)
        where T : unmanaged, ICurveField<T>
    {
        var fieldSize = typeof(T) == typeof(Fq) ? 32 : 64;
        var stretches = parts.Length / (4 * fieldSize) / windows;
        var total = JacobianPoint<T>.Infinity;
        for (var window = windows - 1; window >= 0; window--)
        {
            for (var i = 0; i < bits && window < windows - 1; i++)
            {
                JacobianPoint<T>.Double(total, out total);
            }

            for (var i = 0; i < stretches; i++)
            {
                var at = ((window * stretches) + i) * 4 * fieldSize;
                var (x, y) = (read(parts.Slice(at, fieldSize)), read(parts.Slice(at + fieldSize, fieldSize)));
                var (zz, zzz) = (
                    read(parts.Slice(at + (2 * fieldSize), fieldSize)),
                    read(parts.Slice(at + (3 * fieldSize), fieldSize)));
                if (!zz.IsZero)
                {
                    JacobianPoint<T>.Add(total, FromXyzz(x, y, zz, zzz), out total);
                }
            }
        }

        return total;
    }

    /// <summary>(X / ZZ, Y / ZZZ) as Jacobian coordinates with Z = ZZ ZZZ: X ZZ ZZZ^2, Y ZZ^3 ZZZ^2.</summary>
    private static JacobianPoint<T> FromXyzz<T>(in T x, in T y, in T zz, in T zzz)
        where T : unmanaged, ICurveField<T>
    {
        JacobianPoint<T> point;
        T.Multiply(zz, zzz, out point.Z);
        T.Multiply(point.Z, zzz, out var both);
        T.Multiply(x, both, out point.X);
        T.Multiply(both, zz, out both);
        T.Multiply(both, zz, out both);
        T.Multiply(y, both, out point.Y);
        return point;
    }

    private static Fq ReadFq(ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        return Fq.TryCreateFromMontgomery256(new UInt256(words[0], words[1], words[2], words[3]), out var value)
            ? value
            : throw new GpuException(GpuFailureKind.DeviceLost, "the device answered a number that is not below p");
    }

    private static Fq2 ReadFq2(ReadOnlySpan<byte> bytes) => new(ReadFq(bytes[..32]), ReadFq(bytes[32..]));

    /// <summary>Elements of 64, 128 and 256 bytes: points and sums as the device holds them.</summary>
    [InlineArray(8)]
    private struct Raw64
    {
        private ulong _first;
    }

    [InlineArray(16)]
    private struct Raw128
    {
        private ulong _first;
    }

    [InlineArray(32)]
    private struct Raw256
    {
        private ulong _first;
    }
}
