using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Addresses for people.</summary>
public static class AddressText
{
    /// <summary>Hex with the checksum of EIP-55 in the case of its letters.</summary>
    public static string Checksummed(in Address address)
    {
        Span<char> text = stackalloc char[42];
        Span<byte> ascii = stackalloc byte[40];
        Convert.TryToHexStringLower(address.Bytes, ascii, out _);
        var hash = Keccak256.Hash(ascii);
        "0x".CopyTo(text);
        for (var i = 0; i < ascii.Length; i++)
        {
            var nibble = (hash.Bytes[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 0xF;
            var letter = (char)ascii[i];
            text[2 + i] = nibble >= 8 ? char.ToUpperInvariant(letter) : letter;
        }

        return new string(text);
    }
}
