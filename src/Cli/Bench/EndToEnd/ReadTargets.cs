using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.EndToEnd;

/// <summary>What a run of reads gave.</summary>
internal sealed record ReadResult(double PerSecond, double MedianMicroseconds, double HighMicroseconds);

/// <summary>What is read: a balance, and balanceOf of a token.</summary>
internal static class ReadTargets
{
    private const string Account = "f39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

    private const string Input = "70a08231000000000000000000000000" + Account;

    private static readonly Address Token = Address.FromNumber(0xE2E0_0002);

    private static string Message => $$"""{"to":"{{Token}}","data":"0x{{Input}}"}""";

    internal static string Balance { get; } =
        $$"""{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x{{Account}}","latest"]}""";

    /// <summary>balanceOf(address) of the development token.</summary>
    internal static string Call { get; } =
        $$"""{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{{Message}},"latest"]}""";

    /// <summary>Puts the token there.</summary>
    internal static void Prepare(Uri url)
    {
        using var node = new RpcSocket(url);
        node.Call("anvil_setCode", Token.ToString(), Hex.Encode(EvmContracts.Load()[EvmContracts.Token]));
        foreach (var body in new[] { Balance, Call })
        {
            var answer = System.Text.Encoding.ASCII.GetString(node.Post(System.Text.Encoding.ASCII.GetBytes(body)));
            if (!answer.Contains("\"result\":\"0x", StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"The node does not answer reads: {answer}");
            }
        }
    }
}
