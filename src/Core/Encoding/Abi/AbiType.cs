using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace SuperVm.Core.Encoding.Abi;

/// <summary>What a value of the contract ABI is.</summary>
public enum AbiKind : byte
{
    UnsignedInteger,
    SignedInteger,
    Address,
    Boolean,
    FixedBytes,
    Bytes,
    Text,
    Array,
    FixedArray,
    Tuple,
}

/// <summary>
/// A type of the Solidity contract ABI (specification, "Types"), as in "uint256", "(address,bytes)[2][]".
/// </summary>
/// <remarks>Immutable. Text nests at most <see cref="MaximumDepth"/> deep.</remarks>
public sealed class AbiType
{
    /// <summary>Tuples and arrays within each other.</summary>
    public const int MaximumDepth = 32;

    /// <summary>Items of an array whose length is part of its type.</summary>
    public const int MaximumFixedLength = 65_536;

    internal const int WordSize = 32;

    private AbiType(AbiKind kind, int size = 0, params IReadOnlyList<AbiType> parts)
    {
        Kind = kind;
        Size = size;
        Parts = parts;
        IsDynamic = kind is AbiKind.Bytes or AbiKind.Text or AbiKind.Array
            || (kind == AbiKind.FixedArray && size > 0 && parts[0].IsDynamic)
            || (kind == AbiKind.Tuple && parts.Any(part => part.IsDynamic));
        HeadSize = IsDynamic ? WordSize : kind switch
        {
            AbiKind.FixedArray => size * parts[0].HeadSize,
            AbiKind.Tuple => parts.Sum(part => part.HeadSize),
            _ => WordSize,
        };
    }

    public static AbiType UInt256 { get; } = new(AbiKind.UnsignedInteger, 256);

    public static AbiType Address { get; } = new(AbiKind.Address);

    public static AbiType Boolean { get; } = new(AbiKind.Boolean);

    public static AbiType Bytes { get; } = new(AbiKind.Bytes);

    public static AbiType Text { get; } = new(AbiKind.Text);

    public AbiKind Kind { get; }

    /// <summary>Bits of an integer, bytes of fixed bytes, items of a fixed array; else 0.</summary>
    public int Size { get; }

    /// <summary>The element of an array, the components of a tuple.</summary>
    public IReadOnlyList<AbiType> Parts { get; }

    /// <summary>
    /// Whether a value's length depends on the value, so that it stands in the tail behind an offset.
    /// </summary>
    public bool IsDynamic { get; }

    /// <summary>Bytes that a value takes in the head.</summary>
    internal int HeadSize { get; }

    /// <summary>The name that selectors are made of: no spaces, "uint" written out.</summary>
    public override string ToString() => Kind switch
    {
        AbiKind.UnsignedInteger => "uint" + Number(Size),
        AbiKind.SignedInteger => "int" + Number(Size),
        AbiKind.Address => "address",
        AbiKind.Boolean => "bool",
        AbiKind.FixedBytes => "bytes" + Number(Size),
        AbiKind.Bytes => "bytes",
        AbiKind.Text => "string",
        AbiKind.Array => $"{Parts[0]}[]",
        AbiKind.FixedArray => $"{Parts[0]}[{Number(Size)}]",
        _ => $"({string.Join(',', Parts)})",
    };

    /// <exception cref="FormatException">Not a type.</exception>
    public static AbiType Parse(string text) => TryParse(text, out var type)
        ? type
        : throw new FormatException($"\"{text}\" is no type of the contract ABI.");

    public static bool TryParse(string text, [NotNullWhen(true)] out AbiType? type)
    {
        var position = 0;
        type = Read(text, ref position, 0);
        return type is not null && position == text.Length;
    }

    /// <summary>Reads the components of a tuple, its parentheses included; null where there is none.</summary>
    internal static AbiType? ReadTuple(string text, ref int position, int depth)
    {
        if (depth > MaximumDepth || position >= text.Length || text[position] != '(')
        {
            return null;
        }

        position++;
        var parts = new List<AbiType>();
        if (position < text.Length && text[position] == ')')
        {
            position++;
            return new AbiType(AbiKind.Tuple, 0, parts);
        }

        while (Read(text, ref position, depth + 1) is { } part && position < text.Length)
        {
            parts.Add(part);
            switch (text[position++])
            {
                case ',':
                    continue;
                case ')':
                    return parts.Sum(part => (long)part.HeadSize) <= int.MaxValue
                        ? new AbiType(AbiKind.Tuple, 0, parts)
                        : null;
                default:
                    return null;
            }
        }

        return null;
    }

    private static AbiType? Read(string text, ref int position, int depth)
    {
        var type = position < text.Length && text[position] == '('
            ? ReadTuple(text, ref position, depth)
            : ReadName(text, ref position);
        for (; type is not null && position < text.Length && text[position] == '['; depth++)
        {
            var end = text.IndexOf(']', position);
            if (end < 0 || depth >= MaximumDepth)
            {
                return null;
            }

            var length = text.AsSpan(position + 1, end - position - 1);
            position = end + 1;
            type = length.IsEmpty ? new AbiType(AbiKind.Array, 0, type) : FixedArray(type, length);
        }

        return type;
    }

    private static AbiType? FixedArray(AbiType element, ReadOnlySpan<char> length)
    {
        var valid = TryNumber(length, out var count) && count <= MaximumFixedLength
            && (long)count * element.HeadSize <= int.MaxValue;
        return valid ? new AbiType(AbiKind.FixedArray, count, element) : null;
    }

    private static AbiType? ReadName(string text, ref int position)
    {
        var start = position;
        while (position < text.Length && char.IsAsciiLetter(text[position]))
        {
            position++;
        }

        var name = text.AsSpan(start, position - start);
        start = position;
        while (position < text.Length && char.IsAsciiDigit(text[position]))
        {
            position++;
        }

        var digits = text.AsSpan(start, position - start);
        var size = 0;
        if (!digits.IsEmpty && !TryNumber(digits, out size))
        {
            return null;
        }

        return name switch
        {
            "uint" => Integer(AbiKind.UnsignedInteger, digits.IsEmpty ? 256 : size),
            "int" => Integer(AbiKind.SignedInteger, digits.IsEmpty ? 256 : size),
            "bytes" when !digits.IsEmpty => size is >= 1 and <= WordSize ? new(AbiKind.FixedBytes, size) : null,
            "bytes" => Bytes,
            "address" when digits.IsEmpty => Address,
            "bool" when digits.IsEmpty => Boolean,
            "string" when digits.IsEmpty => Text,
            _ => null,
        };
    }

    private static AbiType? Integer(AbiKind kind, int bits) =>
        bits is >= 8 and <= 256 && bits % 8 == 0 ? new(kind, bits) : null;

    private static bool TryNumber(ReadOnlySpan<char> digits, out int number) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && (digits.Length == 1 || digits[0] != '0');

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
