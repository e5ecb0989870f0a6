using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.Evm;

/// <summary>One call: a function of a contract, and how often it does its work.</summary>
internal sealed record EvmProgram(string Name, Address To, string Signature, ulong Count)
{
    internal byte[] Input()
    {
        var selector = Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes(Signature)).Bytes[..4].ToArray();
        return Signature.Contains("address", StringComparison.Ordinal)
            ? [.. selector, .. EvmContracts.Token.ToWord().ToBigEndian(), .. new UInt256(Count).ToBigEndian()]
            : [.. selector, .. new UInt256(Count).ToBigEndian()];
    }
}

/// <summary>The contracts of EvmBench.sol, where they lie and what is called.</summary>
internal static class EvmContracts
{
    internal static readonly Address Caller = Address.FromNumber(0xCA11);
    internal static readonly Address Compute = Address.FromNumber(0xC0DE_0001);
    internal static readonly Address Token = Address.FromNumber(0xC0DE_0002);
    internal static readonly Address Payer = Address.FromNumber(0xC0DE_0003);

    internal static readonly EvmProgram[] Programs =
    [
        new("arithmetic", Compute, "arithmetic(uint256)", 535_000),
        new("division", Compute, "division(uint256)", 540_000),
        new("keccak", Compute, "hashes(uint256)", 300_000),
        new("storage", Compute, "writes(uint256)", 425_000),
        new("fibonacci", Compute, "fibonacci(uint256)", 28),
        new("sort", Compute, "sort(uint256)", 1_000),
        new("erc20", Payer, "pay(address,uint256)", 20_000),
        new("pairing", Compute, "pairings(uint256)", 200),
        new("modexp", Compute, "powers(uint256)", 10_000),
    ];

    /// <summary>Run-time code by address.</summary>
    internal static IReadOnlyDictionary<Address, byte[]> Load()
    {
        using var stream = typeof(EvmContracts).Assembly.GetManifestResourceStream("EvmBench.hex")
            ?? throw new InvalidOperationException("The resource EvmBench.hex is missing.");
        using var reader = new StreamReader(stream, System.Text.Encoding.ASCII);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .ToDictionary(parts => AddressOf(parts[0]), parts => Hex.Decode(parts[1]));
    }

    private static Address AddressOf(string contract) => contract switch
    {
        "Compute" => Compute,
        "Token" => Token,
        _ => Payer,
    };
}
