using System.Text.Json;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Reads a method's arguments from left to right, straight from the request's bytes.</summary>
/// <remarks>
/// Every reading method answers false where the argument is not what it must be, and <see cref="Error"/> then says
/// what is wrong with which. The request was checked to be valid JSON before, so the reader does not throw.
/// </remarks>
internal ref partial struct RpcParams
{
    /// <summary>How deep arguments may be nested; the dispatcher has checked it.</summary>
    internal const int MaximumDepth = 64;

    private Utf8JsonReader _reader;
    private int _index = -1;
    private bool _ended;

    /// <param name="json">A JSON array, or nothing where the request has no arguments.</param>
    /// <param name="limits">How many values lists may have.</param>
    internal RpcParams(ReadOnlySpan<byte> json, RpcLimits limits)
    {
        Limits = limits;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaximumDepth });
        _ended = json.IsEmpty || !_reader.Read() || _reader.TokenType != JsonTokenType.StartArray;
    }

    internal RpcLimits Limits { get; }

    /// <summary>What is wrong with the arguments, after a method answered false.</summary>
    internal RpcError Error { get; private set; } = RpcError.InvalidParams("invalid arguments");

    internal bool Address(out Address address)
    {
        address = default;
        return Required() && ReadAddress(out address);
    }

    internal bool Hash(out Hash256 hash)
    {
        hash = default;
        return Required() && ReadHash(out hash);
    }

    /// <summary>A QUANTITY or a plain JSON number.</summary>
    internal bool Quantity(out UInt256 value)
    {
        value = default;
        return Required() && ReadQuantity(out value);
    }

    internal bool Quantity64(out ulong value)
    {
        value = 0;
        return Required() && ReadQuantity64(out value);
    }

    internal bool OptionalQuantity64(out ulong? value)
    {
        value = null;
        if (!Optional())
        {
            return true;
        }

        var ok = ReadQuantity64(out var given);
        value = given;
        return ok;
    }

    /// <summary>A storage slot: a quantity, or up to 32 bytes of data.</summary>
    internal bool Slot(out UInt256 slot)
    {
        slot = default;
        return Required() && ReadSlot(out slot);
    }

    internal bool Data(out byte[] data)
    {
        data = [];
        return Required() && ReadData(out data);
    }

    /// <summary>A short string.</summary>
    internal bool Word(out string word)
    {
        const int MaximumLength = 64;
        word = string.Empty;
        if (!Required() || !IsToken(JsonTokenType.String, "a string"))
        {
            return false;
        }

        word = _reader.GetString()!;
        return word.Length <= MaximumLength || Refuse($"at most {MaximumLength} characters");
    }

    internal bool Flag(out bool value)
    {
        value = false;
        return Required() && ReadFlag(out value);
    }

    internal bool OptionalFlag(out bool value)
    {
        value = false;
        return !Optional() || ReadFlag(out value);
    }

    /// <summary>An object without fields, left out or null; anything in it is refused with these words.</summary>
    internal bool OptionalEmptyObject(string otherwise) =>
        !Optional() || (IsToken(JsonTokenType.StartObject, "an object") && (!NextField() || Refuse(otherwise)));

    /// <summary>A block that must be given.</summary>
    internal bool Block(out BlockReference block)
    {
        block = default;
        return Required() && ReadBlock(out block);
    }

    /// <summary>A block; the latest where it is left out or null.</summary>
    internal bool OptionalBlock(out BlockReference block)
    {
        block = BlockReference.Latest;
        return !Optional() || ReadBlock(out block);
    }

    /// <summary>An array of slots, none where it is left out.</summary>
    internal bool Slots(out List<UInt256> slots)
    {
        slots = [];
        return Required() && ReadSlotList(slots);
    }

    /// <summary>An array of numbers from 0 to 100 in rising order, none where it is left out.</summary>
    internal bool Percentiles(out List<double> percentiles)
    {
        percentiles = [];
        if (!Optional())
        {
            return true;
        }

        if (!IsToken(JsonTokenType.StartArray, "an array of numbers"))
        {
            return false;
        }

        while (Inside())
        {
            if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetDouble(out var value)
                || value is not (>= 0 and <= 100) || (percentiles.Count > 0 && value < percentiles[^1])
                || percentiles.Count >= Limits.MaximumFilterValues)
            {
                return Refuse("percentiles rise from 0 to 100");
            }

            percentiles.Add(value);
        }

        return true;
    }

    /// <summary>Whether another argument follows that is not null; it then is the current one.</summary>
    internal bool Optional()
    {
        if (_ended)
        {
            return false;
        }

        _index++;
        _reader.Read();
        _ended = _reader.TokenType == JsonTokenType.EndArray;
        return !_ended && _reader.TokenType != JsonTokenType.Null;
    }

    /// <summary>That all arguments are read; null ones may follow.</summary>
    internal bool End()
    {
        while (!_ended)
        {
            if (Optional())
            {
                Error = RpcError.InvalidParams($"too many arguments, want at most {_index}");
                return false;
            }
        }

        return true;
    }

    /// <summary>Notes what is wrong with the current argument; always false.</summary>
    internal bool Refuse(string what)
    {
        Error = RpcError.InvalidParams($"invalid argument {Math.Max(_index, 0)}: {what}");
        return false;
    }

    /// <summary>Passes over the current value, whatever it is.</summary>
    internal void Skip() => _reader.Skip();

    private bool Required()
    {
        if (Optional())
        {
            return true;
        }

        Error = RpcError.InvalidParams($"missing value for required argument {Math.Max(_index, 0)}");
        return false;
    }

    /// <summary>Steps to the next value of the array that was entered; false at its end.</summary>
    private bool Inside() => _reader.Read() && _reader.TokenType != JsonTokenType.EndArray;

    private bool IsToken(JsonTokenType type, string what) => _reader.TokenType == type || Refuse($"expected {what}");
}
