using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;
using SuperVm.Core.Tests;
using SuperVm.Hosting.Nodes;
using Xunit.Abstractions;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>The request and response pairs of execution-apis over a chain of 54 blocks, compared exactly.</summary>
/// <remarks>Error messages are free; codes and data are not. Families that the node does not have are left out, and
/// what depends on submissions that are not in the archive (txpool_status, txpool_content).</remarks>
public sealed class ExecutionApisTests(ITestOutputHelper output)
{
    private const string Archive = "rpc_io";

    private static readonly string[] Families =
    [
        "eth_baseFee", "eth_blobBaseFee", "eth_blockNumber", "eth_call", "eth_chainId", "eth_createAccessList",
        "eth_estimateGas", "eth_feeHistory", "eth_getBalance", "eth_getBlockByHash", "eth_getBlockByNumber",
        "eth_getBlockReceipts", "eth_getBlockTransactionCountByHash", "eth_getBlockTransactionCountByNumber",
        "eth_getCode", "eth_getLogs", "eth_getProof", "eth_getStorageAt", "eth_getStorageValues",
        "eth_getTransactionByBlockHashAndIndex", "eth_getTransactionByBlockNumberAndIndex", "eth_getTransactionByHash",
        "eth_getTransactionCount", "eth_getTransactionReceipt", "eth_sendRawTransaction", "eth_syncing", "net_version",
        "txpool_contentFrom",
    ];

    [FixtureFact(Archive)]
    public void Responses_equal_those_of_execution_apis() => AssertAnswers(open: null);

    /// <summary>
    /// The blocks are written by one instance and read by another that has nothing but the documents, blobs and rows.
    /// </summary>
    [FixtureFact(Archive)]
    public void Responses_from_documents_blobs_and_rows_alone_equal_them_too()
    {
        var ports = new DocumentChainPorts(
            new InMemoryDocumentStore(), new InMemoryBlobStore(), new InMemoryRowStore(), TimeProvider.System);
        var options = new DocumentChainOptions { State = new PagedOptions { PageBytes = 1_024, LogBytes = 1_024 } };
        AssertAnswers(genesis => DocumentChain.OpenAsync(ports, genesis, options).GetAwaiter().GetResult());
    }

    private void AssertAnswers(Func<Genesis, IChain>? open)
    {
        var folder = Path.Combine(Fixtures.Folder(Archive), "rpc_io");
        var genesis = GenesisReader.Read(File.ReadAllBytes(Path.Combine(folder, "genesis.json")));
        Assert.True(genesis.Succeeded, genesis.Error);
        using var writer = new TestNode(genesis.Value, new NodeOptions { IsInstantlyFinal = false }, open: open);
        Import(writer, File.ReadAllBytes(Path.Combine(folder, "chain.rlp")));
        writer.Chain.SetFinality(writer.Chain.Head.Number, writer.Chain.Head.Number);
        using var reader = open is null
            ? null
            : new TestNode(genesis.Value, new NodeOptions { IsInstantlyFinal = false }, open: open);
        var node = reader ?? writer;

        var failures = new List<string>();
        var count = 0;
        foreach (var file in Families.Select(family => Path.Combine(folder, family)).Where(Directory.Exists)
            .SelectMany(family => Directory.GetFiles(family, "*.io").Order()))
        {
            count++;
            failures.AddRange(Compare(node, file));
        }

        output.WriteLine($"{count} exchanges, {failures.Count} differences");
        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.True(count > 0);
    }

    private static void Import(TestNode node, ReadOnlyMemory<byte> blocks)
    {
        while (!blocks.IsEmpty)
        {
            var length = BlockCodec.LengthOfFirst(blocks.Span, out var problem);
            Assert.True(length > 0, problem);
            var result = node.Chain.Import(BlockCodec.Decode(blocks.Span[..length]).Value!);
            Assert.True(result.Accepted, $"{result.Status} {result.Rule} {result.Detail}");
            blocks = blocks[length..];
        }

        node.Node.Pool.Reset(node.Chain.StateAt(node.Chain.Head.Number).State!);
    }

    private static IEnumerable<string> Compare(TestNode node, string file)
    {
        var lines = File.ReadAllLines(file);
        for (var i = 0; i + 1 < lines.Length; i++)
        {
            if (!lines[i].StartsWith(">> ", StringComparison.Ordinal))
            {
                continue;
            }

            using var expected = JsonDocument.Parse(lines[i + 1][3..]);
            using var actual = JsonDocument.Parse(node.Answer(lines[i][3..]));
            var difference = Difference(expected.RootElement, actual.RootElement, string.Empty);
            if (difference is not null)
            {
                yield return $"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileName(file)}{difference}";
            }
        }
    }

    private static string? Difference(JsonElement expected, JsonElement actual, string path)
    {
        if (path == "/error/message")
        {
            return null;
        }

        if (expected.ValueKind != actual.ValueKind)
        {
            return $"{path}: {Short(expected)} expected, {Short(actual)} found";
        }

        switch (expected.ValueKind)
        {
            case JsonValueKind.Object:
                var names = expected.EnumerateObject().Select(property => property.Name)
                    .Union(actual.EnumerateObject().Select(property => property.Name));
                return names.Select(name => !expected.TryGetProperty(name, out var left)
                        ? $"{path}/{name} is too much"
                        : !actual.TryGetProperty(name, out var right)
                            ? $"{path}/{name} is missing"
                            : Difference(left, right, $"{path}/{name}"))
                    .FirstOrDefault(difference => difference is not null);
            case JsonValueKind.Array:
                return expected.GetArrayLength() != actual.GetArrayLength()
                    ? $"{path}: {expected.GetArrayLength()} items expected, {actual.GetArrayLength()} found"
                    : expected.EnumerateArray().Zip(actual.EnumerateArray())
                        .Select((pair, index) => Difference(pair.First, pair.Second, $"{path}/{index}"))
                        .FirstOrDefault(difference => difference is not null);
            case JsonValueKind.Number:
                return expected.GetDouble().Equals(actual.GetDouble())
                    ? null
                    : $"{path}: {expected} expected, {actual} found";
            default:
                return expected.ToString() == actual.ToString()
                    ? null
                    : $"{path}: {Short(expected)} expected, {Short(actual)} found";
        }
    }

    private static string Short(JsonElement element)
    {
        const int Shown = 200;
        var text = element.GetRawText();
        return text.Length <= Shown ? text : text[..Shown] + "…";
    }
}
