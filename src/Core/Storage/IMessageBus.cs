namespace SuperVm.Core.Storage;

/// <summary>One delivery of a message.</summary>
/// <param name="Id">The message's name, the same in every delivery.</param>
/// <param name="Body">What was sent.</param>
/// <param name="Receipt">Names this delivery; a later delivery or renewal makes it worthless.</param>
/// <param name="DequeueCount">Which delivery it is, from 1.</param>
/// <param name="InsertedAt">When the message was sent.</param>
/// <param name="ExpiresAt">When the queue forgets it.</param>
/// <param name="NextVisibleAt">When it is delivered again where nobody completes or renews it.</param>
public sealed record BusMessage(
    string Id,
    ReadOnlyMemory<byte> Body,
    string Receipt,
    int DequeueCount,
    DateTimeOffset InsertedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset NextVisibleAt);

/// <summary>
/// The message bus: queues by name that deliver every message at least once, in no promised order.
/// </summary>
/// <remarks>
/// A received message is hidden for its visibility time and comes again where it was not completed by then. Queues come
/// into being when they are first sent to; reading one that is not there finds nothing. The model is that of Azure
/// Storage Queues, the narrowest of the services it is made for. Times count in whole seconds, rounded up; a delay of
/// zero is none. Members throw <see cref="StoreException"/> where the service fails.
/// </remarks>
public interface IMessageBus
{
    /// <summary>Sends a body of at most <see cref="BusLimits.MostBodyBytes"/>, visible after the delay.</summary>
    /// <exception cref="ArgumentException">The body is larger, or the name is none.</exception>
    Task SendAsync(
        string queue, ReadOnlyMemory<byte> body, TimeSpan delay = default, CancellationToken cancellation = default);

    /// <summary>
    /// Takes up to <paramref name="most"/> (1 to <see cref="BusLimits.MostReceived"/>) visible messages and hides them
    /// for <paramref name="visibility"/>. Empty where there are none.
    /// </summary>
    Task<IReadOnlyList<BusMessage>> ReceiveAsync(
        string queue, int most, TimeSpan visibility, CancellationToken cancellation = default);

    /// <summary>
    /// Hides a delivery for another <paramref name="visibility"/> from now (zero: shows it at once); the message with
    /// its new receipt, or null where the delivery is no longer the message's last.
    /// </summary>
    Task<BusMessage?> RenewAsync(
        string queue, BusMessage message, TimeSpan visibility, CancellationToken cancellation = default);

    /// <summary>Takes the message off the queue; false where the delivery is no longer its last.</summary>
    Task<bool> CompleteAsync(string queue, BusMessage message, CancellationToken cancellation = default);

    /// <summary>How many messages the queue holds, hidden ones too; approximate where many write.</summary>
    Task<long> CountAsync(string queue, CancellationToken cancellation = default);
}

/// <summary>What every bus keeps to, whatever stands behind it.</summary>
public static class BusLimits
{
    /// <summary>A body, in bytes: base64 makes 64 KiB of it, the most that a storage queue's message holds.</summary>
    public const int MostBodyBytes = 48 * 1024;

    /// <summary>Messages that one call receives.</summary>
    public const int MostReceived = 32;

    /// <summary>After this time a message is forgotten.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromDays(7);

    /// <summary>The longest delay and visibility.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromDays(7) - TimeSpan.FromSeconds(1);

    private const string PoisonSuffix = "-poison";

    /// <summary>Where messages go that nobody could handle: <c>&lt;queue&gt;-poison</c>.</summary>
    public static string PoisonQueue(string queue) => queue + PoisonSuffix;

    /// <summary>Whether a queue is one of those.</summary>
    public static bool IsPoisonQueue(string queue) => queue.EndsWith(PoisonSuffix, StringComparison.Ordinal);

    /// <summary>
    /// A queue's name: 3 to 63 lower-case letters, digits and single dashes, neither first nor last a dash.
    /// </summary>
    public static bool IsQueueName(string? name)
    {
        if (name is null || name.Length is < 3 or > 63 || name[0] == '-' || name[^1] == '-')
        {
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsAsciiLetterLower(name[i]) && !char.IsAsciiDigit(name[i])
                && (name[i] != '-' || name[i - 1] == '-'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Throws where a call's arguments are outside of what every bus takes.</summary>
    public static void RequireSend(string queue, int bodyBytes, TimeSpan delay)
    {
        RequireQueue(queue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bodyBytes, MostBodyBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay, LongestDelay);
    }

    public static void RequireReceive(string queue, int most, TimeSpan visibility)
    {
        RequireQueue(queue);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MostReceived);
        ArgumentOutOfRangeException.ThrowIfLessThan(visibility, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(visibility, LongestDelay);
    }

    public static void RequireQueue(string queue)
    {
        if (!IsQueueName(queue))
        {
            throw new ArgumentException($"'{queue}' is no name of a queue.", nameof(queue));
        }
    }
}

/// <summary>What follows from the port's members.</summary>
public static class MessageBusExtensions
{
    /// <summary>
    /// Copies a message that nobody could handle to the poison queue, then takes it off its own. A crash between the
    /// two leaves it in both: it is never lost.
    /// </summary>
    public static async Task DeadLetterAsync(
        this IMessageBus bus, string queue, BusMessage message, CancellationToken cancellation = default)
    {
        await bus.SendAsync(BusLimits.PoisonQueue(queue), message.Body, default, cancellation);
        await bus.CompleteAsync(queue, message, cancellation);
    }
}
