using System.Diagnostics.CodeAnalysis;

namespace SuperVm.Core.Primitives;

/// <summary>Hexadecimal text as Ethereum writes it: lower case, prefixed with <c>0x</c>.</summary>
public static class Hex
{
    /// <summary>"0x" followed by two lower-case digits a byte; "0x" alone for no bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    /// <summary>Decodes hex with or without the 0x prefix.</summary>
    /// <exception cref="FormatException">An odd number of digits, or a character that is no hex digit.</exception>
    public static byte[] Decode(ReadOnlySpan<char> text)
    {
        if (!TryDecode(text, out var bytes))
        {
            throw new FormatException("Not hexadecimal data: an even number of hex digits is expected.");
        }

        return bytes;
    }

    /// <summary>Decodes hex with or without the 0x prefix; false for an odd length or a foreign character.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        var digits = StripPrefix(text);
        bytes = null;
        if (digits.Length % 2 != 0)
        {
            return false;
        }

        var result = new byte[digits.Length / 2];
        if (Convert.FromHexString(digits, result, out _, out var written) != System.Buffers.OperationStatus.Done
            || written != result.Length)
        {
            return false;
        }

        bytes = result;
        return true;
    }

    internal static ReadOnlySpan<char> StripPrefix(ReadOnlySpan<char> text) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
}
