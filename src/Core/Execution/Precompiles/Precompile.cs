namespace SuperVm.Core.Execution.Precompiles;

/// <summary>What an input costs, in gas.</summary>
internal delegate ulong PrecompilePrice(ReadOnlySpan<byte> input);

/// <summary>The output, or null where the input is refused and all gas of the call is lost.</summary>
internal delegate byte[]? PrecompileBody(ReadOnlySpan<byte> input);

/// <summary>A contract that the protocol defines in place of code: its price and its function.</summary>
public sealed class Precompile
{
    private readonly PrecompilePrice _price;
    private readonly PrecompileBody _body;

    internal Precompile(string name, PrecompilePrice price, PrecompileBody body)
    {
        Name = name;
        _price = price;
        _body = body;
    }

    /// <summary>Its name in the EIP that defines it.</summary>
    public string Name { get; }

    /// <summary>Gas of a call with this input; <see cref="ulong.MaxValue"/> for more than anyone can pay.</summary>
    public ulong GasOf(ReadOnlySpan<byte> input) => _price(input);

    /// <summary>Runs it; false where the input is refused, and a call then loses all of its gas.</summary>
    public bool Run(ReadOnlySpan<byte> input, out byte[] output)
    {
        var result = _body(input);
        output = result ?? [];
        return result is not null;
    }
}
