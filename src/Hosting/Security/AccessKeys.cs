using System.Security.Cryptography;
using System.Text;

namespace SuperVm.Hosting.Security;

/// <summary>Keys that callers show as <c>Authorization: Bearer KEY</c> or <c>x-functions-key: KEY</c>.</summary>
/// <remarks>
/// Only their digests are kept, and comparing takes the same time whatever is shown. A setting that still names the
/// vault (<c>@Microsoft.KeyVault(…)</c>), because its secret was not found, is no key.
/// </remarks>
public sealed class AccessKeys
{
    /// <summary>Characters of a key at least; a shorter one could be guessed.</summary>
    public const int FewestCharacters = 16;

    private const int MostCharacters = 1_024;
    private const string VaultReference = "@Microsoft.KeyVault(";

    private readonly byte[][] _digests;

    private AccessKeys(IEnumerable<string> keys) => _digests = [.. keys.Select(Digest)];

    public static AccessKeys None { get; } = new([]);

    /// <summary>How many there are.</summary>
    public int Count => _digests.Length;

    /// <summary>Keys from a setting or a file: one a line; blank lines and those of the vault are left out.</summary>
    /// <exception cref="ArgumentException">A key shorter than <see cref="FewestCharacters"/>.</exception>
    public static AccessKeys Parse(string? text)
    {
        var keys = (text ?? string.Empty)
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(key => !key.StartsWith(VaultReference, StringComparison.Ordinal))
            .ToList();
        return keys.Any(key => key.Length is < FewestCharacters or > MostCharacters)
            ? throw new ArgumentException($"a key has {FewestCharacters} to {MostCharacters} characters")
            : new AccessKeys(keys);
    }

    /// <summary>A short name of a key for the audit log: eight digits of its digest.</summary>
    internal static string NameOf(string key) => Convert.ToHexStringLower(Digest(key).AsSpan(0, 4));

    internal bool Has(string? key)
    {
        if (string.IsNullOrEmpty(key) || key.Length > MostCharacters)
        {
            return false;
        }

        var digest = Digest(key);
        var found = false;
        foreach (var known in _digests)
        {
            found |= CryptographicOperations.FixedTimeEquals(known, digest);
        }

        return found;
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
