using System.Buffers.Binary;
using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.Blocks;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.Proving.Scheduling;
using SuperVm.Gpu;
using SuperVm.Hosting.Proving;

namespace SuperVm.Cli.Bench.Proving;

/// <summary>All kinds of work at once under the hybrid scheduler, beside each of them alone.</summary>
/// <remarks>Two works of each kind are always there: who gets nothing is starved, and the figures show it.</remarks>
internal sealed class HybridBenchmark : IBenchmark
{
    private const int AtOnce = 2;
    private const int Constraints = 4_000;
    private const int Signatures = 2_048;
    private const int Inputs = 1 << 16;
    private const int InputBytes = 64;
    private const int Leaves = 1 << 14;
    private const int Blocks = 64;
    private const int TransfersPerBlock = 200;
    private const int TransferringAccounts = 2_000;

    private static readonly Option<double> Seconds = new("--seconds")
    {
        Description = "How long the mixture runs; each kind alone runs a fifth of it", DefaultValueFactory = _ => 10,
    };

    private static readonly Option<SchedulingPolicy> Policy = new("--policy")
    {
        Description = "Auto, CpuOnly, GpuOnly or LoadBalance", DefaultValueFactory = _ => SchedulingPolicy.Auto,
    };

    public string Name => "hybrid";

    public string Description => "transactions, signatures, hashes, Merkle trees and proofs through one scheduler";

    public IReadOnlyList<Option> Options => [Seconds, Policy];

    public async Task RunAsync(BenchContext context)
    {
        var seconds = Math.Clamp(context.Options.GetValue(Seconds), 1, 600);
        var gpus = GpuAccelerator.OpenAll(new GpuOptions(), onlyGpu: true, out var failure);
        context.Progress.WriteLine(
            $"  accelerators: {failure?.Message ?? string.Join(", ", gpus.Select(gpu => gpu.Device.Name))}");
        var options = new HybridOptions
        {
            CpuLanes = Environment.ProcessorCount,
            Accelerators = gpus.Count,
            Policy = context.Options.GetValue(Policy),
        };
        var kinds = new (WorkKind Kind, string Name, Func<Work> Make)[]
        {
            (WorkKind.Proof, "proofs", Proofs(gpus)),
            (WorkKind.BatchVerify, "signatures", Recoveries(gpus)),
            (WorkKind.BatchHash, "hashes", Hashes(gpus)),
            (WorkKind.MerkleTree, "merkle_leaves", Trees(gpus)),
            (WorkKind.Transactions, "transfers", Transfers()),
        };
        var alone = new double[kinds.Length];
        for (var i = 0; i < kinds.Length; i++)
        {
            alone[i] = (await RunAsync(options, [kinds[i]], seconds / 5, context))[0].Rate;
            context.Report(kinds[i].Name + "_alone", "1/s", alone[i]);
        }

        var mixed = await RunAsync(options, kinds, seconds, context);
        var shares = 0.0;
        for (var i = 0; i < kinds.Length; i++)
        {
            context.Report(kinds[i].Name, "1/s", mixed[i].Rate);
            context.Report(kinds[i].Name + "_longest_wait", "ms", mixed[i].LongestWait * 1000);
            shares += mixed[i].Rate / alone[i];
        }

        // The kinds' parts of what each does alone: 1 where mixing costs nothing.
        context.Report("sum_of_shares", "", shares);
        foreach (var gpu in gpus)
        {
            gpu.Dispose();
        }
    }

    private static async Task<(double Rate, double LongestWait)[]> RunAsync(
        HybridOptions options, (WorkKind Kind, string Name, Func<Work> Make)[] kinds, double seconds,
        BenchContext context)
    {
        using var scheduler = new HybridScheduler(options, TimeProvider.System);
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(kinds.SelectMany(kind => Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                await scheduler.TryRun(kind.Make())!;
            }
        }))));
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (kinds.Length > 1)
        {
            context.Progress.WriteLine("  " + scheduler.Explain().ReplaceLineEndings("\n  "));
        }

        return [.. kinds.Select(kind =>
        {
            var seen = scheduler.Statistics(kind.Kind);
            var elements = (double)(seen.CpuElements + seen.AcceleratorElements);
            var unit = kind.Kind switch
            {
                WorkKind.Proof => 1.0 / DomainOf(Constraints),
                WorkKind.Transactions => TransfersPerBlock,
                _ => 1,
            };
            return (elements * unit / elapsed, seen.LongestWaitSeconds);
        })];
    }

    private static int DomainOf(int constraints) =>
        (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)constraints + 2);

    private static Func<Work> Proofs(IReadOnlyList<GpuAccelerator> gpus)
    {
        var random = new SystemRandomSource();
        using var file = new MemoryStream();
        DevelopmentSetup.Write(new R1cs(new MemorySource(SquaringCircuit.Circuit(Constraints))), random, file);
        var key = new ProvingKey(new MemorySource(file.ToArray()));
        var witness = new Witness(new MemorySource(SquaringCircuit.Witness(Constraints, 7)));
        var processors = new CpuProofBackend();
        var devices = gpus.Select(gpu => new GpuProofBackend(gpu, processors, _ => { })).ToArray();
        void Prove(IProofBackend backend) => new Prover(backend, random).Prove(key, witness);
        return () => new Work
        {
            Kind = WorkKind.Proof,
            Size = key.DomainSize,
            LeastSlice = key.DomainSize,
            OnCpu = (_, _) => Prove(processors),
            OnAccelerator = devices.Length == 0 ? null : (device, _, _) =>
            {
                Prove(devices[device]);
                return AcceleratorAnswer.Done;
            },
        };
    }

    private static Func<Work> Recoveries(IReadOnlyList<GpuAccelerator> gpus)
    {
        var requests = new RecoveryRequest[Signatures];
        var key = new byte[32];
        for (var i = 0; i < requests.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(28), (i % 97) + 1);
            var message = Keccak256.Hash(key.AsSpan(0, 28 + (i % 5)));
            var signature = Secp256k1.Sign(message, key);
            requests[i] = new RecoveryRequest(message, signature.R, signature.S, signature.YParity);
        }

        return () =>
        {
            var signers = new Address?[Signatures];
            return new Work
            {
                Kind = WorkKind.BatchVerify,
                Size = Signatures,
                LeastSlice = 64,
                OnCpu = (start, count) => Secp256k1.RecoverMany(
                    requests.AsMemory(start, count), signers.AsMemory(start, count), 1),
                OnAccelerator = gpus.Count == 0 ? null : (device, start, count) => Answer(gpus[device].RecoverMany(
                    requests.AsMemory(start, count), signers.AsMemory(start, count))),
            };
        };
    }

    private static Func<Work> Hashes(IReadOnlyList<GpuAccelerator> gpus)
    {
        var buffer = new byte[Inputs * InputBytes];
        var slices = new KeccakInput[Inputs];
        for (var i = 0; i < Inputs; i++)
        {
            slices[i] = new KeccakInput(i * InputBytes, InputBytes);
            buffer[i * InputBytes] = (byte)i;
        }

        return () =>
        {
            var digests = new Hash256[Inputs];
            return new Work
            {
                Kind = WorkKind.BatchHash,
                Size = Inputs,
                LeastSlice = 1024,
                OnCpu = (start, count) => Keccak256.HashMany(
                    buffer.AsSpan(start * InputBytes, count * InputBytes), InputBytes, digests.AsSpan(start, count)),
                OnAccelerator = gpus.Count == 0 ? null : (device, start, count) => Answer(gpus[device].HashMany(
                    BatchHash.Keccak256, buffer, slices.AsMemory(start, count), digests.AsMemory(start, count))),
            };
        };
    }

    private static Func<Work> Trees(IReadOnlyList<GpuAccelerator> gpus)
    {
        var leaves = new Hash256[Leaves];
        for (var i = 0; i < Leaves; i++)
        {
            leaves[i] = Keccak256.Hash(BitConverter.GetBytes(i));
        }

        return () =>
        {
            var nodes = new Hash256[Leaves - 1];
            return new Work
            {
                Kind = WorkKind.MerkleTree,
                Size = Leaves,
                LeastSlice = Leaves,
                OnCpu = (_, _) => HashTree(leaves, nodes),
                OnAccelerator = gpus.Count == 0 ? null : (device, _, _) =>
                    Answer(gpus[device].MerkleTree(BatchHash.Keccak256, leaves, nodes)),
            };
        };
    }

    private static void HashTree(ReadOnlySpan<Hash256> below, Span<Hash256> nodes)
    {
        for (var count = below.Length / 2; count > 0; count /= 2)
        {
            var level = nodes[..count];
            Keccak256.HashMany(
                System.Runtime.InteropServices.MemoryMarshal.AsBytes(below), 2 * Hash256.Size, level);
            below = level;
            nodes = nodes[count..];
        }
    }

    private static Func<Work> Transfers()
    {
        var transfers = new TransferWorld(TransferringAccounts);
        var inputs = Enumerable.Range(0, Blocks).Select(i => transfers.Block(TransfersPerBlock, i)).ToArray();
        return () => new Work
        {
            Kind = WorkKind.Transactions,
            Size = Blocks,
            LeastSlice = 1,
            OnCpu = (start, count) =>
            {
                var runner = new SerialTransactionRunner(new EvmEngine());
                var processor = new BlockProcessor(new EvmEngine(), runner);
                for (var i = start; i < start + count; i++)
                {
                    processor.Execute(inputs[i], transfers.State);
                }
            },
        };
    }

    private static AcceleratorAnswer Answer(GpuFailure? failure) => failure?.Kind switch
    {
        null => AcceleratorAnswer.Done,
        GpuFailureKind.OutOfMemory => AcceleratorAnswer.Refused,
        _ => AcceleratorAnswer.Lost,
    };
}
