using System.Text.Json;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>Answers proof jobs.</summary>
/// <remarks>
/// <code>
///   job     {"job":"name of 1 to 64 letters, digits and dashes", …}
///   answer  document proofs/&lt;job&gt;: {"job":"…","status":"not-available","reason":"…"}
/// </code>
/// Where no prover is deployed every job has that answer: it is never lost, and its asker knows at once.
/// </remarks>
public sealed class ProveService(RolePorts ports)
{
    /// <summary>Bytes of a job.</summary>
    public const int MostBytes = 1 << 20;

    private const int MostNameCharacters = 64;

    /// <summary>Where a job's answer lies.</summary>
    public static DocumentKey AnswerOf(RoleNames names, string job) => new(names.Replica, "proofs", job);

    public async Task<RoleEnd> ProveAsync(ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (await ClaimCheck.OpenAsync(body, ports.Blobs, cancellation) is not { } opened)
        {
            return RoleEnd.Again;
        }

        if (opened.Length > MostBytes || NameOf(opened) is not { } job)
        {
            return RoleEnd.Malformed;
        }

        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("job"u8, job);
            json.WriteString("status"u8, "not-available"u8);
            json.WriteString("reason"u8, "no prover is deployed beside this validator"u8);
            json.WriteEndObject();
        }

        await ports.Documents.UpsertAsync(AnswerOf(ports.Names, job), stream.ToArray(), cancellation);
        ports.Reach(FailPoint.ProveAnswered);
        ports.Log($"proof job {job}: not available");
        return RoleEnd.Done;
    }

    private static string? NameOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("job", out var name) && name.ValueKind == JsonValueKind.String
                && name.GetString() is { Length: > 0 and <= MostNameCharacters } text
                && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
                ? text
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
