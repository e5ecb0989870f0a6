using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;

namespace SuperVm.Azure.Tables;

/// <summary>Signs requests to an emulated table service with its key.</summary>
/// <remarks>
/// Shared Key Lite of the Table service: HMAC-SHA256 over <c>date LF / account path</c>, both as they are sent
/// (Microsoft Learn, "Authorize with Shared Key").
/// </remarks>
internal sealed class SharedKeyLitePolicy(EmulatorKey key, TimeProvider clock) : HttpPipelineSynchronousPolicy
{
    private readonly byte[] _secret = Convert.FromBase64String(key.Base64Key);

    public override void OnSendingRequest(HttpMessage message)
    {
        var date = clock.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        message.Request.Headers.SetValue("x-ms-date", date);
        var path = message.Request.Uri.ToUri().AbsolutePath;
        var signature = HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{date}\n/{key.Account}{path}"));
        message.Request.Headers.SetValue(
            "Authorization", $"SharedKeyLite {key.Account}:{Convert.ToBase64String(signature)}");
    }
}
