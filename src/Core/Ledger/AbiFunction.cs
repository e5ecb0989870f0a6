using System.Diagnostics.CodeAnalysis;
using Utf8 = System.Text.UTF8Encoding;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Encoding.Abi;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>A function, event or error of a contract by its signature, as in "transfer(address,uint256)".</summary>
public sealed class AbiFunction
{
    private const int SelectorSize = 4;

    private AbiFunction(string name, AbiType inputs)
    {
        Name = name;
        Inputs = inputs.Parts;
        Signature = name + inputs;
        Topic = Keccak256.Hash(new Utf8().GetBytes(Signature));
    }

    public string Name { get; }

    public IReadOnlyList<AbiType> Inputs { get; }

    /// <summary>The canonical signature.</summary>
    public string Signature { get; }

    /// <summary>Keccak-256 of the signature: an event's first topic.</summary>
    public Hash256 Topic { get; }

    /// <summary>The topic's first four bytes: what call data and error data begin with.</summary>
    public ReadOnlySpan<byte> Selector => Topic.ToArray().AsSpan(0, SelectorSize);

    /// <exception cref="FormatException">Not a signature.</exception>
    public static AbiFunction Parse(string signature) => TryParse(signature, out var function)
        ? function
        : throw new FormatException($"\"{signature}\" is no signature of a contract function.");

    public static bool TryParse(string signature, [NotNullWhen(true)] out AbiFunction? function)
    {
        function = null;
        var name = signature.AsSpan(0, Math.Max(signature.IndexOf('('), 0));
        var position = name.Length;
        if (name.IsEmpty || name.ContainsAny(' ', ',', ')')
            || !AbiType.TryParse(signature[position..], out var inputs) || inputs.Kind != AbiKind.Tuple)
        {
            return false;
        }

        function = new AbiFunction(name.ToString(), inputs);
        return true;
    }

    /// <summary>Call data: the selector and the arguments.</summary>
    /// <exception cref="ArgumentException">A value that is not of its type.</exception>
    public byte[] EncodeCall(params IReadOnlyList<object> arguments) =>
        [.. Selector, .. AbiCodec.Encode(Inputs, arguments)];

    /// <summary>The arguments of call data or error data that begins with the selector.</summary>
    public Decoded<IReadOnlyList<object>> DecodeCall(ReadOnlySpan<byte> data) => data.StartsWith(Selector)
        ? AbiCodec.Decode(Inputs, data[SelectorSize..])
        : Decoded<IReadOnlyList<object>>.Refused($"The data does not begin with the selector of {Signature}.");
}
