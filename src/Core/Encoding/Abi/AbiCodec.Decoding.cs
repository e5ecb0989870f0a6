using System.Text;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Encoding.Abi;

public static partial class AbiCodec
{
    private static readonly UTF8Encoding StrictText = new(false, true);

    /// <summary>Decodes arguments; bytes behind what they need are passed over.</summary>
    public static Decoded<IReadOnlyList<object>> Decode(IReadOnlyList<AbiType> types, ReadOnlySpan<byte> data)
    {
        try
        {
            var left = MaximumValues;
            return ReadSequence(data, types, ref left);
        }
        catch (AbiException refusal)
        {
            return Decoded<IReadOnlyList<object>>.Refused(refusal.Message);
        }
    }

    private static object[] ReadSequence(ReadOnlySpan<byte> data, IReadOnlyList<AbiType> types, ref int left)
    {
        Require((left -= types.Count) >= 0, "The data has too many values.");
        var values = new object[types.Count];
        var head = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var type = types[i];
            if (type.IsDynamic)
            {
                var offset = Number(Word(data, head), "An offset");
                Require(offset <= data.Length, "An offset points behind the data.");
                values[i] = Read(data[offset..], type, ref left);
            }
            else
            {
                Require(head <= data.Length, "The data ends early.");
                values[i] = Read(data[head..], type, ref left);
            }

            head += type.HeadSize;
        }

        return values;
    }

    private static object Read(ReadOnlySpan<byte> data, AbiType type, ref int left)
    {
        switch (type.Kind)
        {
            case AbiKind.Bytes:
                return ReadBytes(data).ToArray();
            case AbiKind.Text:
                return ReadText(ReadBytes(data));
            case AbiKind.Array:
                var count = Number(Word(data, 0), "A length");

                // Items without bytes (empty tuples) are bounded by the count of values alone.
                Require(count <= left, "The data has too many values.");
                return ReadSequence(data[AbiType.WordSize..], Repeat(type.Parts[0], count), ref left);
            case AbiKind.FixedArray:
                Require(type.Size <= left, "The data has too many values.");
                return ReadSequence(data, Repeat(type.Parts[0], type.Size), ref left);
            case AbiKind.Tuple:
                return ReadSequence(data, type.Parts, ref left);
            default:
                return ReadWord(data, type);
        }
    }

    private static object ReadWord(ReadOnlySpan<byte> data, AbiType type)
    {
        var bytes = Word(data, 0);
        var word = UInt256.FromBigEndian(bytes);
        switch (type.Kind)
        {
            case AbiKind.Address:
                Require(word.BitLength <= 160, "An address has more than 160 bits.");
                return Address.FromWord(word);
            case AbiKind.Boolean:
                Require(word <= UInt256.One, "A bool is neither 0 nor 1.");
                return !word.IsZero;
            case AbiKind.FixedBytes:
                Require(!bytes[type.Size..].ContainsAnyExcept((byte)0), "Fixed bytes are not padded with zeros.");
                return bytes[..type.Size].ToArray();
            default:
                Require(Fits(word, type), "An integer is out of its type's range.");
                return word;
        }
    }

    private static ReadOnlySpan<byte> ReadBytes(ReadOnlySpan<byte> data)
    {
        var length = Number(Word(data, 0), "A length");
        Require(length <= data.Length - AbiType.WordSize, "The data ends within bytes.");
        return data.Slice(AbiType.WordSize, length);
    }

    private static string ReadText(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictText.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new AbiException("A string is no UTF-8.");
        }
    }

    private static ReadOnlySpan<byte> Word(ReadOnlySpan<byte> data, int offset)
    {
        Require(offset <= data.Length - AbiType.WordSize, "The data ends early.");
        return data.Slice(offset, AbiType.WordSize);
    }

    private static int Number(ReadOnlySpan<byte> word, string what)
    {
        var number = UInt256.FromBigEndian(word);
        Require(number.IsUInt64 && number.U0 <= int.MaxValue, $"{what} is too large.");
        return (int)number.U0;
    }

    private static void Require(bool condition, string complaint)
    {
        if (!condition)
        {
            throw new AbiException(complaint);
        }
    }

    /// <summary>Ends a decoding from any depth; never leaves <see cref="Decode"/>.</summary>
    private sealed class AbiException(string message) : Exception(message);
}
