using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>Keys from a sentence: the seed of BIP-39 and the derivation of BIP-32 on secp256k1.</summary>
/// <remarks>
/// <code>
///   sentence ──PBKDF2, 2,048 × HMAC-SHA512──▶ seed ──HMAC-SHA512 "Bitcoin seed"──▶ key | chain code
///   child i: HMAC-SHA512(chain code, hardened ? 00 | key | i : public key | i) ──▶ key + left half | right half
/// </code>
/// The words are not looked up, nor their checksum checked: as in other development nodes any sentence gives keys.
/// </remarks>
public static class Mnemonic
{
    /// <summary>The sentence that development nodes share; everybody knows its keys.</summary>
    public const string Development = "test test test test test test test test test test test junk";

    /// <summary>
    /// The path of Ethereum's first accounts (BIP-44, coin 60); the account's number stands behind it.
    /// </summary>
    public const string EthereumPath = "m/44'/60'/0'/0/";

    private const int SeedSize = 64;
    private const int Iterations = 2_048;
    private const uint Hardened = 0x8000_0000;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>The 64-byte seed of a sentence (BIP-39), words separated by single spaces.</summary>
    public static byte[] SeedOf(string sentence, string passphrase = "") => Rfc2898DeriveBytes.Pbkdf2(
        Utf8.GetBytes(Normalized(sentence)), Utf8.GetBytes("mnemonic" + passphrase), Iterations,
        HashAlgorithmName.SHA512, SeedSize);

    /// <summary>The private key at a path like m/44'/60'/0'/0/5.</summary>
    /// <exception cref="FormatException">Not such a path.</exception>
    public static byte[] PrivateKeyAt(ReadOnlySpan<byte> seed, string path)
    {
        var parts = path.Split('/');
        if (parts[0] != "m")
        {
            throw new FormatException("A derivation path begins with m/.");
        }

        var node = new byte[SeedSize];
        HMACSHA512.HashData("Bitcoin seed"u8, seed, node);
        foreach (var part in parts.AsSpan(1))
        {
            node = Child(node, NumberOf(part));
        }

        return node[..Secp256k1.PrivateKeySize];
    }

    /// <summary>One step of BIP-32 (CKDpriv); the node is key and chain code, 32 bytes each.</summary>
    private static byte[] Child(byte[] node, uint number)
    {
        Span<byte> data = stackalloc byte[37];
        var key = node.AsSpan(0, Secp256k1.PrivateKeySize);
        if (number >= Hardened)
        {
            data[0] = 0;
            key.CopyTo(data[1..]);
        }
        else
        {
            // The compressed form of SEC 1: the parity of y, then x.
            var point = Secp256k1.PublicKeyOf(key);
            data[0] = (byte)(2 | (point[^1] & 1));
            point.AsSpan(0, 32).CopyTo(data[1..]);
        }

        BinaryPrimitives.WriteUInt32BigEndian(data[33..], number);
        var child = new byte[SeedSize];
        HMACSHA512.HashData(node.AsSpan(32), data, child);
        var sum = UInt256.AddMod(
            UInt256.FromBigEndian(child.AsSpan(0, 32)), UInt256.FromBigEndian(key), Secp256k1.Order);
        if (UInt256.FromBigEndian(child.AsSpan(0, 32)) >= Secp256k1.Order || sum.IsZero)
        {
            // Once in 2^127 derivations; BIP-32 then goes on with the next number.
            return Child(node, number + 1);
        }

        sum.WriteBigEndian(child);
        return child;
    }

    private static uint NumberOf(string part)
    {
        var isHardened = part.EndsWith('\'') || part.EndsWith('h');
        var digits = isHardened ? part[..^1] : part;
        return uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number < Hardened
            ? number | (isHardened ? Hardened : 0)
            : throw new FormatException($"'{part}' is no step of a derivation path.");
    }

    private static string Normalized(string sentence) =>
        string.Join(' ', sentence.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Normalize(NormalizationForm.FormKD);
}
