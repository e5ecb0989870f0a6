using SuperVm.Core.Cryptography;

namespace SuperVm.Cli.Bench;

/// <summary>Keccak-256 over the sizes that a chain hashes most.</summary>
internal sealed class KeccakBenchmark : IBenchmark
{
    private const int HashesPerRun = 200_000;

    public string Name => "keccak";

    public string Description => "Keccak-256 of 32, 64 and 576 bytes, hashes a second on one thread";

    public Task RunAsync(BenchContext context)
    {
        foreach (var size in (int[])[32, 64, 576])
        {
            var input = new byte[size];
            var digest = new byte[32];
            context.Measure($"keccak_{size}_bytes", "1/s", HashesPerRun, () =>
            {
                for (var i = 0; i < HashesPerRun; i++)
                {
                    Keccak256.Hash(input, digest);
                    input[0] = digest[0];
                }
            });
        }

        return Task.CompletedTask;
    }
}
