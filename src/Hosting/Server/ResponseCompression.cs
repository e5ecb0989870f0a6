using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace SuperVm.Hosting.Server;

/// <summary>Compressed answers for clients that take them (RFC 9110, 12.5.3): br before gzip, fastest level.</summary>
internal static class ResponseCompression
{
    private const string Brotli = "br";
    private const string Gzip = "gzip";

    /// <summary>The coding that the client takes; null for none.</summary>
    internal static string? Choose(HttpRequest request)
    {
        var chosen = (Name: (string?)null, Weight: 0.0);
        foreach (var accepted in request.GetTypedHeaders().AcceptEncoding)
        {
            var weight = accepted.Quality ?? 1;
            var name = accepted.Value.Value switch
            {
                Brotli or "*" => Brotli,
                Gzip or "x-gzip" => Gzip,
                _ => null,
            };
            if (name is not null && (weight > chosen.Weight || (weight == chosen.Weight && name == Brotli)))
            {
                chosen = (name, weight);
            }
        }

        return chosen.Weight > 0 ? chosen.Name : null;
    }

    internal static async Task WriteAsync(HttpResponse response, string coding, ReadOnlyMemory<byte> bytes)
    {
        response.Headers.ContentEncoding = coding;
        response.Headers.Vary = "Accept-Encoding";
        await using Stream compressed = coding == Brotli
            ? new BrotliStream(response.Body, CompressionLevel.Fastest, leaveOpen: true)
            : new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await compressed.WriteAsync(bytes);
    }
}
