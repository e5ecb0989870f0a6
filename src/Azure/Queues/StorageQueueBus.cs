using System.Collections.Concurrent;
using System.Text;
using Azure;
using Azure.Storage;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Queues;

/// <summary>The message bus over Azure Storage Queues.</summary>
/// <remarks>
/// Bodies travel as base64, as the Functions host expects (<c>messageEncoding: base64</c>). A message whose text is not
/// base64 was not sent by this program: it goes to the poison queue as it is.
/// </remarks>
public sealed class StorageQueueBus : IMessageBus
{
    private readonly QueueServiceClient _service;
    private readonly CloudCounters _counters;
    private readonly ConcurrentDictionary<string, QueueClient> _queues = new();

    public StorageQueueBus(CloudSettings settings, CloudCounters counters)
    {
        settings.Require();
        _counters = counters;
        var options = settings.Carried(new QueueClientOptions { MessageEncoding = QueueMessageEncoding.None });
        _service = settings.StorageKey is { } key
            ? new(settings.QueueEndpoint, new StorageSharedKeyCredential(key.Account, key.Base64Key), options)
            : new(settings.QueueEndpoint, settings.Credential(), options);
    }

    /// <summary>Makes queues that are not there: for emulators, which no template deploys.</summary>
    public async Task CreateQueuesAsync(IReadOnlyList<string> queues, CancellationToken cancellation = default)
    {
        foreach (var queue in queues)
        {
            BusLimits.RequireQueue(queue);
            _counters.QueueOperation();
            await Client(queue).CreateIfNotExistsAsync(cancellationToken: cancellation);
        }
    }

    public async Task SendAsync(
        string queue, ReadOnlyMemory<byte> body, TimeSpan delay = default, CancellationToken cancellation = default)
    {
        BusLimits.RequireSend(queue, body.Length, delay);
        await SendTextAsync(queue, Convert.ToBase64String(body.Span), WholeSeconds(delay), cancellation);
    }

    public async Task<IReadOnlyList<BusMessage>> ReceiveAsync(
        string queue, int most, TimeSpan visibility, CancellationToken cancellation = default)
    {
        BusLimits.RequireReceive(queue, most, visibility);
        var received = await CallAsync(
            queue,
            async client => (await client.ReceiveMessagesAsync(most, WholeSeconds(visibility), cancellation)).Value,
            []);
        var messages = new List<BusMessage>(received.Length);
        foreach (var message in received)
        {
            if (Decode(message) is { } body)
            {
                messages.Add(Shape(message, body));
            }
            else if (BusLimits.IsPoisonQueue(queue))
            {
                // It is where it belongs; an operator sees it as it is.
                messages.Add(Shape(message, Encoding.UTF8.GetBytes(message.Body.ToString())));
            }
            else
            {
                await SendTextAsync(
                    BusLimits.PoisonQueue(queue), message.Body.ToString(), TimeSpan.Zero, cancellation);
                await DeleteAsync(queue, message.MessageId, message.PopReceipt, cancellation);
            }
        }

        return messages;
    }

    public async Task<BusMessage?> RenewAsync(
        string queue, BusMessage message, TimeSpan visibility, CancellationToken cancellation = default)
    {
        BusLimits.RequireSend(queue, 0, visibility);
        var text = Convert.ToBase64String(message.Body.Span);
        var receipt = await CallAsync<UpdateReceipt?>(
            queue,
            async client => await client.UpdateMessageAsync(
                message.Id, message.Receipt, text, WholeSeconds(visibility), cancellation),
            null);
        return receipt is null
            ? null
            : message with { Receipt = receipt.PopReceipt, NextVisibleAt = receipt.NextVisibleOn };
    }

    public Task<bool> CompleteAsync(string queue, BusMessage message, CancellationToken cancellation = default)
    {
        BusLimits.RequireQueue(queue);
        return DeleteAsync(queue, message.Id, message.Receipt, cancellation);
    }

    public async Task<long> CountAsync(string queue, CancellationToken cancellation = default)
    {
        BusLimits.RequireQueue(queue);
        return await CallAsync(
            queue,
            async client => (long)(await client.GetPropertiesAsync(cancellation)).Value.ApproximateMessagesCount,
            0L);
    }

    /// <summary>Puts text on a queue that is not base64, as a foreign program could.</summary>
    internal Task SendForeignAsync(string queue, string text) => SendTextAsync(queue, text, TimeSpan.Zero, default);

    private static TimeSpan WholeSeconds(TimeSpan time) => TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds));

    private static byte[]? Decode(QueueMessage message)
    {
        var text = message.Body.ToString();
        var bytes = new byte[text.Length / 4 * 3];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : null;
    }

    private static BusMessage Shape(QueueMessage message, byte[] body) => new(
        message.MessageId,
        body,
        message.PopReceipt,
        checked((int)message.DequeueCount),
        message.InsertedOn ?? DateTimeOffset.MinValue,
        message.ExpiresOn ?? DateTimeOffset.MaxValue,
        message.NextVisibleOn ?? DateTimeOffset.MinValue);

    private async Task SendTextAsync(string queue, string text, TimeSpan delay, CancellationToken cancellation)
    {
        try
        {
            await SendOrCreateAsync(Client(queue), text, delay, cancellation);
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Sending to {queue}", failure);
        }
    }

    private async Task SendOrCreateAsync(
        QueueClient client, string text, TimeSpan delay, CancellationToken cancellation)
    {
        try
        {
            _counters.QueueOperation();
            await client.SendMessageAsync(text, delay, BusLimits.TimeToLive, cancellation);
        }
        catch (RequestFailedException missing) when (IsNoQueue(missing))
        {
            _counters.QueueOperation();
            await client.CreateIfNotExistsAsync(cancellationToken: cancellation);
            _counters.QueueOperation();
            await client.SendMessageAsync(text, delay, BusLimits.TimeToLive, cancellation);
        }
    }

    private Task<bool> DeleteAsync(string queue, string id, string receipt, CancellationToken cancellation)
        => CallAsync(
            queue,
            async client =>
            {
                await client.DeleteMessageAsync(id, receipt, cancellation);
                return true;
            },
            false);

    /// <summary>
    /// Calls a queue; <paramref name="otherwise"/> where the queue, the message or the delivery is gone.
    /// </summary>
    private async Task<T> CallAsync<T>(string queue, Func<QueueClient, Task<T>> call, T otherwise)
    {
        try
        {
            _counters.QueueOperation();
            return await call(Client(queue));
        }
        catch (RequestFailedException gone) when (IsNoQueue(gone) || IsGone(gone))
        {
            return otherwise;
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Queue {queue}", failure);
        }
    }

    private static bool IsNoQueue(RequestFailedException failure)
        => CloudFailure.Is(failure, 404, QueueErrorCode.QueueNotFound.ToString());

    private static bool IsGone(RequestFailedException failure)
        => failure.ErrorCode == QueueErrorCode.MessageNotFound.ToString()
            || failure.ErrorCode == QueueErrorCode.PopReceiptMismatch.ToString();

    private QueueClient Client(string queue) => _queues.GetOrAdd(queue, _service.GetQueueClient);
}
