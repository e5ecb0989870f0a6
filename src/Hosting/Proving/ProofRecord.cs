using System.Text;
using System.Text.Json;

namespace SuperVm.Hosting.Proving;

/// <summary>Where a job stands.</summary>
public enum ProofStatus
{
    Queued = 0,
    Proving = 1,
    Done = 2,
    Failed = 3,
    Cancelled = 4,

    /// <summary>No prover is deployed.</summary>
    NotAvailable = 5,
}

/// <summary>A job's document, which is also what clients get.</summary>
/// <remarks>
/// <code>
///   queued ─▶ proving ─▶ done            {"job","circuit","digest","status","attempts","progress",
///      │         ├─────▶ failed           "proof":{snarkjs},"publics":["…"],"reason":"…"}
///      └─────────┴─────▶ cancelled
/// </code>
/// Done, failed, cancelled and not-available are final: deliveries after that change nothing.
/// </remarks>
public sealed record ProofRecord
{
    public required string Job { get; init; }

    public required string Circuit { get; init; }

    /// <summary>See <see cref="ProofJob.Digest"/>.</summary>
    public required string Digest { get; init; }

    public ProofStatus Status { get; init; }

    /// <summary>How often a prover began.</summary>
    public int Attempts { get; init; }

    /// <summary>0 to 1.</summary>
    public double Progress { get; init; }

    /// <summary>snarkjs' JSON; null unless done.</summary>
    public string? Proof { get; init; }

    /// <summary>snarkjs' JSON of the public values; null unless done.</summary>
    public string? Publics { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Reason { get; init; }

    public bool IsFinal => Status is not (ProofStatus.Queued or ProofStatus.Proving);

    public byte[] Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("job"u8, Job);
            json.WriteString("circuit"u8, Circuit);
            json.WriteString("digest"u8, Digest);
            json.WriteString("status"u8, NameOf(Status));
            json.WriteNumber("attempts"u8, Attempts);
            json.WriteNumber("progress"u8, Math.Round(Progress, 3));
            WriteRaw(json, "proof", Proof);
            WriteRaw(json, "publics", Publics);
            if (Reason is not null)
            {
                json.WriteString("reason"u8, Reason);
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">Something else lies there.</exception>
    public static ProofRecord Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return new ProofRecord
            {
                Job = root.GetProperty("job").GetString()!,
                Circuit = root.GetProperty("circuit").GetString()!,
                Digest = root.GetProperty("digest").GetString()!,
                Status = StatusOf(root.GetProperty("status").GetString()),
                Attempts = root.GetProperty("attempts").GetInt32(),
                Progress = root.GetProperty("progress").GetDouble(),
                Proof = Raw(root, "proof"),
                Publics = Raw(root, "publics"),
                Reason = root.TryGetProperty("reason", out var reason) ? reason.GetString() : null,
            };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException
            or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"A proof's record is damaged: {exception.Message}", exception);
        }
    }

    internal static string NameOf(ProofStatus status) => status switch
    {
        ProofStatus.Queued => "queued",
        ProofStatus.Proving => "proving",
        ProofStatus.Done => "done",
        ProofStatus.Failed => "failed",
        ProofStatus.Cancelled => "cancelled",
        _ => "not-available",
    };

    private static ProofStatus StatusOf(string? name)
    {
        foreach (var status in Enum.GetValues<ProofStatus>())
        {
            if (NameOf(status) == name)
            {
                return status;
            }
        }

        throw new FormatException($"there is no status '{name}'");
    }

    private static void WriteRaw(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(Encoding.UTF8.GetBytes(value));
        }
    }

    private static string? Raw(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) ? value.GetRawText() : null;
}
