using System.Text;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Proving;

namespace SuperVm.Hosting.Roles;

/// <summary>A message that nobody could handle.</summary>
/// <param name="Id">Its name in the poison queue.</param>
/// <param name="Since">When it came there.</param>
/// <param name="Until">When the queue forgets it.</param>
/// <param name="Bytes">Its body's.</param>
/// <param name="What">What it asks for, in words.</param>
public sealed record PoisonMessage(string Id, DateTimeOffset Since, DateTimeOffset Until, int Bytes, string What);

/// <summary>An operator's look into poison queues: what lies there, and the way back into its queue.</summary>
/// <remarks>
/// <code>
///   list      receive ─▶ words ─▶ shown again at once
///   redrive   receive ─▶ send to the queue ─▶ complete        a death in between leaves it in both: done once
/// </code>
/// Everything that the roles take may come twice, so that putting a message back is never wrong; what failed for a
/// cause that is still there comes to the poison queue again.
/// </remarks>
public sealed class PoisonDesk(IMessageBus bus)
{
    /// <summary>Messages that one look shows.</summary>
    public const int MostListed = 256;

    private const int MostHashes = 4;
    private static readonly TimeSpan Hidden = TimeSpan.FromSeconds(30);

    /// <summary>The messages of a queue that nobody could handle, at most <see cref="MostListed"/>.</summary>
    /// <exception cref="StoreException">The queue is not reached.</exception>
    public async Task<IReadOnlyList<PoisonMessage>> ListAsync(string queue, CancellationToken cancellation = default)
    {
        var poison = BusLimits.PoisonQueue(queue);
        var taken = new List<BusMessage>();
        try
        {
            while (taken.Count < MostListed
                && await bus.ReceiveAsync(poison, BusLimits.MostReceived, Hidden, cancellation) is { Count: > 0 } some)
            {
                taken.AddRange(some);
            }
        }
        finally
        {
            foreach (var message in taken)
            {
                await bus.RenewAsync(poison, message, TimeSpan.Zero, default);
            }
        }

        return [.. taken.Take(MostListed).Select(message => new PoisonMessage(
            message.Id, message.InsertedAt, message.ExpiresAt, message.Body.Length, WordsOf(message.Body)))];
    }

    /// <summary>Puts what lies in the poison queue now back into its queue; answers how many.</summary>
    /// <exception cref="StoreException">The queue is not reached; what was put back so far stays.</exception>
    public async Task<long> RedriveAsync(string queue, CancellationToken cancellation = default)
    {
        var poison = BusLimits.PoisonQueue(queue);
        var there = await bus.CountAsync(poison, cancellation);
        for (var moved = 0L; ;)
        {
            var most = (int)Math.Min(BusLimits.MostReceived, there - moved);
            if (most == 0
                || await bus.ReceiveAsync(poison, most, Hidden, cancellation) is not { Count: > 0 } some)
            {
                return moved;
            }

            foreach (var message in some)
            {
                await bus.SendAsync(queue, message.Body, default, cancellation);
                await bus.CompleteAsync(poison, message, cancellation);
                moved++;
            }
        }
    }

    private static string WordsOf(ReadOnlyMemory<byte> body)
    {
        var bytes = body.Span;
        if (ClaimCheck.NameOf(bytes) is { } blob)
        {
            return $"a body in the blob {blob}";
        }

        if (BatchNotice.TryDecode(bytes, out var place))
        {
            return $"batch {place.Sequence} {place.Digest} is ordered";
        }

        if (SnapshotNotice.TryDecode(bytes, out var state))
        {
            return $"the state of block {state.Number} is staged, from part {state.Part} on";
        }

        if (Consortium.InboxMessage.WordsOf(body) is { } words)
        {
            return words;
        }

        if (bytes.Length > 0 && bytes[0] == (byte)'{' && ProofJob.TryRead(body, out _) is { } job)
        {
            return $"proof job {job.Job} of the circuit {job.Circuit}";
        }

        return ItemPacking.Unpack(body) is { Count: > 0 } items
            ? Transactions(items)
            : "no message of this program";
    }

    private static string Transactions(List<ReadOnlyMemory<byte>> items)
    {
        var words = new StringBuilder().Append(items.Count).Append(" tx");
        foreach (var item in items.Take(MostHashes))
        {
            words.Append(' ').Append(Keccak256.Hash(item.Span).ToString());
        }

        return words.Append(items.Count > MostHashes ? " …" : string.Empty).ToString();
    }
}
