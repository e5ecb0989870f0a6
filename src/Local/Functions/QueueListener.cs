using SuperVm.Core.Storage;

namespace SuperVm.Local.Functions;

/// <summary>A queue trigger: takes messages, invokes the function, completes or gives back or puts aside.</summary>
/// <remarks>
/// <code>
/// delivered more than MaxDequeueCount times ──▶ poison queue, not invoked
/// done ──▶ completed      failed ──▶ visible again after VisibilityTimeout; at MaxDequeueCount ──▶ poison queue
/// </code>
/// While a message is handled, its hiding is renewed after half of its time. More messages are taken when no more than
/// NewBatchThreshold are being handled.
/// </remarks>
internal sealed class QueueListener(
    FunctionDefinition function,
    QueueSettings settings,
    IMessageBus bus,
    HandlerClient client,
    LocalHostOptions options)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    /// <summary>Looks for messages until it is cancelled; ends when the last one is handled.</summary>
    internal async Task RunAsync(CancellationToken cancellation)
    {
        var pauses = new PollBackOff(settings.MaxPollingInterval, Random.Shared.NextDouble);
        try
        {
            while (true)
            {
                await BelowThresholdAsync(cancellation);
                if (await TakeAsync(cancellation))
                {
                    pauses.Found();
                }
                else
                {
                    await Task.Delay(pauses.Empty(), options.Clock, cancellation);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await Task.WhenAll(Running());
        }
    }

    private async Task<bool> TakeAsync(CancellationToken cancellation)
    {
        IReadOnlyList<BusMessage> messages;
        try
        {
            messages = await bus.ReceiveAsync(function.Source, settings.BatchSize, options.Visibility, cancellation);
        }
        catch (StoreException failure)
        {
            options.Log($"{function.Name}: {failure.Message}");
            return false;
        }

        foreach (var message in messages)
        {
            var task = HandleAsync(message, cancellation);
            lock (_gate)
            {
                _running.Add(task);
            }
        }

        return messages.Count > 0;
    }

    private async Task BelowThresholdAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var running = Running();
            if (running.Length <= settings.NewBatchThreshold)
            {
                return;
            }

            await Task.WhenAny(running).WaitAsync(cancellation);
        }
    }

    private Task[] Running()
    {
        lock (_gate)
        {
            _running.RemoveWhere(task => task.IsCompleted);
            return [.. _running];
        }
    }

    private async Task HandleAsync(BusMessage message, CancellationToken cancellation)
    {
        try
        {
            if (message.DequeueCount > settings.MaxDequeueCount)
            {
                await bus.DeadLetterAsync(function.Source, message, cancellation);
                return;
            }

            using var handled = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var renewing = RenewAsync(message, handled.Token);
            var id = Guid.NewGuid();
            var invocation = InvocationCodec.Queue(function, message, options.Clock.GetUtcNow(), Guid.NewGuid());
            var failure = await client.InvokeAsync(function, invocation, id, cancellation);
            await handled.CancelAsync();
            await EndAsync(await renewing, failure is null, cancellation);
        }
        catch (StoreException failure)
        {
            // The message comes again when its hiding ends.
            options.Log($"{function.Name}: {failure.Message}");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            options.Log($"{function.Name}: {message.Id} is given up, the host stops");
        }
    }

    private async Task EndAsync(BusMessage last, bool done, CancellationToken cancellation)
    {
        if (done)
        {
            await bus.CompleteAsync(function.Source, last, cancellation);
        }
        else if (last.DequeueCount >= settings.MaxDequeueCount)
        {
            await bus.DeadLetterAsync(function.Source, last, cancellation);
        }
        else
        {
            await bus.RenewAsync(function.Source, last, settings.VisibilityTimeout, cancellation);
        }
    }

    /// <summary>Renews until it is told that the message is handled; answers the last delivery's receipt.</summary>
    private async Task<BusMessage> RenewAsync(BusMessage message, CancellationToken handled)
    {
        while (true)
        {
            try
            {
                await Task.Delay(options.Visibility / 2, options.Clock, handled);
            }
            catch (OperationCanceledException)
            {
                return message;
            }

            try
            {
                if (await bus.RenewAsync(function.Source, message, options.Visibility, default) is not { } renewed)
                {
                    return message;
                }

                message = renewed;
            }
            catch (StoreException failure)
            {
                options.Log($"{function.Name}: {message.Id} was not renewed: {failure.Message}");
            }
        }
    }
}
