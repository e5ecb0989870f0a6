using SuperVm.Cli.Bench.Pbft;
using SuperVm.Cli.Bench.Proving;

namespace SuperVm.Cli.Bench;

/// <summary>The benchmarks, in the order in which `bench --list` shows them.</summary>
internal static class BenchmarkList
{
    internal static IReadOnlyList<IBenchmark> All { get; } =
    [
        new KeccakBenchmark(),
        new GpuBenchmark(),
        new HybridBenchmark(),
        new WordBenchmark(),
        new StoreBenchmark(),
        new MvccBenchmark(),
        new EvmBenchmark(),
        new RootBenchmark(),
        new TransferBenchmark(),
        new Erc20Benchmark(),
        new UniswapBenchmark(),
        new GrowthBenchmark(),
        new TunerBenchmark(),
        new ReplayBenchmark(),
        new LatencyBenchmark(),
        new RecoverBenchmark(),
        new CloudStateBenchmark(),
        new CloudBenchmark(),
        new CloudStartBenchmark(),
        new ImportBenchmark(),
        new IngestBenchmark(),
        new EndToEndBenchmark(),
        new ProveBenchmark(),
        new ReadsBenchmark(),
        new PbftBenchmark(),
    ];
}
