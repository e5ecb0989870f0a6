using System.Numerics;
using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

public sealed partial class GpuAccelerator
{
    /// <summary>
    /// Values of a b - c on a coset from values of a and b on the domain, where c = a b there; the coset's shift is the
    /// root of unity of twice the size.
    /// </summary>
    /// <param name="a">2^k values, k at most 27.</param>
    /// <param name="b">As many.</param>
    /// <param name="result">32 bytes a value, plain numbers, least significant byte first.</param>
    public unsafe GpuFailure? Quotient(ReadOnlySpan<Fr> a, ReadOnlySpan<Fr> b, Span<byte> result)
    {
        var logSize = BitOperations.Log2((uint)Math.Max(a.Length, 1));
        if (a.Length != 1 << logSize || b.Length != a.Length || logSize >= Fr.TwoAdicity
            || result.Length != a.Length * Fr.Size)
        {
            throw new ArgumentException("a and b have 2^k values, k at most 27, the result 32 bytes for each.");
        }

        // Run ends before the memory is released: the pointers are good as long as they are used.
        fixed (Fr* fromA = a, fromB = b)
        fixed (byte* to = result)
        {
            var (left, right, end, count) = ((nint)fromA, (nint)fromB, (nint)to, a.Length);
            return Run(() => QuotientOnDevice(
                new ReadOnlySpan<Fr>((void*)left, count), new ReadOnlySpan<Fr>((void*)right, count),
                MemoryMarshal.Cast<byte, Fr>(new Span<byte>((void*)end, count * Fr.Size)), logSize));
        }
    }

    private void QuotientOnDevice(ReadOnlySpan<Fr> a, ReadOnlySpan<Fr> b, Span<Fr> result, int logSize)
    {
        RequireItems(a.Length, "values");
        var shift = Fr.RootOfUnity;
        for (var i = logSize + 1; i < Fr.TwoAdicity; i++)
        {
            Fr.Square(shift, out shift);
        }

        var program = Program("transform", KernelSource.Transforms);
        ClBuffer<Fr>? left = null, right = null, product = null, other = null;
        try
        {
            left = _context.Upload(a);
            right = _context.Upload(b);
            product = _context.Allocate<Fr>(a.Length);
            other = _context.Allocate<Fr>(a.Length);
            program["fr_product"].Run(_context, a.Length, 0, [left, right, product]);
            ToCoset(ref left, ref other, logSize, shift);
            ToCoset(ref right, ref other, logSize, shift);
            ToCoset(ref product, ref other, logSize, shift);
            program["fr_product_less"].Run(_context, a.Length, 0, [left, right, product]);
            program["fr_plain"].Run(_context, a.Length, 0, [left]);
            left.Read(result);
        }
        finally
        {
            foreach (var buffer in new[] { left, right, product, other })
            {
                buffer?.Clear();
                buffer?.Dispose();
            }
        }
    }

    /// <summary>Values on the domain to values on the coset: through the coefficients.</summary>
    private void ToCoset(ref ClBuffer<Fr> data, ref ClBuffer<Fr> other, int logSize, in Fr shift)
    {
        TransformOnDevice(data, other, logSize, inverse: true, null);
        TransformOnDevice(other, data, logSize, inverse: false, shift);
    }
}
