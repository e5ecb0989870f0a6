using System.Numerics;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

/// <summary>The operations of <see cref="GpuAccelerator.Vector"/>.</summary>
public enum VectorOperation : uint
{
    Add = 0,
    Subtract = 1,
    Multiply = 2,
    Invert = 3,
}

public sealed partial class GpuAccelerator
{
    /// <summary>Stages of butterflies that one pass does in local memory: 2^8 values of 32 bytes are 8 KiB.</summary>
    private const int PassStages = 8;

    private readonly List<ClBuffer> _tables = [];
    private readonly Dictionary<(int LogSize, bool Inverse), ClBuffer<Fr>> _twiddles = [];

    /// <summary>Sizes whose twiddles stay on the device; more are made anew each time.</summary>
    private const int MostTwiddleTables = 6;

    /// <summary>
    /// Transforms 2^k values in place: value i becomes the sum over j of value j * w^(ij) with w =
    /// <see cref="Fr.RootOfUnity"/> to the power 2^(28 - k); the inverse takes 1/w and divides by 2^k.
    /// </summary>
    /// <param name="coset">
    /// Null, or a factor g: value i is multiplied by g^i before the transform, or after the inverse.
    /// </param>
    public GpuFailure? Transform(Memory<Fr> values, bool inverse, Fr? coset = null)
    {
        var logSize = BitOperations.Log2((uint)Math.Max(values.Length, 1));
        if (values.Length != 1 << logSize || logSize > Fr.TwoAdicity)
        {
            throw new ArgumentException("A transform has 2^k values, k at most 28.", nameof(values));
        }

        return Run(() =>
        {
            RequireItems(values.Length, "values");
            using var data = _context.Upload<Fr>(values.Span);
            using var result = _context.Allocate<Fr>(values.Length);
            TransformOnDevice(data, result, logSize, inverse, coset);
            result.Read(values.Span);
        });
    }

    private void TransformOnDevice(
        ClBuffer<Fr> data, ClBuffer<Fr> result, int logSize, bool inverse, Fr? coset)
    {
        var program = Program("transform", KernelSource.Transforms);
        if (!inverse && coset is { } factor)
        {
            Scale(program, data, logSize, Fr.One, factor);
        }

        program["ntt_reverse"].Run(_context, 1L << logSize, 0, [data, result, (uint)logSize]);
        var twiddles = Twiddles(logSize, inverse, out var owned);
        for (var stage = 0; stage < logSize; stage += PassStages)
        {
            var stages = Math.Min(PassStages, logSize - stage);
            var group = 1 << (stages - 1);
            program["ntt_pass"].Run(
                _context, 1L << (logSize - 1), group,
                [result, twiddles, (uint)logSize, (uint)stage, (uint)stages, ClArgument.Local(64 * group)]);
        }

        if (inverse)
        {
            Fr.Invert(Fr.FromUInt64(1UL << logSize), out var fraction);
            Scale(program, result, logSize, fraction, coset ?? Fr.One);
        }

        _context.Finish();
        owned?.Dispose();
    }

    /// <summary>Multiplies value i by first * factor^i.</summary>
    private void Scale(ClProgram program, ClBuffer<Fr> data, int logSize, in Fr first, in Fr factor)
    {
        var low = new Fr[256];
        Powers(Fr.One, factor, low);
        var high = new Fr[((1 << logSize) + 255) / 256];
        Powers(first, low[^1] * factor, high);
        using var lowTable = _context.Upload<Fr>(low);
        using var highTable = _context.Upload<Fr>(high);
        program["ntt_scale"].Run(_context, 1L << logSize, 0, [data, lowTable, highTable]);
        _context.Finish();
    }

    private ClBuffer<Fr> Twiddles(int logSize, bool inverse, out ClBuffer? owned)
    {
        owned = null;
        if (_twiddles.TryGetValue((logSize, inverse), out var table))
        {
            return table;
        }

        var root = Fr.RootOfUnity;
        for (var i = logSize; i < Fr.TwoAdicity; i++)
        {
            Fr.Square(root, out root);
        }

        if (inverse)
        {
            Fr.Invert(root, out root);
        }

        var powers = new Fr[Math.Max(1 << logSize >> 1, 1)];
        Powers(Fr.One, root, powers);
        table = _context.Upload<Fr>(powers);
        if (_twiddles.Count < MostTwiddleTables)
        {
            _twiddles[(logSize, inverse)] = table;
            _tables.Add(table);
        }
        else
        {
            owned = table;
        }

        return table;
    }

    private static void Powers(in Fr first, in Fr factor, Span<Fr> powers)
    {
        var power = first;
        foreach (ref var entry in powers)
        {
            entry = power;
            power *= factor;
        }
    }

    /// <summary>result[i] = a[i] (operation) b[i]; the inverse of zero is zero, and takes no b.</summary>
    public GpuFailure? Vector(
        VectorOperation operation, ReadOnlyMemory<Fr> a, ReadOnlyMemory<Fr> b, Memory<Fr> result)
    {
        if (a.Length != b.Length || a.Length != result.Length)
        {
            throw new ArgumentException("The vectors have one length.", nameof(b));
        }

        return a.IsEmpty ? null : Run(() =>
        {
            RequireItems(a.Length, "values");
            using var left = _context.Upload(a.Span);
            using var right = _context.Upload(b.Span);
            using var values = _context.Allocate<Fr>(a.Length);
            Program("transform", KernelSource.Transforms)["fr_vector"]
                .Run(_context, a.Length, 0, [left, right, values, (uint)operation]);
            values.Read(result.Span);
        });
    }
}
