using System.Net.Http.Json;
using System.Text.Json;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Commands;

/// <summary>What a node answered: a result, or an error's message with its data.</summary>
internal readonly record struct RpcAnswer(JsonElement? Result, string Message, byte[]? Data);

/// <summary>Asks a node over JSON-RPC.</summary>
/// <remarks>
/// A node that is not open to everybody is shown the key in the environment variable <see cref="KeyVariable"/>; over a
/// connection that others may read, none is shown.
/// </remarks>
internal sealed class RpcClient(HttpClient client, Uri url)
{
    internal const string KeyVariable = Azure.CloudNames.Settings.RpcKey;

    /// <summary>A result, or the error that the node answers with.</summary>
    /// <exception cref="InvalidConfigurationException">Nobody answers there, or not in JSON-RPC.</exception>
    internal async Task<RpcAnswer> AskAsync(
        string method, CancellationToken cancellation, params object[] parameters)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url)
            {
                Content = JsonContent.Create(new { jsonrpc = "2.0", id = 1, method, @params = parameters }),
            };
            if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key
                && (url.Scheme == Uri.UriSchemeHttps || url.IsLoopback))
            {
                request.Headers.Authorization = new("Bearer", key.Trim());
            }

            using var answer = await client.SendAsync(request, cancellation);
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            if (body.TryGetProperty("result", out var result))
            {
                return new RpcAnswer(result, string.Empty, null);
            }

            var error = body.GetProperty("error");
            var data = error.TryGetProperty("data", out var text) && text.ValueKind == JsonValueKind.String
                && Hex.TryDecode(text.GetString()!, out var bytes) ? bytes : null;
            return new RpcAnswer(null, error.GetProperty("message").GetString() ?? "an error", data);
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or KeyNotFoundException
            or InvalidOperationException)
        {
            throw new InvalidConfigurationException($"{url} does not answer {method}: {failure.Message}");
        }
    }

    /// <summary>A number.</summary>
    /// <exception cref="InvalidConfigurationException">The node answers something else.</exception>
    internal async Task<UInt256> QuantityAsync(
        string method, CancellationToken cancellation, params object[] parameters)
    {
        var answer = await AskAsync(method, cancellation, parameters);
        return answer.Result is { ValueKind: JsonValueKind.String } text
            && UInt256.TryParse(text.GetString(), out var number)
            ? number
            : throw new InvalidConfigurationException($"{url} answers {method} with {Said(answer)}");
    }

    /// <summary>Bytes.</summary>
    /// <exception cref="InvalidConfigurationException">The node answers something else.</exception>
    internal async Task<byte[]> BytesAsync(
        string method, CancellationToken cancellation, params object[] parameters)
    {
        var answer = await AskAsync(method, cancellation, parameters);
        return answer.Result is { ValueKind: JsonValueKind.String } text
            && Hex.TryDecode(text.GetString()!, out var bytes)
            ? bytes
            : throw new InvalidConfigurationException($"{url} answers {method} with {Said(answer)}");
    }

    private static string Said(in RpcAnswer answer) => answer.Result?.ToString() ?? answer.Message;
}
