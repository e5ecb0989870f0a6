using System.Text.Json;

namespace SuperVm.Core.Tests.Cryptography;

/// <summary>Vectors for one precompile: go-ethereum's, or those of another folder in the same form.</summary>
internal static class PrecompileVectors
{
    internal sealed record Vector(string Name, byte[] Input, byte[]? Expected);

    /// <summary>Reads one file; Expected is null where the input must be refused.</summary>
    internal static IReadOnlyList<Vector> Read(string file, string folder = "geth/precompiles")
    {
        var path = Path.Combine(Fixtures.Folder("precompiles"), "precompiles", folder, file + ".json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        Vector[] vectors = [.. document.RootElement.EnumerateArray().Select(item => new Vector(
            item.GetProperty("Name").GetString()!,
            Convert.FromHexString(item.GetProperty("Input").GetString()!),
            item.TryGetProperty("Expected", out var expected)
                ? Convert.FromHexString(expected.GetString()!)
                : null))];
        Assert.NotEmpty(vectors);
        return vectors;
    }
}
