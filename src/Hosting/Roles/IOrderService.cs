using Microsoft.AspNetCore.Http;

namespace SuperVm.Hosting.Roles;

/// <summary>Takes what lies in a validator's inbox; what it answers with Done is ordered, or needs no order.</summary>
public interface IOrderService
{
    /// <param name="messageId">The message's name, the same at every delivery.</param>
    /// <param name="isRepeated">Whether it was delivered before.</param>
    /// <param name="body">Its bytes: packed transactions, or the claim of such.</param>
    /// <param name="cancellation">Ends early; the message comes again.</param>
    Task<RoleEnd> TakeAsync(
        string messageId, bool isRepeated, ReadOnlyMemory<byte> body, CancellationToken cancellation);

    /// <summary>Serves another operator's message; a chain of one operator has none.</summary>
    Task ServeAsync(HttpContext context);

    /// <summary>Looks whether something is left undone, and does it: for a rare watchdog.</summary>
    Task WatchAsync(CancellationToken cancellation);
}
