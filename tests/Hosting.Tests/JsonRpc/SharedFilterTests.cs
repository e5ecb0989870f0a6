using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.JsonRpc.Subscriptions;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>Filters of an app of which there are several instances: a client polls whichever it meets.</summary>
public sealed class SharedFilterTests : IDisposable
{
    private const string Container = "filters";
    private static readonly Address Logger = Address.FromNumber(0x1066);

    /// <summary>LOG1 with no data and the topic that is the call's first word.</summary>
    private static readonly byte[] LoggerCode = Convert.FromHexString("60003560006000a1");

    private readonly InMemoryDocumentStore _documents = new();
    private readonly TestNode _node;
    private readonly RpcDispatcher _other;
    private ulong _nonce;

    public SharedFilterTests()
    {
        _node = new TestNode(options: new NodeOptions
        {
            Accounts = DevGenesis.AccountsOf(Core.Cryptography.Mnemonic.Development, 3),
            AllowDevelopmentMethods = true, SharedFilters = new(_documents, Container),
        });
        _other = RpcServices.DispatcherOf(_node.Node, new RpcLimits { MaximumFilters = 2 });
    }

    [Fact]
    public void Each_block_is_answered_once_whichever_instance_is_asked()
    {
        var id = Install("eth_newBlockFilter");
        var first = _node.Node.Producer.Mine().Block.Hash;
        Assert.Equal([first.ToString()], Changes(id, asksOther: true).Select(item => item.GetString()));
        var second = _node.Node.Producer.Mine().Block.Hash;
        Assert.Equal([second.ToString()], Changes(id).Select(item => item.GetString()));
        Assert.Empty(Changes(id, asksOther: true));
        for (var i = 0; i < 200; i++)
        {
            _node.Node.Producer.Mine();
        }

        Assert.Equal(200, Changes(id, asksOther: true).Count);
    }

    [Fact]
    public void Logs_are_filtered_and_found_by_an_instance_that_did_not_install_the_filter()
    {
        _node.Call("anvil_setCode", $"\"{Logger}\",\"{Hex.Encode(LoggerCode)}\"");
        var topics = $"[[\"{Topic(7)}\",\"{Topic(8)}\"]]";
        var id = Install("eth_newFilter", $$"""{"fromBlock":"0x2","address":"{{Logger}}","topics":{{topics}}}""");
        foreach (var topic in (int[])[6, 7, 8])
        {
            Log(topic);
        }

        var found = Changes(id, asksOther: true);
        Assert.Equal([Topic(7), Topic(8)], found.Select(log => log.GetProperty("topics")[0].GetString()));
        Assert.Empty(Changes(id));
        Assert.Equal(2, Call("eth_getFilterLogs", id, asksOther: true).GetArrayLength());
    }

    [Fact]
    public void Transactions_are_told_when_they_stand_in_a_block()
    {
        var id = Install("eth_newPendingTransactionFilter");
        _node.Call("anvil_setCode", $"\"{Logger}\",\"{Hex.Encode(LoggerCode)}\"");
        var hash = Log(1);
        Assert.Equal([hash], Changes(id, asksOther: true).Select(item => item.GetString()!));
    }

    [Fact]
    public void A_filter_ends_with_its_lifetime_or_when_it_is_taken_away_at_any_instance()
    {
        var (polled, forgotten) = (Install("eth_newBlockFilter"), Install("eth_newBlockFilter"));
        for (var i = 0; i < 4; i++)
        {
            _node.Clock.Move(TimeSpan.FromMinutes(2));
            Assert.Empty(Changes(polled, asksOther: true));
        }

        Assert.Contains("filter not found", Fail("eth_getFilterChanges", forgotten));
        Assert.True(Call("eth_uninstallFilter", polled, asksOther: true).GetBoolean());
        Assert.False(Call("eth_uninstallFilter", polled).GetBoolean());
        Assert.Contains("filter not found", Fail("eth_getFilterChanges", polled));
        Assert.Contains("filter not found", Fail("eth_getFilterChanges", "\"0x0\""));
    }

    [Fact]
    public void An_instance_installs_no_more_than_its_limit_in_a_filters_lifetime()
    {
        for (var i = 0; i < 2; i++)
        {
            Call("eth_newBlockFilter", "", asksOther: true);
        }

        using var refused = Answer("eth_newBlockFilter", "", asksOther: true);
        Assert.Equal(-32005, refused.RootElement.GetProperty("error").GetProperty("code").GetInt32());
        _node.Clock.Move(TimeSpan.FromMinutes(6));
        Call("eth_newBlockFilter", "", asksOther: true);
    }

    [Fact]
    public void A_record_that_is_damaged_or_of_a_newer_program_is_refused_and_never_misread()
    {
        var filter = new LogFilter { From = new(BlockReferenceKind.Number, 3), To = BlockReference.Latest };
        filter.Addresses.Add(Logger);
        filter.Topics.Add([]);
        filter.Topics.Add([new Hash256(new byte[32])]);
        var whole = new FilterRecord(EventKind.Logs, 7, 9, filter).Encode();
        Assert.Equal(whole, FilterRecord.Decode(whole).Encode());
        Prop.ForAll(
            Gen.Choose(0, whole.Length - 1).ToArbitrary(), Gen.Choose(0, 255).ToArbitrary(), (at, value) =>
            {
                var damaged = whole.ToArray();
                damaged[at] = (byte)value;
                Refused(damaged, allowsSense: true);
                Refused(whole[..at], allowsSense: false);
            }).QuickCheckThrowOnFailure();
        var newer = whole.ToArray();
        newer[Array.IndexOf(newer, (byte)1)] = 2;
        Refused(newer, allowsSense: false);
    }

    public void Dispose() => _node.Dispose();

    /// <summary>Bytes that are a record are written as they were read; all others are refused in words.</summary>
    private static void Refused(byte[] bytes, bool allowsSense)
    {
        try
        {
            Assert.Equal(bytes, FilterRecord.Decode(bytes).Encode());
            Assert.True(allowsSense);
        }
        catch (RlpException damage)
        {
            Assert.NotEmpty(damage.Message);
        }
    }

    private static string Topic(int number) => $"0x{number:x64}";

    private string Log(int topic)
    {
        var (from, nonce) = (_node.Accounts[0].Address, $"0x{_nonce++:x}");
        var hash = _node.Call(
            "eth_sendTransaction",
            $$"""{"from":"{{from}}","to":"{{Logger}}","data":"{{Topic(topic)}}","nonce":"{{nonce}}"}""").GetString()!;
        _node.Node.Producer.Mine();
        return hash;
    }

    private string Install(string method, string arguments = "") => Call(method, arguments).GetRawText();

    private List<JsonElement> Changes(string id, bool asksOther = false) =>
        [.. Call("eth_getFilterChanges", id, asksOther).EnumerateArray()];

    private string Fail(string method, string arguments)
    {
        using var answer = Answer(method, arguments, asksOther: true);
        return answer.RootElement.GetProperty("error").GetProperty("message").GetString()!;
    }

    private JsonElement Call(string method, string arguments, bool asksOther = false)
    {
        using var answer = Answer(method, arguments, asksOther);
        return answer.RootElement.GetProperty("result").Clone();
    }

    private JsonDocument Answer(string method, string arguments, bool asksOther)
    {
        var body = $$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":[{{arguments}}]}""";
        using var answer = (asksOther ? _other : _node.Rpc).Answer(Encoding.UTF8.GetBytes(body));
        return JsonDocument.Parse(answer.Bytes.ToArray());
    }
}
