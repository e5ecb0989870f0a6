using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Tests.Server;

/// <summary>The same over the event loop and over Kestrel's own transport.</summary>
public sealed class TransportTests
{
    private const string ChainId = """{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}""";
    private const string Answer = """{"jsonrpc":"2.0","id":1,"result":"0x7a69"}""";
    private const int MaximumBody = 256 << 10;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Requests_sent_without_waiting_are_answered_in_their_order(bool useEventLoop)
    {
        const int Requests = 200;
        using var node = new TestNode();
        await using var server = await StartAsync(node, useEventLoop);
        await using var client = await RawClient.ConnectAsync(server.Address);
        var text = new StringBuilder();
        for (var i = 0; i < Requests; i++)
        {
            text.Append(RawClient.Post(ChainId.Replace("\"id\":1", $"\"id\":{i}", StringComparison.Ordinal)));
        }

        await client.SendAsync(text.ToString());
        for (var i = 0; i < Requests; i++)
        {
            var answer = await client.ReadAsync();
            Assert.Equal(200, answer.Status);
            Assert.Equal(Answer.Replace("\"id\":1", $"\"id\":{i}", StringComparison.Ordinal), answer.Body);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_may_come_byte_by_byte(bool useEventLoop)
    {
        using var node = new TestNode();
        await using var server = await StartAsync(node, useEventLoop);
        await using var client = await RawClient.ConnectAsync(server.Address);
        foreach (var letter in RawClient.Post(ChainId))
        {
            await client.SendAsync(letter.ToString());
        }

        Assert.Equal(Answer, (await client.ReadAsync()).Body);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Large_bodies_and_larger_answers_pass_and_too_large_ones_are_refused(bool useEventLoop)
    {
        using var node = new TestNode();
        await using var server = await StartAsync(node, useEventLoop);
        await using (var client = await RawClient.ConnectAsync(server.Address))
        {
            // The client reads nothing until all is sent: answers pile up on the way.
            var block = """{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x0",true]}""";
            var batch = $"[{string.Join(',', Enumerable.Repeat(block, 1_000))}]";
            await client.SendAsync(RawClient.Post(batch));
            await client.SendAsync(RawClient.Post(batch));
            for (var i = 0; i < 2; i++)
            {
                var answer = await client.ReadAsync();
                Assert.Equal(1_000, answer.Body.Split("\"result\":{").Length - 1);
                Assert.EndsWith("}]", answer.Body, StringComparison.Ordinal);
            }
        }

        await using var other = await RawClient.ConnectAsync(server.Address);
        await other.SendAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {MaximumBody + 1}\r\n\r\n");
        Assert.Equal(413, (await other.ReadAsync()).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Many_connections_come_ask_and_break_off(bool useEventLoop)
    {
        using var node = new TestNode();
        await using var server = await StartAsync(node, useEventLoop);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            await using var client = await RawClient.ConnectAsync(server.Address);
            await client.SendAsync(RawClient.Post(ChainId));
            Assert.Equal(Answer, (await client.ReadAsync()).Body);
            switch (i % 3)
            {
                case 0:
                    // In the middle of a request, with a reset.
                    await client.SendAsync(RawClient.Post(ChainId)[..40]);
                    client.Socket.LingerState = new LingerOption(true, 0);
                    break;
                case 1:
                    // With an answer on its way.
                    await client.SendAsync(RawClient.Post(ChainId));
                    break;
            }
        }));
        await using var last = await RawClient.ConnectAsync(server.Address);
        await last.SendAsync(RawClient.Post(ChainId));
        Assert.Equal(Answer, (await last.ReadAsync()).Body);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_ends_closes_its_connections_and_its_port(bool useEventLoop)
    {
        using var node = new TestNode();
        var server = await StartAsync(node, useEventLoop);
        await using var client = await RawClient.ConnectAsync(server.Address);
        await client.SendAsync(RawClient.Post(ChainId));
        Assert.Equal(200, (await client.ReadAsync()).Status);
        await server.DisposeAsync();
        Assert.Equal(0, await client.Socket.ReceiveAsync(new byte[1]));
        await Assert.ThrowsAnyAsync<SocketException>(() => RawClient.ConnectAsync(server.Address));
    }

    private static Task<NodeServer> StartAsync(TestNode node, bool useEventLoop) => NodeServer.StartAsync(
        node.Node,
        new ServerOptions
        {
            Port = 0, UseEventLoop = useEventLoop, Limits = new RpcLimits { MaximumBodyBytes = MaximumBody },
        });

    /// <summary>HTTP/1.1 by hand, so that a test decides which bytes go together.</summary>
    private sealed class RawClient : IAsyncDisposable
    {
        private readonly List<byte> _received = [];

        internal Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        internal static async Task<RawClient> ConnectAsync(Uri address)
        {
            var client = new RawClient();
            client.Socket.NoDelay = true;
            await client.Socket.ConnectAsync(IPAddress.Loopback, address.Port);
            return client;
        }

        internal static string Post(string body) =>
            $"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\n\r\n{body}";

        internal async Task SendAsync(string text)
        {
            ReadOnlyMemory<byte> left = Encoding.ASCII.GetBytes(text);
            while (!left.IsEmpty)
            {
                left = left[await Socket.SendAsync(left)..];
            }
        }

        internal async Task<(int Status, string Body)> ReadAsync()
        {
            int end;
            while ((end = Text.IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
            {
                await ReceiveAsync();
            }

            var head = Text[..end].Split("\r\n");
            var length = head.Select(line => line.Split(": "))
                .Where(parts => parts[0].Equals("content-length", StringComparison.OrdinalIgnoreCase))
                .Select(parts => int.Parse(parts[1], CultureInfo.InvariantCulture)).Single();
            while (_received.Count < end + 4 + length)
            {
                await ReceiveAsync();
            }

            var body = Encoding.UTF8.GetString([.. _received.Skip(end + 4).Take(length)]);
            _received.RemoveRange(0, end + 4 + length);
            return (int.Parse(head[0].Split(' ')[1], CultureInfo.InvariantCulture), body);
        }

        public ValueTask DisposeAsync()
        {
            Socket.Dispose();
            return default;
        }

        private string Text => Encoding.ASCII.GetString([.. _received.Take(1_024)]);

        private async Task ReceiveAsync()
        {
            var buffer = new byte[64 << 10];
            var count = await Socket.ReceiveAsync(buffer);
            Assert.True(count > 0, "The connection ended.");
            _received.AddRange(buffer.AsSpan(0, count));
        }
    }
}
