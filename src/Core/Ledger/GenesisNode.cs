using System.Globalization;
using System.Text.Json;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>A JSON value of a genesis file with its path, so that a complaint says where it is.</summary>
internal readonly struct GenesisNode(JsonElement element, string path)
{
    internal string Path => path;

    internal void RequireObject() => Require(element.ValueKind == JsonValueKind.Object, "is no JSON object");

    /// <summary>A member; null where it is missing or null.</summary>
    internal GenesisNode? Find(string name)
    {
        RequireObject();
        return element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null
            ? new GenesisNode(member, PathOf(name))
            : null;
    }

    internal IEnumerable<(string Name, GenesisNode Node)> Members()
    {
        RequireObject();
        foreach (var member in element.EnumerateObject())
        {
            yield return (member.Name, new GenesisNode(member.Value, PathOf(member.Name)));
        }
    }

    internal ulong? UInt64(string name)
    {
        if (UInt256(name) is not { } value)
        {
            return null;
        }

        return value.IsUInt64 ? value.U0 : throw new FormatException($"{PathOf(name)} has more than 64 bits.");
    }

    internal UInt256? UInt256(string name) => Find(name)?.AsNumber();

    internal bool? Flag(string name) => Find(name)?.AsFlag();

    internal byte[]? Bytes(string name) => Find(name)?.AsBytes();

    internal Hash256? Hash256(string name)
    {
        if (Bytes(name) is not { } bytes)
        {
            return null;
        }

        return bytes.Length == Primitives.Hash256.Size
            ? new Hash256(bytes)
            : throw new FormatException($"{PathOf(name)} does not have 32 bytes.");
    }

    internal Address? Address(string name)
    {
        if (Bytes(name) is not { } bytes)
        {
            return null;
        }

        return bytes.Length == Primitives.Address.Size
            ? new Address(bytes)
            : throw new FormatException($"{PathOf(name)} does not have 20 bytes.");
    }

    /// <summary>A storage word: hex with or without 0x, of 1 to 64 digits.</summary>
    internal UInt256 AsWord()
    {
        Require(element.ValueKind == JsonValueKind.String, "is no string of hex digits");
        return Word(element.GetString() ?? string.Empty, null);
    }

    internal UInt256 Word(string text, string? name)
    {
        var digits = Hex.StripPrefix(text);
        if (digits.Length is >= 1 and <= 64
            && Primitives.UInt256.TryParse(string.Concat("0x", digits), out var value))
        {
            return value;
        }

        throw new FormatException($"{(name is null ? path : PathOf(name))} is no word of 1 to 64 hex digits.");
    }

    private UInt256 AsNumber()
    {
        var text = element.ValueKind switch
        {
            JsonValueKind.String => element.GetString() ?? string.Empty,
            JsonValueKind.Number => element.GetRawText(),
            _ => string.Empty,
        };
        if (Primitives.UInt256.TryParse(text, out var value))
        {
            return value;
        }

        // Some writers put whole numbers into JSON with an exponent: 1e18.
        if (element.ValueKind == JsonValueKind.Number && text.AsSpan().ContainsAny('e', 'E')
            && System.Numerics.BigInteger.TryParse(
                text, NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var large)
            && large.Sign >= 0 && large.GetByteCount(isUnsigned: true) <= 32)
        {
            return (UInt256)large;
        }

        throw new FormatException(
            $"{path} is no unsigned number of at most 256 bits: {GenesisReader.Shorten(element.GetRawText())}.");
    }

    private bool AsFlag()
    {
        Require(element.ValueKind is JsonValueKind.True or JsonValueKind.False, "is neither true nor false");
        return element.GetBoolean();
    }

    private byte[] AsBytes()
    {
        var text = element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        return text is not null && Hex.TryDecode(text, out var bytes)
            ? bytes
            : throw new FormatException($"{path} is no string of pairs of hex digits.");
    }

    private void Require(bool condition, string complaint)
    {
        if (!condition)
        {
            throw new FormatException($"{(path.Length == 0 ? "The file" : path)} {complaint}.");
        }
    }

    private string PathOf(string name) =>
        path.Length == 0 ? GenesisReader.Shorten(name) : $"{path}.{GenesisReader.Shorten(name)}";
}
