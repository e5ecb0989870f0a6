using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

public sealed partial class GpuAccelerator
{
    private const int GeneratorPlaces = 64;
    private const int GeneratorDigits = 15;

    /// <summary>Signatures that travel together, so that transfers and kernels of neighbours overlap.</summary>
    private const int RecoveryChunk = 1 << 16;

    private ClBuffer<KeyWords>? _generator;

    /// <summary>
    /// Recovers many signers; each answer stands at its request's place, null where there is no signer
    /// (<see cref="Secp256k1.TryRecover"/> answers the same).
    /// </summary>
    public GpuFailure? RecoverMany(ReadOnlyMemory<RecoveryRequest> requests, Memory<Address?> signers)
    {
        if (signers.Length < requests.Length)
        {
            throw new ArgumentException("There must be a place for every answer.", nameof(signers));
        }

        return requests.IsEmpty ? null : Run(() => RecoverOnDevice(requests, signers));
    }

    private void RecoverOnDevice(ReadOnlyMemory<RecoveryRequest> requests, Memory<Address?> signers)
    {
        RequireItems(requests.Length, "signatures");
        var kernel = Program("recover", KernelSource.Recovery)["secp_recover"];
        var generator = _generator ??= GeneratorTable();
        var chunk = Math.Min(RecoveryChunk, requests.Length);
        using var first = new RecoverySlot(_context, chunk, 0);
        using var second = new RecoverySlot(_context, requests.Length > chunk ? chunk : 0, 1);
        RecoverySlot[] slots = [first, second];
        var turn = 0;
        for (var start = 0; start < requests.Length; start += chunk, turn++)
        {
            var count = Math.Min(chunk, requests.Length - start);
            var slot = slots[turn & 1];
            slot.Collect(signers.Span);
            slot.Send(requests.Span.Slice(start, count), start);
            kernel.Run(_context, count, 0, [slot.Requests, generator, slot.Keys, slot.Status], 1, slot.Queue);
            _context.Flush(slot.Queue);
        }

        // The chunk before the last came first.
        slots[turn & 1].Collect(signers.Span);
        slots[(turn + 1) & 1].Collect(signers.Span);
    }

    /// <summary>d 16^i G for every place i and digit d, in Montgomery form.</summary>
    private ClBuffer<KeyWords> GeneratorTable()
    {
        var table = new KeyWords[GeneratorPlaces * GeneratorDigits];
        Span<byte> scalar = stackalloc byte[Secp256k1.PrivateKeySize];
        for (var place = 0; place < GeneratorPlaces; place++)
        {
            for (var digit = 1; digit <= GeneratorDigits; digit++)
            {
                var multiple = UInt256.MulMod(UInt256.One << (4 * place), (UInt256)(ulong)digit, Secp256k1.Order);
                multiple.WriteBigEndian(scalar);
                var key = Secp256k1.PublicKeyOf(scalar);
                table[(place * GeneratorDigits) + digit - 1] = new KeyWords(
                    Montgomery(UInt256.FromBigEndian(key.AsSpan(0, 32))),
                    Montgomery(UInt256.FromBigEndian(key.AsSpan(32, 32))));
            }
        }

        var buffer = _context.Upload<KeyWords>(table);
        _tables.Add(buffer);
        return buffer;
    }

    /// <summary>The number times 2^256 modulo secp256k1's prime.</summary>
    private static UInt256 Montgomery(in UInt256 value) => UInt256.MulMod(
        value, (UInt256.MaxValue % KernelSource.SecpPrime) + UInt256.One, KernelSource.SecpPrime);

    /// <summary>A point as the device holds it.</summary>
    private readonly record struct KeyWords(UInt256 X, UInt256 Y);

    /// <summary>A request as the device holds it: 128 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private readonly record struct RequestWords(UInt256 R, UInt256 S, UInt256 Message, uint Parity);

    /// <summary>One of two places where a chunk is under way.</summary>
    private sealed class RecoverySlot(ClContext context, int count, int queue) : IDisposable
    {
        private readonly RequestWords[] _words = new RequestWords[count];
        private readonly KeyWords[] _keys = new KeyWords[count];
        private readonly uint[] _status = new uint[count];
        private readonly byte[] _bytes = new byte[count * Secp256k1.PublicKeySize];
        private readonly Hash256[] _digests = new Hash256[count];
        private int _start;
        private int _pending;

        internal int Queue { get; } = queue;

        internal ClBuffer<RequestWords> Requests { get; } = context.Allocate<RequestWords>(count);

        internal ClBuffer<KeyWords> Keys { get; } = context.Allocate<KeyWords>(count);

        internal ClBuffer<uint> Status { get; } = context.Allocate<uint>(count);

        internal void Send(ReadOnlySpan<RecoveryRequest> requests, int start)
        {
            for (var i = 0; i < requests.Length; i++)
            {
                ref readonly var request = ref requests[i];
                _words[i] = new RequestWords(
                    request.R, request.S, UInt256.FromBigEndian(request.Message.Bytes), request.YParity);
            }

            Requests.Write(_words.AsSpan(0, requests.Length), Queue);
            (_start, _pending) = (start, requests.Length);
        }

        internal void Collect(Span<Address?> signers)
        {
            if (_pending == 0)
            {
                return;
            }

            Keys.Read(_keys.AsSpan(0, _pending), Queue);
            Status.Read(_status.AsSpan(0, _pending), Queue);
            for (var i = 0; i < _pending; i++)
            {
                var key = _bytes.AsSpan(i * Secp256k1.PublicKeySize, Secp256k1.PublicKeySize);
                _keys[i].X.WriteBigEndian(key[..32]);
                _keys[i].Y.WriteBigEndian(key[32..]);
            }

            Keccak256.HashMany(
                _bytes.AsSpan(0, _pending * Secp256k1.PublicKeySize), Secp256k1.PublicKeySize,
                _digests.AsSpan(0, _pending));
            for (var i = 0; i < _pending; i++)
            {
                signers[_start + i] = _status[i] == 1 ? new Address(_digests[i].Bytes[12..]) : null;
            }

            _pending = 0;
        }

        public void Dispose()
        {
            Requests.Dispose();
            Keys.Dispose();
            Status.Dispose();
        }
    }
}
