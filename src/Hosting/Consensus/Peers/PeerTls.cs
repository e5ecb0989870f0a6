using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>
/// TLS to peers whose URL says https: a pinned certificate, an authority of one's own, or the system's.
/// </summary>
/// <remarks>
/// The frames are sealed anyway; TLS is for networks that want it on the outside. A pinned certificate is compared by
/// SHA-256 and nothing else; with an authority the chain must end at it and the name must fit.
/// </remarks>
internal static class PeerTls
{
    internal static SocketsHttpHandler HandlerOf(ValidatorPeer peer, ValidatorOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(1), UseProxy = false, AllowAutoRedirect = false,
            UseCookies = false,
        };
        if (peer.CertificateSha256 is { } pin)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is not null && CryptographicOperations.FixedTimeEquals(
                    SHA256.HashData(certificate.GetRawCertData()), pin);
        }
        else if (options.Authority is { } authority)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority },
                RevocationMode = X509RevocationMode.NoCheck,
            };
        }

        return handler;
    }
}
