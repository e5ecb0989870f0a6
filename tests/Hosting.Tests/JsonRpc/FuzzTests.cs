using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>Whatever comes in, the answer is JSON with a result or an error, and no handler fails.</summary>
public sealed class FuzzTests : IDisposable
{
    private const int ParseError = -32700;
    private const int InvalidRequest = -32600;
    private const int MethodNotFound = -32601;
    private const int InternalError = -32603;

    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public void Requests_with_any_arguments_are_answered_properly() =>
        AssertProper(seed => Encoding.UTF8.GetBytes(AnyRequest(new Random(seed))), 3_000);

    [Fact]
    public void Requests_with_damaged_bytes_are_answered_properly() => AssertProper(
        seed =>
        {
            var random = new Random(seed);
            var body = Encoding.UTF8.GetBytes(AnyRequest(random));
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }

            // Most that is cut off is refused by its form alone: the others are to come further.
            return random.Next(4) == 0 ? body[..random.Next(body.Length / 2, body.Length)] : body;
        },
        2_000);

    private void AssertProper(Func<int, byte[]> bodyOf, int tests)
    {
        var understood = 0;
        Prop.ForAll(ArbMap.Default.GeneratorFor<int>().ToArbitrary(), seed =>
        {
            using var answer = _node.Rpc.Answer(bodyOf(seed));
            if (answer.Bytes.IsEmpty)
            {
                return;
            }

            using var json = JsonDocument.Parse(answer.Bytes);
            var items = json.RootElement.ValueKind == JsonValueKind.Array
                ? json.RootElement.EnumerateArray().ToList()
                : [json.RootElement];
            foreach (var item in items)
            {
                Assert.True(item.TryGetProperty("result", out _) != item.TryGetProperty("error", out var error));
                var code = error.ValueKind == JsonValueKind.Object ? error.GetProperty("code").GetInt32() : 0;
                Assert.False(code == InternalError, string.Join('\n', _node.Log));
                understood += code is ParseError or InvalidRequest or MethodNotFound ? 0 : 1;
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(tests));
        Assert.True(understood > tests / 100, $"only {understood} requests came as far as a method");
    }

    private string AnyRequest(Random random)
    {
        // Mining thousands of blocks is right, and slow: it is left out here.
        var methods = _node.Rpc.Methods.All.Select(method => method.Name)
            .Where(name => !name.EndsWith("_mine", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        string One() =>
            $"{{\"jsonrpc\":\"2.0\",\"id\":{random.Next(9)},\"method\":\"{methods[random.Next(methods.Count)]}\","
            + $"\"params\":[{Join(random.Next(5), () => AnyValue(random, 3))}]}}";
        return random.Next(8) == 0 ? $"[{Join(random.Next(4), One)}]" : One();
    }

    private string AnyValue(Random random, int depth)
    {
        string[] atoms =
        [
            "null", "true", "false", "0", "-1", "7", "1e400", "\"\"", "\"0x\"", "\"0x0\"", "\"0x1\"", "\"0xg\"",
            "\"latest\"", "\"pending\"", "\"earliest\"", "\"safe\"", "\"finalized\"", "\"la\\u0074est\"", "[]", "{}",
            $"\"{_node.Accounts[random.Next(3)].Address}\"", $"\"{_node.Chain.Head.Hash}\"",
            $"\"0x{new string('f', random.Next(70))}\"", $"\"0x{new string('0', random.Next(140))}\"",
            TestNode.Raw(_node.Transfer(random.Next(3), (ulong)random.Next(3))),
        ];
        string[] names =
        [
            "from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data", "input", "nonce",
            "type", "chainId", "accessList", "authorizationList", "blobVersionedHashes", "address", "storageKeys",
            "topics", "fromBlock", "toBlock", "blockHash", "blockNumber", "requireCanonical", "balance", "code",
            "state", "stateDiff", "number", "time", "yParity", "r", "s", "0x1",
            "0x0000000000000000000000000000000000000001",
        ];
        string Field() => $"\"{names[random.Next(names.Length)]}\":{AnyValue(random, depth - 1)}";
        return (depth == 0 ? 0 : random.Next(6)) switch
        {
            4 => $"[{Join(random.Next(4), () => AnyValue(random, depth - 1))}]",
            5 => "{" + Join(random.Next(6), Field) + "}",
            _ => atoms[random.Next(atoms.Length)],
        };
    }

    private static string Join(int count, Func<string> item) =>
        string.Join(',', Enumerable.Range(0, count).Select(_ => item()));
}
