using System.Globalization;
using System.Text.RegularExpressions;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Tests.Server;

public sealed partial class MetricsTests
{
    [Fact]
    public async Task What_happened_is_counted_in_well_formed_text()
    {
        using var node = new TestNode(options: new NodeOptions
        {
            Statistics = new Dictionary<string, Func<IReadOnlyDictionary<string, double>>>
            {
                ["state"] = static () => new Dictionary<string, double> { ["slot_hits"] = 3, ["slot_misses"] = 1 },
            },
        });
        await using var server = await NodeServer.StartAsync(node.Node, new ServerOptions { Port = 0 });
        await SubmitAsync(server, node.Transfer(0, 0));
        await SubmitAsync(server, node.Transfer(0, 1));
        node.Node.Producer.Mine();
        await SubmitAsync(server, node.Transfer(1, 0));
        var samples = await ScrapeAsync(server);

        Assert.Equal(2, samples["supervm_transactions_total"]);
        Assert.Equal(1, samples["supervm_pool_pending"]);
        Assert.Equal(2, samples["supervm_pool_wait_seconds_count"]);
        Assert.Equal(1, samples["supervm_block_seconds_count"]);
        Assert.Equal(3, samples["supervm_rpc_calls_total{method=\"eth_sendRawTransaction\"}"]);
        Assert.Equal(3, samples["supervm_rpc_seconds_count"]);
        Assert.Equal(3, samples["supervm_rpc_seconds_bucket{le=\"+Inf\"}"]);
        Assert.Equal(3, samples["supervm_submissions_total"]);
        Assert.Equal(0.75, samples["supervm_state_slot_hit_ratio"]);
        Assert.True(samples["supervm_allocated_bytes_per_transaction"] > 0);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(50, 0)]
    [InlineData(51, 1)]
    [InlineData(10_000_000, 16)]
    [InlineData(10_000_001, 17)]
    public void A_duration_counts_in_the_first_bucket_that_holds_it(long microseconds, int bucket)
    {
        var histogram = new LatencyHistogram();
        histogram.Observe(TimeSpan.FromMicroseconds(microseconds), times: 2);
        Assert.Equal(2, histogram.Counts[bucket]);
        Assert.Equal(2, histogram.Counts.Sum());
        Assert.Equal(2 * microseconds / 1e6, histogram.Sum);
    }

    private static async Task SubmitAsync(NodeServer server, Core.Ledger.Transaction transaction)
    {
        using var client = new HttpClient();
        var raw = TestNode.Raw(transaction);
        using var content = new StringContent(
            $$"""{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":[{{raw}}]}""");
        using var answer = await client.PostAsync(server.Address, content);
        Assert.Contains("result", await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Every sample by name and labels; each family has a type before its first one.</summary>
    private static async Task<Dictionary<string, double>> ScrapeAsync(NodeServer server)
    {
        using var client = new HttpClient();
        var samples = new Dictionary<string, double>();
        var families = new HashSet<string>();
        foreach (var line in (await client.GetStringAsync(new Uri(server.Address, "/metrics"))).Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                Assert.True(families.Add(line.Split(' ')[2]), line);
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                var match = Line().Match(line);
                Assert.True(match.Success, line);
                Assert.Contains(Suffix().Replace(match.Groups["name"].Value, string.Empty), families);
                samples.Add(
                    match.Groups["key"].Value,
                    double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture));
            }
        }

        return samples;
    }

    [GeneratedRegex("^(?<key>(?<name>[a-z_0-9]+)(\\{[a-z]+=\"[^\"]*\"\\})?) (?<value>[-+0-9.eE]+)$")]
    private static partial Regex Line();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
