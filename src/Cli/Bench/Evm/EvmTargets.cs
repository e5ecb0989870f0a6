using System.Text.Json;
using System.Text.Json.Nodes;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Cli.Bench.Evm;

/// <summary>What runs the programs: the engine in this process, or a node.</summary>
internal interface IEvmTarget
{
    Task RunAsync(EvmProgram program, CancellationToken cancellation);
}

/// <summary>The engine on a state that holds the contracts and nothing else.</summary>
internal sealed class EngineTarget : IEvmTarget, IStateReader, IBlockHashSource
{
    private const ulong GasLimit = 1_000_000_000_000;

    private readonly Dictionary<Address, Code> _contracts;
    private readonly Dictionary<Hash256, Code> _codes;
    private readonly EvmEngine _engine = new();
    private readonly WorldState _state = new();
    private readonly BlockContext _block;

    internal EngineTarget(IReadOnlyDictionary<Address, byte[]> codes)
    {
        _block = new BlockContext
        {
            Rules = ForkRules.Of(Fork.Osaka), ChainId = 1, Number = 1, GasLimit = GasLimit, BlockHashes = this,
        };
        _contracts = codes.ToDictionary(pair => pair.Key, pair => new Code(pair.Value));
        _codes = _contracts.Values.ToDictionary(code => code.Hash);
    }

    public Task RunAsync(EvmProgram program, CancellationToken cancellation)
    {
        GasOf(program);
        return Task.CompletedTask;
    }

    /// <summary>Runs the program on the state as it was and answers the gas it used.</summary>
    internal ulong GasOf(EvmProgram program)
    {
        _state.Reset(this, _block.Rules);
        var result = _engine.Execute(
            new Message
            {
                Kind = MessageKind.Call, Caller = EvmContracts.Caller, Recipient = program.To, CodeAddress = program.To,
                Gas = GasLimit, Input = program.Input(),
            },
            new TransactionContext { Origin = EvmContracts.Caller, BlobHashes = [] }, _block, _state);
        return result.Succeeded
            ? GasLimit - result.GasLeft
            : throw new InvalidOperationException($"The program {program.Name} ended with {result.Status}.");
    }

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var found = _contracts.TryGetValue(address, out var code);
        account = found ? new Account(1, UInt256.Zero, code!.Hash, false) : default;
        return found ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        return ReadStatus.Absent;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _codes.TryGetValue(codeHash, out code) ? ReadStatus.Found : ReadStatus.Absent;

    public Hash256 HashOf(ulong number) => Hash256.Zero;
}

/// <summary>A node: eth_call with the contracts' code as overrides.</summary>
internal sealed class RpcTarget(HttpClient http, string url, IReadOnlyDictionary<Address, byte[]> codes) : IEvmTarget
{
    private const string GasLimit = "0x2540be400";

    private readonly string _overrides = new JsonObject(codes.Select(pair => KeyValuePair.Create(
        pair.Key.ToString(), (JsonNode?)new JsonObject { ["code"] = Hex.Encode(pair.Value) }))).ToJsonString();

    public async Task RunAsync(EvmProgram program, CancellationToken cancellation)
    {
        var call = new JsonObject
        {
            ["from"] = EvmContracts.Caller.ToString(),
            ["to"] = program.To.ToString(),
            ["gas"] = GasLimit,
            ["data"] = Hex.Encode(program.Input()),
        }.ToJsonString();
        var body = $$"""{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{{call}},"latest",{{_overrides}}]}""";
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(url, content, cancellation);
        using var answer = await JsonDocument.ParseAsync(
            await response.Content.ReadAsStreamAsync(cancellation), default, cancellation);
        if (!answer.RootElement.TryGetProperty("result", out _))
        {
            throw new InvalidOperationException($"{url} answers {program.Name} with {answer.RootElement}.");
        }
    }
}
