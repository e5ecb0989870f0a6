using System.Text.Json;
using SuperVm.Core.Cryptography;

namespace SuperVm.Hosting.Proving;

/// <summary>A job as it lies in the queue and as clients send it.</summary>
/// <remarks>
/// <code>
///   {"job":"…","circuit":"range","witness":"base64 of a .wtns file"}
/// </code>
/// A client may leave the job's name out: it then follows from circuit and witness, so that the same question has one
/// answer.
/// </remarks>
public sealed record ProofJob(string Job, string Circuit, ReadOnlyMemory<byte> Witness)
{
    /// <summary>Characters of a job's and a circuit's name: letters, digits, dashes.</summary>
    public const int MostNameCharacters = 64;

    private const int DerivedCharacters = 40;

    /// <summary>Keccak-256 of circuit and witness, in hex: tells a repeated job from another one of its name.</summary>
    public string Digest { get; } = DigestOf(Circuit, Witness.Span);

    public static bool IsName(string? name) => name is { Length: > 0 and <= MostNameCharacters }
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    /// <summary>Reads a job; null with what is wrong with it.</summary>
    public static ProofJob? TryRead(ReadOnlyMemory<byte> json, out string? wrong)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                wrong = "a job is a JSON object";
                return null;
            }

            var circuit = Text(root, "circuit");
            if (!IsName(circuit))
            {
                wrong = $"\"circuit\" is 1 to {MostNameCharacters} letters, digits and dashes";
                return null;
            }

            byte[]? witness = null;
            if (!root.TryGetProperty("witness", out var field) || field.ValueKind != JsonValueKind.String
                || !field.TryGetBytesFromBase64(out witness) || witness.Length == 0)
            {
                wrong = "\"witness\" is a .wtns file in base64";
                return null;
            }

            var name = root.TryGetProperty("job", out _)
                ? Text(root, "job")
                : DigestOf(circuit!, witness)[..DerivedCharacters];
            wrong = IsName(name) ? null : $"\"job\" is 1 to {MostNameCharacters} letters, digits and dashes";
            return wrong is null ? new ProofJob(name!, circuit!, witness) : null;
        }
        catch (JsonException exception)
        {
            wrong = $"not JSON: {exception.Message}";
            return null;
        }
    }

    /// <summary>The queue's form.</summary>
    public byte[] Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("job"u8, Job);
            json.WriteString("circuit"u8, Circuit);
            json.WriteBase64String("witness"u8, Witness.Span);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string DigestOf(string circuit, ReadOnlySpan<byte> witness)
    {
        var name = System.Text.Encoding.ASCII.GetBytes(circuit);
        var all = new byte[name.Length + 1 + witness.Length];
        name.CopyTo(all, 0);
        witness.CopyTo(all.AsSpan(name.Length + 1));
        return Convert.ToHexStringLower(Keccak256.Hash(all).Bytes);
    }
}
