using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Commands;

/// <summary>A file that holds a private key: 0x and 64 digits alone, or a validator's configuration.</summary>
/// <remarks>Keys come from files only: what stands on a command line is seen by every user of the machine.</remarks>
internal static class KeyFile
{
    private const int MaximumBytes = 1 << 20;

    /// <exception cref="InvalidConfigurationException">No such file, or no key in it.</exception>
    internal static byte[] Read(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaximumBytes)
        {
            throw new InvalidConfigurationException($"{path}: no such file, or too large");
        }

        var text = File.ReadAllText(path).Trim();
        if (text.StartsWith('{'))
        {
            text = KeyOf(path, text);
        }

        if (!Hex.TryDecode(text, out var key) || key.Length != 32)
        {
            throw new InvalidConfigurationException($"{path} holds no private key: 0x and 64 hexadecimal digits");
        }

        try
        {
            _ = Secp256k1.AddressOf(key);
            return key;
        }
        catch (ArgumentException broken)
        {
            throw new InvalidConfigurationException($"{path} holds no private key: {broken.Message}");
        }
    }

    private static string KeyOf(string path, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.TryGetProperty("key", out var key) && key.ValueKind == JsonValueKind.String
                ? key.GetString()!
                : throw new InvalidConfigurationException($"{path} has no \"key\"");
        }
        catch (JsonException broken)
        {
            throw new InvalidConfigurationException($"{path} is no JSON: {broken.Message}");
        }
    }
}
