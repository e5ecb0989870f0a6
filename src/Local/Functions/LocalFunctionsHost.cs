using SuperVm.Core.Storage;

namespace SuperVm.Local.Functions;

/// <summary>Runs one function app as the Functions host does: starts its handler and drives it.</summary>
/// <remarks>
/// Of several instances each has a handler and looks at the queues itself; HTTP requests are dealt out in turn, and the
/// first instance has the timers.
/// For machines without Core Tools; where they are, <c>func start</c> in the same folder does the same. The bus is
/// handed in: the one of the process, or an emulator's.
/// </remarks>
public sealed class LocalFunctionsHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HandlerProcess[] _handlers;
    private readonly HandlerClient[] _clients;
    private readonly HttpFront? _front;
    private readonly Task _listeners;

    private LocalFunctionsHost(
        FunctionApp app, IMessageBus bus, LocalHostOptions options, HandlerProcess[] handlers, HttpFront? front)
    {
        _handlers = handlers;
        _front = front;
        _clients = [.. handlers.Select(handler => new HandlerClient(app, handler, bus, options))];
        _listeners = Task.WhenAll(app.Functions.SelectMany(function => function.Kind switch
        {
            TriggerKind.Queue => Enumerable.Range(0, handlers.Length).Select(
                instance => ListenAsync(function, app, bus, options, instance)),
            TriggerKind.Timer => [TimeAsync(function, options)],
            _ => [],
        }));
    }

    /// <summary>Where the HTTP triggers are; null where the app has none.</summary>
    public Uri? Address => _front?.Address;

    /// <summary>Handler processes started so far.</summary>
    public int HandlerStarts => _handlers.Sum(handler => handler.Starts);

    /// <summary>The first instance's handler process; null while none runs.</summary>
    public int? HandlerProcessId => _handlers[0].ProcessId;

    /// <summary>The handlers' processes by instance; null where none runs.</summary>
    public IReadOnlyList<int?> HandlerProcessIds => [.. _handlers.Select(handler => handler.ProcessId)];

    /// <summary>The first handler's own address as soon as it is ready, past the triggers.</summary>
    public Task<Uri> HandlerAsync(CancellationToken cancellation = default) => _handlers[0].ReadyAsync(cancellation);

    /// <summary>All handlers' own addresses as soon as they are ready.</summary>
    public Task<Uri[]> HandlersAsync(CancellationToken cancellation = default) =>
        Task.WhenAll(_handlers.Select(handler => handler.ReadyAsync(cancellation)));

    /// <summary>Ends with the reason when the first handler is started no more; listening has ended with it.</summary>
    public Task<string> Stopped => _handlers[0].Stopped;

    /// <summary>Starts the handlers and the triggers.</summary>
    /// <exception cref="FunctionAppException">The HTTP port cannot be bound.</exception>
    public static async Task<LocalFunctionsHost> StartAsync(
        FunctionApp app, IMessageBus bus, LocalHostOptions options, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Instances, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Instances, LocalHostOptions.MostInstances);
        HandlerProcess[] handlers = [.. Enumerable.Range(0, options.Instances).Select(
            instance => new HandlerProcess(app, options, instance))];
        try
        {
            var front = app.Functions.Any(function => function.Kind == TriggerKind.Http)
                ? await HttpFront.StartAsync(app, handlers, options, cancellation)
                : null;
            return new(app, bus, options, handlers, front);
        }
        catch (Exception failure)
        {
            await Task.WhenAll(handlers.Select(handler => handler.DisposeAsync().AsTask()));
            throw failure is IOException ? new FunctionAppException(failure.Message) : failure;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_handlers.Select(handler => handler.DisposeAsync().AsTask()));
        await _listeners;
        if (_front is not null)
        {
            await _front.DisposeAsync();
        }

        foreach (var client in _clients)
        {
            client.Dispose();
        }

        _stop.Dispose();
    }

    private async Task ListenAsync(
        FunctionDefinition function, FunctionApp app, IMessageBus bus, LocalHostOptions options, int instance)
    {
        // Messages are taken only while there is somebody to handle them.
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var listener = new QueueListener(function, app.Host.Queues, bus, _clients[instance], options);
        var run = listener.RunAsync(listening.Token);
        await Task.WhenAny(run, _handlers[instance].Stopped);
        await listening.CancelAsync();
        await run;
    }

    /// <summary>Of several instances one runs the timers.</summary>
    private async Task TimeAsync(FunctionDefinition function, LocalHostOptions options)
    {
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var run = new TimerListener(function, _clients[0], options).RunAsync(listening.Token);
        await Task.WhenAny(run, _handlers[0].Stopped);
        await listening.CancelAsync();
        await run;
    }
}
