using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Proving;

/// <summary>
/// Takes proof jobs off the queue itself: in a development node, and in a container that no Functions host drives.
/// </summary>
/// <remarks>
/// A message is renewed while its proof is made. Malformed ones, and those delivered more than
/// <see cref="MostDeliveries"/> times, go to the poison queue. An empty queue is looked at less and less often.
/// </remarks>
public sealed class ProofWorker : IAsyncDisposable
{
    public const int MostDeliveries = 10;

    private static readonly TimeSpan Visibility = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    private readonly RolePorts _ports;
    private readonly ProofService _service;
    private readonly TimeSpan _longestPause;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <param name="ports">The queue.</param>
    /// <param name="service">Does the jobs; it stays the caller's.</param>
    /// <param name="longestPause">Between looks at an empty queue.</param>
    public ProofWorker(RolePorts ports, ProofService service, TimeSpan longestPause)
    {
        (_ports, _service, _longestPause) = (ports, service, longestPause);
        _loop = Task.Run(LoopAsync);
    }

    private async Task LoopAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var messages = await _ports.Bus.ReceiveAsync(_ports.Names.Proofs, 1, Visibility, _stop.Token);
                if (messages.Count > 0)
                {
                    await DoAsync(messages[0]);
                    pause = FirstPause;
                    continue;
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                _ports.Log($"the proof queue: {failure.Message}");
            }

            await Task.Delay(pause, _ports.Clock, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < _longestPause ? pause * 2 : _longestPause;
        }
    }

    private async Task DoAsync(BusMessage message)
    {
        var queue = _ports.Names.Proofs;
        if (message.DequeueCount > MostDeliveries)
        {
            await _ports.Bus.DeadLetterAsync(queue, message, _stop.Token);
            return;
        }

        using var renewing = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var renewal = RenewAsync(message, renewing.Token);
        var end = RoleEnd.Again;
        try
        {
            end = await _service.ProveAsync(message.Body, _stop.Token);
        }
        finally
        {
            await renewing.CancelAsync();
            message = await renewal;
            if (end == RoleEnd.Again)
            {
                await _ports.Bus.RenewAsync(queue, message, TimeSpan.FromSeconds(1));
            }
        }

        if (end == RoleEnd.Malformed)
        {
            _ports.Log($"proof message {message.Id} has no sense: to the poison queue");
            await _ports.Bus.DeadLetterAsync(queue, message, _stop.Token);
        }
        else if (end == RoleEnd.Done)
        {
            await _ports.Bus.CompleteAsync(queue, message, _stop.Token);
        }
    }

    /// <summary>Hides the message as long as it is worked at; answers its last receipt.</summary>
    private async Task<BusMessage> RenewAsync(BusMessage message, CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(Renewal, _ports.Clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                return message;
            }

            message = await _ports.Bus.RenewAsync(_ports.Names.Proofs, message, Visibility, CancellationToken.None)
                ?? message;
        }
    }

    /// <summary>Ends the loop; a proof under way is given back to the queue.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }
}
