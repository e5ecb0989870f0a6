using System.Text;
using System.Text.Json;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests;

/// <summary>A clock that only the test moves.</summary>
internal sealed class StandingClock : TimeProvider
{
    private long _ticks = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000).Ticks;

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    internal void Move(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}

/// <summary>A node in memory and its JSON-RPC without a network.</summary>
internal sealed class TestNode : IDisposable
{
    private readonly MemoryKeyValueStore _store = new();

    internal TestNode(
        Genesis? genesis = null, NodeOptions? options = null, RpcLimits? limits = null,
        Func<Genesis, IChain>? open = null)
    {
        Accounts = DevGenesis.AccountsOf(Core.Cryptography.Mnemonic.Development, 3);
        genesis ??= DevGenesis.Create(
            ChainSpec.DevelopmentChainId, Fork.Osaka, Accounts, Ether * 10_000, 1_700_000_000);
        Chain = open?.Invoke(genesis) ?? Core.Node.Chain.Open(_store, genesis);
        options ??= new NodeOptions { Accounts = Accounts, AllowDevelopmentMethods = true };
        Node = new Node(Chain, genesis.Spec, () => new EvmEngine(), options, Clock, Log.Add);
        Rpc = RpcServices.DispatcherOf(Node, limits ?? new RpcLimits());
    }

    internal static UInt256 Ether => 1_000_000_000_000_000_000;

    internal StandingClock Clock { get; } = new();

    internal List<string> Log { get; } = [];

    internal IReadOnlyList<DevAccount> Accounts { get; }

    internal IChain Chain { get; }

    internal Node Node { get; }

    internal RpcDispatcher Rpc { get; }

    /// <summary>The answer's text; empty where none is due.</summary>
    internal string Answer(string body)
    {
        using var answer = Rpc.Answer(Encoding.UTF8.GetBytes(body));
        return Encoding.UTF8.GetString(answer.Bytes.Span);
    }

    /// <summary>A call with arguments as JSON, e.g. <c>"0x1", true</c>; the whole response object.</summary>
    internal JsonElement Respond(string method, string arguments = "")
    {
        var text = Answer($$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":[{{arguments}}]}""");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>The result of a call that must not fail.</summary>
    internal JsonElement Call(string method, string arguments = "")
    {
        var response = Respond(method, arguments);
        Assert.True(response.TryGetProperty("result", out var result), response.ToString());
        return result;
    }

    /// <summary>The error of a call that must fail.</summary>
    internal (int Code, string Message) Fail(string method, string arguments = "")
    {
        var response = Respond(method, arguments);
        Assert.True(response.TryGetProperty("error", out var error), response.ToString());
        return (error.GetProperty("code").GetInt32(), error.GetProperty("message").GetString()!);
    }

    /// <summary>A signed transfer from one of the accounts.</summary>
    internal Transaction Transfer(
        int from, ulong nonce, ulong cap = 3_000_000_000, ulong? tip = null, UInt256? value = null) =>
        TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee,
                ChainId = Chain.ChainId,
                Nonce = nonce,
                GasLimit = 21_000,
                MaxFeePerGas = cap,
                MaxPriorityFeePerGas = tip ?? cap / 2,
                To = Address.FromNumber(0xBEEF),
                Value = value ?? 1,
            },
            Accounts[from].PrivateKey);

    internal static string Raw(Transaction transaction) => $"\"{Hex.Encode(TransactionCodec.Encode(transaction))}\"";

    public void Dispose()
    {
        Node.Dispose();
        _store.Dispose();
    }
}
