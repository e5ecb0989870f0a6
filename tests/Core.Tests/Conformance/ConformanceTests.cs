using SuperVm.Conformance;

namespace SuperVm.Core.Tests.Conformance;

/// <summary>Public conformance data: a part of it in every run, all of it with SUPERVM_TEST_ALL=1.</summary>
public sealed class ConformanceTests
{
    private static readonly bool All = Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") == "1";

    [FixtureFact("small")]
    public void Rlp_is_encoded_and_refused_as_the_standard_says() => Run("rlp", "small", "rlp_tests");

    [FixtureFact("small")]
    public void Tries_have_the_roots_of_the_standard() => Run("trie", "small", "trie_tests");

    [FixtureFact("transaction_tests")]
    public void Raw_transactions_are_taken_and_refused_as_each_fork_says() =>
        Run("transaction", "transaction_tests", ".");

    [FixtureFact("precompiles")]
    public void Precompiled_contracts_answer_their_vectors() => Run("precompile", "precompiles", ".");

    [FixtureFact("pevm_blocks")]
    public void Main_net_blocks_use_their_gas_and_give_their_receipts() => Run("replay", "pevm_blocks", ".");

    [FixtureFact("rpc_io")]
    public void Json_rpc_answers_as_execution_apis_records() => Run("rpc", "rpc_io", ".");

    [FixtureFact("state_tests")]
    public void Transactions_change_the_state_as_the_standard_says() =>
        Run("state", "state_tests", All ? ["."] : ["eest/osaka", "eest/prague/eip7702_set_code_tx", "eest/cancun"]);

    [FixtureFact("blockchain_tests")]
    public void Chains_grow_and_refuse_blocks_as_the_standard_says() =>
        Run("block", "blockchain_tests", All ? ["."] : ["eest/osaka", "eest/shanghai", "ethereum_tests"]);

    [Fact]
    public void A_file_that_is_no_fixture_is_a_named_failure()
    {
        var file = Path.Combine(Path.GetTempPath(), $"supervm-{Guid.NewGuid():N}.json");
        File.WriteAllText(file, "{\"test\": {\"post\": {\"Cancun\": [{}]}, \"blocks\": 7");
        try
        {
            var kinds = ConformanceKinds.All.Where(kind => kind.IsAvailable).ToList();
            Assert.NotEmpty(kinds);
            foreach (var kind in kinds)
            {
                var failures = new StringWriter();
                var summary = ConformanceRun.Run(
                    kind, new ConformanceOptions { Paths = [file] }, failures, CancellationToken.None);
                Assert.Equal(1, summary.Failed);
                Assert.Contains(file, failures.ToString(), StringComparison.Ordinal);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Run(string kind, string archive, params string[] folders)
    {
        var root = Fixtures.Folder(archive);
        var paths = folders.Select(folder => Locate(root, folder)).ToList();
        var failures = new StringWriter();
        var summary = ConformanceRun.Run(
            ConformanceKinds.Find(kind)!, new ConformanceOptions { Paths = paths }, failures, CancellationToken.None);
        Assert.True(summary.Failed == 0, $"{summary.Failed} of {summary.Total} failed:\n{failures}");
        Assert.True(summary.Passed > 0);
    }

    /// <summary>Archives have a folder of their own name inside, or not.</summary>
    internal static string Locate(string root, string folder)
    {
        var direct = Path.Combine(root, folder);
        return Directory.Exists(direct)
            ? direct
            : Directory.EnumerateDirectories(root).Select(inner => Path.Combine(inner, folder)).First(Directory.Exists);
    }
}
