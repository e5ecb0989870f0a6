using System.Globalization;
using SuperVm.Core.Cryptography;

namespace SuperVm.Core.Storage;

/// <summary>
/// Sends bodies of any size through a bus of small messages: a larger one goes into a blob, and the message names it
/// (G. Hohpe, B. Woolf, <i>Enterprise Integration Patterns</i>, "Claim Check").
/// </summary>
/// <remarks>
/// <code>
/// inline   body
/// claim    FF 'S' 'V' 'C'  blob's name in ASCII
/// </code>
/// A body that itself begins with these four bytes is always claimed, so the two cannot be mistaken. The blob is stored
/// before the message is sent and named by the day and its hash, so sending again after a crash stores nothing twice.
/// Nobody deletes it at delivery, because two messages may name it: the container forgets bodies older than
/// <see cref="RetentionDays"/>, which is longer than a message lives in its queue and then in the poison queue.
/// </remarks>
public sealed class ClaimCheck(IMessageBus bus, IBlobStore blobs, TimeProvider clock)
{
    /// <summary>How long the container keeps bodies, in days, to be set in its life-cycle rule.</summary>
    public const int RetentionDays = 16;

    /// <summary>The folder of claimed bodies.</summary>
    public const string Folder = "claims";

    private static ReadOnlySpan<byte> Mark => [0xFF, (byte)'S', (byte)'V', (byte)'C'];

    /// <summary>The blob that a message names; null for one that has its body with it.</summary>
    public static string? NameOf(ReadOnlySpan<byte> message) =>
        message.StartsWith(Mark) ? System.Text.Encoding.ASCII.GetString(message[Mark.Length..]) : null;

    /// <summary>Sends a body of at most <see cref="BlobLimits.MostBytes"/>.</summary>
    public async Task SendAsync(
        string queue, ReadOnlyMemory<byte> body, TimeSpan delay = default, CancellationToken cancellation = default)
    {
        if (body.Length <= BusLimits.MostBodyBytes && !body.Span.StartsWith(Mark))
        {
            await bus.SendAsync(queue, body, delay, cancellation);
            return;
        }

        var day = clock.GetUtcNow().ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var hash = Convert.ToHexStringLower(Keccak256.Hash(body.Span).ToArray());
        var name = $"{Folder}/{day}/{hash}";
        await blobs.PutAsync(name, body, cancellation);
        byte[] message = [.. Mark, .. System.Text.Encoding.ASCII.GetBytes(name)];
        await bus.SendAsync(queue, message, delay, cancellation);
    }

    /// <summary>
    /// The body that a message stands for; null where its blob cannot be read yet or is none: the delivery has failed
    /// and comes again.
    /// </summary>
    public static async Task<ReadOnlyMemory<byte>?> OpenAsync(
        ReadOnlyMemory<byte> message, IBlobStore blobs, CancellationToken cancellation = default)
    {
        if (NameOf(message.Span) is not { } name)
        {
            return message;
        }

        return name.StartsWith(Folder + "/", StringComparison.Ordinal) && BlobLimits.IsName(name)
            ? await blobs.GetAsync(name, cancellation)
            : null;
    }
}
