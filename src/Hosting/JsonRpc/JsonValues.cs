using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text.Json;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>
/// Ethereum's values in JSON: QUANTITY without leading zeros, DATA with two digits a byte (EIP-1474).
/// </summary>
internal static class JsonValues
{
    private const int StackBytes = 512;

    internal static void WriteHex(this Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes)
    {
        json.WritePropertyName(name);
        json.WriteHexValue(bytes);
    }

    /// <summary>DATA: 0x and two digits a byte.</summary>
    internal static void WriteHexValue(this Utf8JsonWriter json, ReadOnlySpan<byte> bytes)
    {
        var length = (bytes.Length * 2) + 4;
        byte[]? rented = null;
        var text = bytes.Length <= StackBytes
            ? stackalloc byte[(StackBytes * 2) + 4]
            : rented = ArrayPool<byte>.Shared.Rent(length);
        text[0] = (byte)'"';
        text[1] = (byte)'0';
        text[2] = (byte)'x';
        Convert.TryToHexStringLower(bytes, text[3..], out _);
        text[length - 1] = (byte)'"';
        json.WriteRawValue(text[..length], skipInputValidation: true);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    internal static void WriteHash(this Utf8JsonWriter json, ReadOnlySpan<byte> name, in Hash256 hash) =>
        json.WriteHex(name, hash.Bytes);

    internal static void WriteAddress(this Utf8JsonWriter json, ReadOnlySpan<byte> name, in Address address) =>
        json.WriteHex(name, address.Bytes);

    /// <summary>An address or null.</summary>
    internal static void WriteOptionalAddress(this Utf8JsonWriter json, ReadOnlySpan<byte> name, Address? address)
    {
        if (address is { } known)
        {
            json.WriteHex(name, known.Bytes);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    internal static void WriteQuantity(this Utf8JsonWriter json, ReadOnlySpan<byte> name, ulong value)
    {
        json.WritePropertyName(name);
        json.WriteQuantityValue(value);
    }

    internal static void WriteQuantity(this Utf8JsonWriter json, ReadOnlySpan<byte> name, in UInt256 value)
    {
        json.WritePropertyName(name);
        json.WriteQuantityValue(value);
    }

    internal static void WriteQuantityValue(this Utf8JsonWriter json, ulong value)
    {
        Span<byte> text = stackalloc byte[20];
        text[0] = (byte)'"';
        text[1] = (byte)'0';
        text[2] = (byte)'x';
        var digits = Math.Max(1, (64 - BitOperations.LeadingZeroCount(value) + 3) / 4);
        for (var i = digits - 1; i >= 0; i--)
        {
            text[3 + i] = "0123456789abcdef"u8[(int)(value & 15)];
            value >>= 4;
        }

        text[3 + digits] = (byte)'"';
        json.WriteRawValue(text[..(digits + 4)], skipInputValidation: true);
    }

    internal static void WriteQuantityValue(this Utf8JsonWriter json, in UInt256 value)
    {
        if (value.IsUInt64)
        {
            json.WriteQuantityValue(value.U0);
            return;
        }

        Span<byte> word = stackalloc byte[32];
        value.WriteBigEndian(word);
        Span<byte> text = stackalloc byte[68];
        Convert.TryToHexStringLower(word, text[3..], out _);
        var zeros = text.Slice(3, 64).IndexOfAnyExcept((byte)'0');
        var whole = text[zeros..];
        whole[0] = (byte)'"';
        whole[1] = (byte)'0';
        whole[2] = (byte)'x';
        whole[67 - zeros] = (byte)'"';
        json.WriteRawValue(whole[..(68 - zeros)], skipInputValidation: true);
    }

    /// <summary>A word as 32 bytes of DATA, as storage values are shown.</summary>
    internal static void WriteWordValue(this Utf8JsonWriter json, in UInt256 value)
    {
        Span<byte> word = stackalloc byte[32];
        value.WriteBigEndian(word);
        json.WriteHexValue(word);
    }

    /// <summary>The eight bytes of a header's nonce.</summary>
    internal static void WriteNonce(this Utf8JsonWriter json, ReadOnlySpan<byte> name, ulong nonce)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, nonce);
        json.WriteHex(name, bytes);
    }

    /// <summary>Reads 0x and 1 to 64 digits, leading zeros allowed; false for anything else.</summary>
    internal static bool TryQuantity(ReadOnlySpan<byte> text, out UInt256 value)
    {
        value = default;
        if (text.Length < 3 || text[0] != '0' || (text[1] | 0x20) != 'x')
        {
            return false;
        }

        var digits = text[2..];
        if (digits.Length > 64)
        {
            return false;
        }

        Span<byte> padded = stackalloc byte[64];
        padded.Fill((byte)'0');
        digits.CopyTo(padded[(64 - digits.Length)..]);
        Span<byte> word = stackalloc byte[32];
        if (Convert.FromHexString(padded, word, out _, out var written) != OperationStatus.Done || written != 32)
        {
            return false;
        }

        value = UInt256.FromBigEndian(word);
        return true;
    }

    /// <summary>
    /// Reads 0x and an even number of digits; false for anything else, or more bytes than there is room.
    /// </summary>
    internal static bool TryData(ReadOnlySpan<byte> text, Span<byte> destination, out int length)
    {
        length = 0;
        if (text.Length < 2 || text.Length % 2 != 0 || text[0] != '0' || (text[1] | 0x20) != 'x'
            || (text.Length - 2) / 2 > destination.Length)
        {
            return false;
        }

        return Convert.FromHexString(text[2..], destination, out _, out length) == OperationStatus.Done
            && length == (text.Length - 2) / 2;
    }
}
