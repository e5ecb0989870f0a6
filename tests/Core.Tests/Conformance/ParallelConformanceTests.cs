using SuperVm.Conformance;
using SuperVm.Core.Tests.Parallel;

namespace SuperVm.Core.Tests.Conformance;

/// <summary>
/// The conformance data that execute blocks, on one to eight workers that yield and dawdle at every scheduling point: a
/// part of them in every run, all of them with SUPERVM_TEST_ALL=1.
/// </summary>
public sealed class ParallelConformanceTests
{
    private static readonly bool All = Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") == "1";

    [FixtureTheory("pevm_blocks")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Main_net_blocks_give_their_receipts_on_any_number_of_workers(int workers) =>
        Run("replay", "pevm_blocks", workers, ["."]);

    [FixtureTheory("state_tests")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Transactions_change_the_state_as_the_standard_says_on_any_number_of_workers(int workers) =>
        Run("state", "state_tests", workers, All ? ["."] : [((string[])
            ["eest/osaka", "eest/prague/eip7702_set_code_tx", "eest/cancun/eip1153_tstore"])[workers % 3]]);

    [FixtureTheory("blockchain_tests")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Chains_grow_as_the_standard_says_on_any_number_of_workers(int workers) =>
        Run("block", "blockchain_tests", workers, All
            ? ["."]
            : [workers % 4 == 0 ? "eest/shanghai" : "ethereum_tests"]);

    private static void Run(string kind, string archive, int workers, string[] folders)
    {
        var root = Fixtures.Folder(archive);
        var failures = new StringWriter();
        var options = new ConformanceOptions
        {
            Paths = [.. folders.Select(folder => ConformanceTests.Locate(root, folder))],
            TransactionWorkers = workers,
            Interleaving = Disturbance.Of(workers),
        };
        var summary = ConformanceRun.Run(ConformanceKinds.Find(kind)!, options, failures, CancellationToken.None);
        Assert.True(summary.Failed == 0, $"{summary.Failed} of {summary.Total} failed:\n{failures}");
        Assert.True(summary.Passed > 0);
    }
}
