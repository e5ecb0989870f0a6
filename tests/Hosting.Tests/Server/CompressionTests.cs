using System.Net;
using System.Text;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Tests.Server;

public sealed class CompressionTests
{
    private const string Block =
        """{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x0",true]}""";

    private const string ChainId = """{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}""";

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("br;q=0.2, gzip;q=0.8", "gzip")]
    [InlineData("deflate", null)]
    [InlineData("br;q=0, gzip;q=0", null)]
    [InlineData(null, null)]
    public async Task A_large_answer_is_coded_as_the_client_prefers(string? accepted, string? coding)
    {
        using var node = new TestNode();
        await using var server = await StartAsync(node, compressFromBytes: 256);
        var (plain, _) = await PostAsync(server, Block, null);
        var (answer, used) = await PostAsync(server, Block, accepted);
        Assert.Equal(coding, used);
        Assert.Equal(plain, answer);
    }

    [Fact]
    public async Task A_small_answer_and_a_server_that_was_not_told_to_do_not_compress()
    {
        using var node = new TestNode();
        await using (var server = await StartAsync(node, compressFromBytes: 256))
        {
            Assert.Null((await PostAsync(server, ChainId, "br")).Coding);
        }

        await using var plain = await StartAsync(node, int.MaxValue);
        Assert.Null((await PostAsync(plain, Block, "br")).Coding);
    }

    private static Task<NodeServer> StartAsync(TestNode node, int compressFromBytes) => NodeServer.StartAsync(
        node.Node, new ServerOptions { Port = 0, CompressFromBytes = compressFromBytes });

    private static async Task<(string Text, string? Coding)> PostAsync(NodeServer server, string body, string? accepted)
    {
        using var client = new HttpClient(
            new HttpClientHandler { AutomaticDecompression = DecompressionMethods.None });
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Address)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (accepted is not null)
        {
            request.Headers.AcceptEncoding.ParseAdd(accepted);
        }

        using var response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        var coding = response.Content.Headers.ContentEncoding.SingleOrDefault();
        await using var raw = await response.Content.ReadAsStreamAsync();
        await using Stream stream = coding switch
        {
            "br" => new System.IO.Compression.BrotliStream(raw, System.IO.Compression.CompressionMode.Decompress),
            "gzip" => new System.IO.Compression.GZipStream(raw, System.IO.Compression.CompressionMode.Decompress),
            _ => raw,
        };
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return (await reader.ReadToEndAsync(), coding);
    }
}
