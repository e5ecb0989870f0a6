using SuperVm.Core.Primitives;

namespace SuperVm.Core.Encoding.Abi;

/// <summary>Values of the Solidity contract ABI to bytes and back ("Formal Specification of the Encoding").</summary>
/// <remarks>
/// <code>
///   integers      UInt256 (signed ones in two's complement)      bytes, bytesN    byte[]
///   address       Address                                        string           string
///   bool          bool                                           arrays, tuples   IReadOnlyList&lt;object&gt;
/// </code>
/// Decoding is strict about padding and ranges, and takes offsets anywhere in the data, as the standard does.
/// </remarks>
public static partial class AbiCodec
{
    /// <summary>Values that one decoding makes at most: nested offsets cannot make a small input large.</summary>
    public const int MaximumValues = 1 << 20;

    /// <summary>Encodes arguments: the components of an unnamed tuple.</summary>
    /// <exception cref="ArgumentException">A value that is not of its type.</exception>
    public static byte[] Encode(IReadOnlyList<AbiType> types, IReadOnlyList<object> values)
    {
        using var output = new MemoryStream();
        WriteSequence(output, types, values);
        return output.ToArray();
    }

    private static void WriteSequence(MemoryStream output, IReadOnlyList<AbiType> types, IReadOnlyList<object> values)
    {
        if (types.Count != values.Count)
        {
            throw new ArgumentException($"{types.Count} values are expected, not {values.Count}.");
        }

        // Dynamic values stand behind all heads; their heads are offsets from the sequence's beginning.
        var tail = new MemoryStream();
        var headSize = types.Sum(type => type.HeadSize);
        for (var i = 0; i < types.Count; i++)
        {
            if (types[i].IsDynamic)
            {
                WriteNumber(output, headSize + (int)tail.Length);
                Write(tail, types[i], values[i]);
            }
            else
            {
                Write(output, types[i], values[i]);
            }
        }

        tail.WriteTo(output);
    }

    private static void Write(MemoryStream output, AbiType type, object value)
    {
        switch (type.Kind)
        {
            case AbiKind.UnsignedInteger or AbiKind.SignedInteger when value is UInt256 number && Fits(number, type):
                WriteWord(output, number);
                break;
            case AbiKind.Address when value is Address address:
                WriteWord(output, address.ToWord());
                break;
            case AbiKind.Boolean when value is bool flag:
                WriteWord(output, flag ? UInt256.One : UInt256.Zero);
                break;
            case AbiKind.FixedBytes when value is byte[] bytes && bytes.Length == type.Size:
                WritePadded(output, bytes);
                break;
            case AbiKind.Bytes when value is byte[] bytes:
                WriteNumber(output, bytes.Length);
                WritePadded(output, bytes);
                break;
            case AbiKind.Text when value is string text:
                var encoded = System.Text.Encoding.UTF8.GetBytes(text);
                WriteNumber(output, encoded.Length);
                WritePadded(output, encoded);
                break;
            case AbiKind.Array when value is IReadOnlyList<object> items:
                WriteNumber(output, items.Count);
                WriteSequence(output, Repeat(type.Parts[0], items.Count), items);
                break;
            case AbiKind.FixedArray when value is IReadOnlyList<object> items:
                WriteSequence(output, Repeat(type.Parts[0], type.Size), items);
                break;
            case AbiKind.Tuple when value is IReadOnlyList<object> items:
                WriteSequence(output, type.Parts, items);
                break;
            default:
                throw new ArgumentException($"A value of {value.GetType().Name} is no {type}.");
        }
    }

    /// <summary>
    /// Whether a word is in the range of an integer type: zeros or copies of the sign above its bits.
    /// </summary>
    private static bool Fits(in UInt256 number, AbiType type)
    {
        if (type.Kind == AbiKind.UnsignedInteger)
        {
            return number.BitLength <= type.Size;
        }

        return UInt256.SignExtend((uint)(type.Size / 8) - 1, number) == number;
    }

    private static AbiType[] Repeat(AbiType type, int count)
    {
        var types = new AbiType[count];
        Array.Fill(types, type);
        return types;
    }

    private static void WriteNumber(MemoryStream output, int number) => WriteWord(output, (UInt256)number);

    private static void WriteWord(MemoryStream output, in UInt256 word)
    {
        Span<byte> bytes = stackalloc byte[AbiType.WordSize];
        word.WriteBigEndian(bytes);
        output.Write(bytes);
    }

    private static void WritePadded(MemoryStream output, ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        Span<byte> padding = stackalloc byte[AbiType.WordSize];
        padding.Clear();
        output.Write(padding[..(-bytes.Length & (AbiType.WordSize - 1))]);
    }
}
