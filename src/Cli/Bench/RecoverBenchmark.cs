using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench;

/// <summary>Sender recovery (secp256k1), one at a time and many at once.</summary>
internal sealed class RecoverBenchmark : IBenchmark
{
    private const int Signatures = 4_000;

    public string Name => "recover";

    public string Description => "secp256k1 recoveries a second: one by one, in batches on one thread and on all cores";

    public Task RunAsync(BenchContext context)
    {
        context.Progress.WriteLine($"  {Secp256k1.BackendDescription}");
        var requests = new RecoveryRequest[Signatures];
        var key = new byte[32];
        for (var i = 0; i < Signatures; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(28), (i % 97) + 1);
            var message = Keccak256.Hash(key.AsSpan(0, 28 + (i % 5)));
            var signature = Secp256k1.Sign(message, key);
            requests[i] = new RecoveryRequest(message, signature.R, signature.S, signature.YParity);
        }

        var signers = new Address?[Signatures];
        context.Measure("one_by_one", "1/s", Signatures, () =>
        {
            foreach (var request in requests)
            {
                Secp256k1.TryRecover(request.Message, request.R, request.S, request.YParity, out _);
            }
        });
        context.Measure("batch_1_thread", "1/s", Signatures, () => Secp256k1.RecoverMany(requests, signers, 1));
        context.Measure("batch_all_cores", "1/s", Signatures, () => Secp256k1.RecoverMany(requests, signers));
        return Task.CompletedTask;
    }
}
