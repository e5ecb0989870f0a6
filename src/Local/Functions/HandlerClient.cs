using System.Net.Http.Headers;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Functions;

/// <summary>Invokes functions: posts the invocation, reads the answer, sends the outputs.</summary>
internal sealed class HandlerClient(
    FunctionApp app, HandlerProcess handler, IMessageBus bus, LocalHostOptions options) : IDisposable
{
    /// <summary>What the host calls itself.</summary>
    internal const string HostVersion = "4.1041.200";

    /// <summary>An answer of a handler, in bytes.</summary>
    internal const int MostAnswerBytes = 64 * 1024 * 1024;

    private readonly HttpClient _client = new()
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = MostAnswerBytes,
    };

    /// <summary>Null where the invocation is done and its outputs are sent, else why not.</summary>
    internal async Task<string?> InvokeAsync(
        FunctionDefinition function, byte[] invocation, Guid id, CancellationToken cancellation)
    {
        var failure = await TryAsync(function, invocation, id, cancellation);
        if (failure is not null)
        {
            options.Log($"{function.Name} {id} failed: {failure}");
        }

        options.Observe(new(function.Name, failure));
        return failure;
    }

    public void Dispose() => _client.Dispose();

    private async Task<string?> TryAsync(
        FunctionDefinition function, byte[] invocation, Guid id, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(app.Host.FunctionTimeout);
        Uri? address = null;
        try
        {
            address = await handler.ReadyAsync(patience.Token);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, function.Name));
            request.Content = new ByteArrayContent(invocation);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/json; charset=utf-8");
            request.Headers.Add("X-Azure-Functions-InvocationId", id.ToString());
            request.Headers.Add("X-Azure-Functions-HostVersion", HostVersion);
            request.Headers.UserAgent.Add(new("Azure-Functions-Host", HostVersion));
            using var answer = await _client.SendAsync(request, patience.Token);
            if (!answer.IsSuccessStatusCode)
            {
                return $"the handler answered {(int)answer.StatusCode}";
            }

            var body = await answer.Content.ReadAsByteArrayAsync(patience.Token);
            if (InvocationCodec.Outputs(function, body, options.Log) is not { } outputs)
            {
                return "the answer is no JSON object; a handler that has nothing to say answers {}";
            }

            foreach (var (queue, output) in outputs)
            {
                await bus.SendAsync(queue, output, default, cancellation);
            }

            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            if (address is not null)
            {
                handler.Restart(address);
                await handler.AfterBreakAsync(cancellation);
            }

            return $"it took longer than {app.Host.FunctionTimeout}; the handler is started anew";
        }
        catch (HttpRequestException failure)
        {
            await handler.AfterBreakAsync(cancellation);
            return failure.Message;
        }
        catch (Exception failure) when (
            failure is FunctionAppException or StoreException or ArgumentException)
        {
            return failure.Message;
        }
    }
}
