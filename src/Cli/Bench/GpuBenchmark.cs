using System.Buffers.Binary;
using System.CommandLine;
using System.Security.Cryptography;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Gpu;

namespace SuperVm.Cli.Bench;

/// <summary>Batches on an OpenCL device, beside the same on all processors where they do it too.</summary>
internal sealed class GpuBenchmark : IBenchmark
{
    private static readonly Option<int> LogSize = new("--log-size")
    {
        Description = "2^N elements of a batch, 10 to 22 (a CPU under OpenCL: 12)",
        DefaultValueFactory = _ => 0,
    };

    public string Name => "gpu";

    public string Description => "hashes, Merkle trees, transforms, point sums and recoveries on an OpenCL device";

    public IReadOnlyList<Option> Options => [LogSize];

    public Task RunAsync(BenchContext context)
    {
        if (!GpuAccelerator.TryOpenBest(new GpuOptions(), onlyGpu: false, out var opened, out var failure))
        {
            throw new InvalidOperationException($"There is no OpenCL device. {failure!.Message}");
        }

        using var gpu = opened!;
        var logSize = context.Options.GetValue(LogSize);
        logSize = Math.Clamp(logSize == 0 ? gpu.Device.IsGpu ? 20 : 12 : logSize, 10, 22);
        context.Progress.WriteLine(
            $"  {gpu.Device.Name}, driver {gpu.Device.Driver}, {gpu.Device.ComputeUnits} compute units, "
            + $"{gpu.Device.MemoryBytes >> 20} MiB; 2^{logSize} elements");
        context.Report("is_gpu", "", gpu.Device.IsGpu ? 1 : 0);
        Hashes(context, gpu, 1 << logSize);
        Recoveries(context, gpu, gpu.Device.IsGpu ? 1 << Math.Min(logSize, 18) : 256);
        Transforms(context, gpu, logSize);
        Sums(context, gpu, 1 << logSize);
        return Task.CompletedTask;
    }

    private static void Hashes(BenchContext context, GpuAccelerator gpu, int count)
    {
        const int length = 64;
        var buffer = new byte[count * length];
        Fill(buffer);
        var slices = new KeccakInput[count];
        for (var i = 0; i < count; i++)
        {
            slices[i] = new KeccakInput(i * length, length);
        }

        var digests = new Hash256[count];
        context.Measure("keccak256_64_bytes", "1/s", count, () =>
            Require(gpu.HashMany(BatchHash.Keccak256, buffer, slices, digests)));
        context.Measure("keccak256_64_bytes_processors", "1/s", count, () => OnAllCores(count, (from, many) =>
            Keccak256.HashMany(buffer.AsSpan(from * length, many * length), length, digests.AsSpan(from, many))));
        context.Measure("sha256_64_bytes", "1/s", count, () =>
            Require(gpu.HashMany(BatchHash.Sha256, buffer, slices, digests)));
        context.Measure("sha256_64_bytes_processors", "1/s", count, () => OnAllCores(count, (from, many) =>
        {
            Span<byte> digest = stackalloc byte[32];
            for (var i = from; i < from + many; i++)
            {
                SHA256.HashData(buffer.AsSpan(i * length, length), digest);
            }
        }));
        var nodes = new Hash256[count - 1];
        context.Measure("merkle_keccak256_nodes", "1/s", count - 1, () =>
            Require(gpu.MerkleTree(BatchHash.Keccak256, digests, nodes)));
    }

    private static void Recoveries(BenchContext context, GpuAccelerator gpu, int count)
    {
        var requests = new RecoveryRequest[count];
        var key = new byte[32];
        const int distinct = 512;
        for (var i = 0; i < Math.Min(count, distinct); i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(28), i + 1);
            var message = Keccak256.Hash(key);
            var signature = Secp256k1.Sign(message, key);
            requests[i] = new RecoveryRequest(message, signature.R, signature.S, signature.YParity);
        }

        for (var i = distinct; i < count; i++)
        {
            requests[i] = requests[i % distinct];
        }

        var signers = new Address?[count];
        context.Measure("recoveries", "1/s", count, () => Require(gpu.RecoverMany(requests, signers)));
        context.Measure("recoveries_processors", "1/s", count, () => Secp256k1.RecoverMany(requests, signers));
    }

    private static void Transforms(BenchContext context, GpuAccelerator gpu, int logSize)
    {
        var values = new Fr[1 << logSize];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Fr.FromUInt64((ulong)i);
        }

        context.Measure($"ntt_2_{logSize}_points", "1/s", values.Length, () =>
            Require(gpu.Transform(values, inverse: false)));
    }

    private static void Sums(BenchContext context, GpuAccelerator gpu, int count)
    {
        var points = new byte[count * 64];
        var scalars = new byte[count * 32];
        const int distinct = 1024;
        G1.Multiply(G1.Generator, 7, out var point);
        for (var i = 0; i < count; i++)
        {
            if (i < distinct)
            {
                SnarkPoints.Write(point.ToAffine(), points.AsSpan(i * 64));
                JacobianPoint<Fq>.Add(point, G1.Generator, out point);
            }
            else
            {
                points.AsSpan(i % distinct * 64, 64).CopyTo(points.AsSpan(i * 64));
            }

            var digest = Keccak256.Hash(BitConverter.GetBytes(i));
            SnarkPoints.WriteNumber(
                Fr.Reduce(UInt256.FromBigEndian(digest.Bytes)).ToUInt256(), scalars.AsSpan(i * 32));
        }

        context.Measure("msm_points", "1/s", count, () =>
            Require(gpu.MultiplySum(points, scalars, out AffinePoint<Fq> _)));
    }

    private static void OnAllCores(int count, Action<int, int> body)
    {
        var parts = Environment.ProcessorCount;
        Parallel.For(0, parts, part =>
        {
            var (from, to) = ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));
            body(from, to - from);
        });
    }

    private static void Fill(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)((i * 31) ^ (i >> 8));
        }
    }

    private static void Require(GpuFailure? failure)
    {
        if (failure is not null)
        {
            throw new InvalidOperationException(failure.ToString());
        }
    }
}
