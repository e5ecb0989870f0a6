using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Conformance;

/// <summary>RLP tests: values with their encoding, and encodings that are valid or not.</summary>
internal sealed class RlpWorker : IConformanceWorker
{
    public void RunFile(string file, CaseReport cases)
    {
        using var document = FixtureJson.Parse(file);
        foreach (var test in document.RootElement.Members("the file"))
        {
            if (cases.Wants(test.Name))
            {
                cases.Run(test.Name, () => Check(test.Value));
            }
        }
    }

    private static string? Check(JsonElement test)
    {
        var value = test.Member("in");
        var encoded = test.BytesMember("out");
        var problem = RlpStructure.Check(encoded);
        var verdict = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (verdict == "INVALID")
        {
            return problem is null ? "invalid RLP was accepted" : null;
        }

        if (problem is not null)
        {
            return $"valid RLP was refused: {problem}";
        }

        if (verdict == "VALID")
        {
            return null;
        }

        var writer = new RlpWriter();
        Write(writer, value);
        if (!writer.Written.SequenceEqual(encoded))
        {
            return $"encoded as {Hex.Encode(writer.Written)}";
        }

        var reader = new RlpReader(encoded);
        return Equals(ref reader, value) && reader.AtEnd ? null : "decoded to another value";
    }

    private static void Write(RlpWriter writer, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            writer.WriteBytes(BytesOf(value));
            return;
        }

        var list = writer.BeginList();
        foreach (var item in value.EnumerateArray())
        {
            Write(writer, item);
        }

        writer.EndList(list);
    }

    private static bool Equals(ref RlpReader reader, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return !reader.NextIsList && reader.ReadBytes().SequenceEqual(BytesOf(value));
        }

        if (!reader.NextIsList)
        {
            return false;
        }

        var items = reader.ReadList();
        foreach (var item in value.EnumerateArray())
        {
            if (items.AtEnd || !Equals(ref items, item))
            {
                return false;
            }
        }

        return items.AtEnd;
    }

    /// <summary>A string's bytes, or a number (JSON, or decimal after #) without leading zeros.</summary>
    private static byte[] BytesOf(JsonElement value)
    {
        var text = value.ValueKind == JsonValueKind.Number ? "#" + value.GetRawText() : value.Text("in");
        if (!text.StartsWith('#'))
        {
            return text.StartsWith("0x", StringComparison.Ordinal) && Hex.TryDecode(text, out var bytes)
                ? bytes
                : Encoding.Latin1.GetBytes(text);
        }

        if (!BigInteger.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new FixtureException("in is no number");
        }

        return number.IsZero ? [] : number.ToByteArray(isUnsigned: true, isBigEndian: true);
    }
}
