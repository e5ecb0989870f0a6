using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

/// <summary>The hashes that are computed in batches.</summary>
public enum BatchHash : byte
{
    Keccak256,
    Sha256,
}

public sealed partial class GpuAccelerator
{
    /// <summary>Inputs that travel together, so that transfers and kernels of neighbours overlap.</summary>
    private const int HashChunk = 1 << 18;

    /// <summary>Hashes slices of a buffer; digest i is that of slice i. Slices may overlap.</summary>
    /// <exception cref="ArgumentException">Not one slice a digest, or a slice outside the buffer.</exception>
    public GpuFailure? HashMany(
        BatchHash hash, ReadOnlyMemory<byte> buffer, ReadOnlyMemory<KeccakInput> slices, Memory<Hash256> digests)
    {
        if (slices.Length != digests.Length)
        {
            throw new ArgumentException("A batch has exactly one input for each digest.", nameof(digests));
        }

        foreach (var slice in slices.Span)
        {
            if (slice.Offset < 0 || slice.Length < 0 || (long)slice.Offset + slice.Length > buffer.Length)
            {
                throw new ArgumentException("A slice lies outside of the buffer.", nameof(slices));
            }
        }

        return slices.IsEmpty ? null : Run(() => HashOnDevice(hash, buffer, slices, digests));
    }

    private void HashOnDevice(
        BatchHash hash, ReadOnlyMemory<byte> buffer, ReadOnlyMemory<KeccakInput> slices, Memory<Hash256> digests)
    {
        RequireItems(slices.Length, "inputs");
        var kernel = HashKernel(hash, "_many");
        using var inputs = _context.Upload(buffer.Span);
        var chunk = Math.Min(HashChunk, slices.Length);
        using var first = new HashSlot(_context, chunk, 0);
        using var second = new HashSlot(_context, slices.Length > chunk ? chunk : 0, 1);
        HashSlot[] slots = [first, second];
        var turn = 0;
        for (var start = 0; start < slices.Length; start += chunk, turn++)
        {
            var count = Math.Min(chunk, slices.Length - start);
            var slot = slots[turn & 1];
            slot.Collect(digests);
            slot.Slices.Write(slices.Span.Slice(start, count), slot.Queue);
            kernel.Run(_context, count, 0, [inputs, slot.Slices, slot.Digests], 1, slot.Queue);
            _context.Flush(slot.Queue);
            slot.Pending = (start, count);
        }

        foreach (var slot in slots)
        {
            slot.Collect(digests);
        }
    }

    /// <summary>
    /// The levels of a binary Merkle tree above its leaves, lowest first, each of half the nodes below it; the last is
    /// the root. A parent is the hash of its two children.
    /// </summary>
    /// <param name="leaves">A power of two of them, at least two.</param>
    /// <param name="nodes">Room for leaves.Length - 1 nodes.</param>
    public GpuFailure? MerkleTree(BatchHash hash, ReadOnlyMemory<Hash256> leaves, Memory<Hash256> nodes)
    {
        if (leaves.Length < 2 || (leaves.Length & (leaves.Length - 1)) != 0)
        {
            throw new ArgumentException("A tree has a power of two of leaves, at least two.", nameof(leaves));
        }

        if (nodes.Length != leaves.Length - 1)
        {
            throw new ArgumentException("A tree has one node less than leaves.", nameof(nodes));
        }

        return Run(() =>
        {
            RequireItems(leaves.Length, "leaves");
            var kernel = HashKernel(hash, "_level");
            var below = _context.Upload(leaves.Span);
            var done = 0;
            for (var count = leaves.Length / 2; count > 0; count /= 2)
            {
                ClBuffer<Hash256>? level = null;
                try
                {
                    level = _context.Allocate<Hash256>(count);
                    kernel.Run(_context, count, 0, [below, level]);
                    level.Read(nodes.Span.Slice(done, count));
                }
                finally
                {
                    below.Dispose();
                    below = level!;
                }

                done += count;
            }

            below.Dispose();
        });
    }

    private ClKernel HashKernel(BatchHash hash, string form) =>
        Program("hash", KernelSource.Hashes)[(hash == BatchHash.Keccak256 ? "keccak256" : "sha256") + form];

    /// <summary>One of two places where a chunk is under way.</summary>
    private sealed class HashSlot(ClContext context, int count, int queue) : IDisposable
    {
        internal int Queue { get; } = queue;

        internal ClBuffer<KeccakInput> Slices { get; } = context.Allocate<KeccakInput>(count);

        internal ClBuffer<Hash256> Digests { get; } = context.Allocate<Hash256>(count);

        internal (int Start, int Count) Pending { get; set; }

        internal void Collect(Memory<Hash256> digests)
        {
            Digests.Read(digests.Span.Slice(Pending.Start, Pending.Count), Queue);
            Pending = default;
        }

        public void Dispose()
        {
            Slices.Dispose();
            Digests.Dispose();
        }
    }
}
