using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Tests.Server;

public sealed class SubscriptionTests : IAsyncLifetime
{
    private readonly TestNode _node = new();
    private readonly ClientWebSocket _socket = new();
    private NodeServer _server = null!;

    public async Task InitializeAsync()
    {
        var limits = new RpcLimits { MaximumSubscriptions = 3 };
        _server = await NodeServer.StartAsync(_node.Node, new ServerOptions { Port = 0, Limits = limits });
        await _socket.ConnectAsync(new UriBuilder(_server.Address) { Scheme = "ws" }.Uri, default);
    }

    public async Task DisposeAsync()
    {
        _socket.Dispose();
        await _server.DisposeAsync();
        _node.Dispose();
    }

    [Fact]
    public async Task New_heads_come_in_order_after_the_answer_to_the_subscription()
    {
        var id = await SubscribeAsync("\"newHeads\"");
        var first = _node.Node.Producer.Mine().Block;
        var second = _node.Node.Producer.Mine().Block;
        foreach (var block in new[] { first, second })
        {
            var told = await TakeAsync(id);
            Assert.Equal(block.Hash.ToString(), told.GetProperty("hash").GetString());
            Assert.Equal(block.Header.StateRoot.ToString(), told.GetProperty("stateRoot").GetString());
        }
    }

    [Fact]
    public async Task Transactions_come_as_hashes_or_whole()
    {
        var hashes = await SubscribeAsync("\"newPendingTransactions\"");
        var transfer = _node.Transfer(0, 0);
        _node.Call("eth_sendRawTransaction", TestNode.Raw(transfer));
        Assert.Equal(transfer.Hash.ToString(), (await TakeAsync(hashes)).GetString());
        Assert.True((await CallAsync("eth_unsubscribe", $"\"{hashes}\"")).GetBoolean());

        var whole = await SubscribeAsync("\"newPendingTransactions\",true");
        var next = _node.Transfer(0, 1);
        _node.Call("eth_sendRawTransaction", TestNode.Raw(next));
        Assert.Equal(next.Hash.ToString(), (await TakeAsync(whole)).GetProperty("hash").GetString());
    }

    [Fact]
    public async Task What_is_no_subscription_and_one_too_many_are_refused()
    {
        Assert.Contains("no \"moons\" subscription", await FailAsync("eth_subscribe", "\"moons\""));
        Assert.Contains("subscription not found", await FailAsync("eth_unsubscribe", "\"0x1\""));
        for (var i = 0; i < 3; i++)
        {
            await SubscribeAsync("\"logs\",{}");
        }

        Assert.Contains("at most 3", await FailAsync("eth_subscribe", "\"newHeads\""));
    }

    private async Task<string> SubscribeAsync(string arguments) =>
        (await CallAsync("eth_subscribe", arguments)).GetString()!;

    private async Task<JsonElement> CallAsync(string method, string arguments) =>
        (await AskAsync(method, arguments)).GetProperty("result");

    private async Task<string> FailAsync(string method, string arguments) =>
        (await AskAsync(method, arguments)).GetProperty("error").GetProperty("message").GetString()!;

    private async Task<JsonElement> AskAsync(string method, string arguments)
    {
        var body = $$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":[{{arguments}}]}""";
        await _socket.SendAsync(Encoding.UTF8.GetBytes(body), WebSocketMessageType.Text, true, default);
        return await ReceiveAsync();
    }

    private async Task<JsonElement> TakeAsync(string id)
    {
        var message = await ReceiveAsync();
        Assert.Equal("eth_subscription", message.GetProperty("method").GetString());
        var told = message.GetProperty("params");
        Assert.Equal(id, told.GetProperty("subscription").GetString());
        return told.GetProperty("result");
    }

    private async Task<JsonElement> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var buffer = new byte[1 << 16];
        var received = await _socket.ReceiveAsync(buffer, patience.Token);
        Assert.True(received.EndOfMessage);
        return JsonDocument.Parse(buffer.AsMemory(0, received.Count)).RootElement;
    }
}
