using System.Numerics;
using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
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
        ReadOnlyMemory<byte> points, ReadOnlyMemory<byte> scalars, out AffinePoint<Fq> sum) =>
        Sum(SumGroups.First, points, scalars, out sum);

    /// <summary>As the other, in the second group: 128 bytes a point (x.c0, x.c1, y.c0, y.c1).</summary>
    public GpuFailure? MultiplySum(
        ReadOnlyMemory<byte> points, ReadOnlyMemory<byte> scalars, out AffinePoint<Fq2> sum) =>
        Sum(SumGroups.Second, points, scalars, out sum);

    private GpuFailure? Sum<T>(
        SumGroup<T> group, ReadOnlyMemory<byte> points, ReadOnlyMemory<byte> scalars, out AffinePoint<T> sum)
        where T : unmanaged, ICurveField<T>
    {
        sum = default;
        var count = scalars.Length / Fr.Size;
        if (scalars.Length % Fr.Size != 0 || points.Length != (long)count * group.PointBytes)
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

        if (count == 0)
        {
            return null;
        }

        var total = JacobianPoint<T>.Infinity;
        var failure = Run(() =>
        {
            RequireItems(count, "points");
            var bits = WindowBits(count);
            var windows = (ScalarBits + bits) / bits;
            var program = Program(group.Name, group.Source);
            using var pointBuffer = _context.Upload(points.Span);
            RequireOnCurve(program[group.Name + "_check"], pointBuffer, group.CurveB, count);
            using var scalarBuffer = _context.Upload(MemoryMarshal.Cast<byte, UInt256>(scalars.Span));
            var rowBytes = Stretches(bits) * group.SumBytes;
            var parts = new byte[windows * rowBytes];
            var rows = RowsThatFit(count, bits, windows, group.SumBytes);
            for (var first = 0; first < windows; first += rows)
            {
                var now = Math.Min(rows, windows - first);
                using var work = new MultiScalarWork(
                    _context, program, group.Name, group.SumBytes, count, bits, now);
                work.Sort(scalarBuffer, first);
                work.SumBuckets(pointBuffer);
                work.Reduce(parts.AsSpan(first * rowBytes, now * rowBytes), Stretches(bits));
            }

            scalarBuffer.Clear(); // they may be secrets
            total = Combine(group, parts, windows, bits);
        });
        sum = total.ToAffine();
        return failure;
    }

    private void RequireOnCurve(ClKernel kernel, ClBuffer points, in Fq2 curveB, int count)
    {
        var words = new byte[64];
        SnarkPoints.WriteNumber(curveB.C0.ToMontgomery256(), words);
        SnarkPoints.WriteNumber(curveB.C1.ToMontgomery256(), words.AsSpan(32));
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

    /// <summary>Bits of a digit: where the buckets' additions and the points' cost about the same.</summary>
    private static int WindowBits(int count) => Math.Clamp(BitOperations.Log2((uint)count) - 4, 4, 16);

    /// <summary>Work-items that share a window's buckets in the last step.</summary>
    private static int Stretches(int windowBits) => Math.Min(1 << (windowBits - 1), 256);

    /// <summary>Windows whose lists fit into the budget together.</summary>
    private int RowsThatFit(int count, int bits, int windows, int sumBytes)
    {
        var each = MultiScalarWork.BytesPerRow(count, bits, sumBytes);
        if (each > _context.FreeBytes)
        {
            throw new GpuException(
                GpuFailureKind.OutOfMemory,
                $"one window of {count} points takes {each} bytes, {_context.FreeBytes} are free");
        }

        var byBuffer = _context.Device.LargestBufferBytes / MultiScalarWork.LargestPerRow(count, bits, sumBytes);
        return (int)Math.Clamp(Math.Min(_context.FreeBytes / each, byBuffer), 1, (ulong)windows);
    }

    /// <summary>Adds a window's stretches up and the windows together, highest first.</summary>
    private static JacobianPoint<T> Combine<T>(SumGroup<T> group, ReadOnlySpan<byte> parts, int windows, int bits)
        where T : unmanaged, ICurveField<T>
    {
        var (field, stretches) = (group.FieldBytes, parts.Length / group.SumBytes / windows);
        var total = JacobianPoint<T>.Infinity;
        for (var window = windows - 1; window >= 0; window--)
        {
            for (var i = 0; i < bits && window < windows - 1; i++)
            {
                JacobianPoint<T>.Double(total, out total);
            }

            for (var i = 0; i < stretches; i++)
            {
                var part = parts.Slice(((window * stretches) + i) * group.SumBytes, group.SumBytes);
                var (x, y) = (group.Read(part), group.Read(part[field..]));
                var (zz, zzz) = (group.Read(part[(2 * field)..]), group.Read(part[(3 * field)..]));
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
}
