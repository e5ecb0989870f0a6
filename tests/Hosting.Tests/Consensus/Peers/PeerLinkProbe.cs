using SuperVm.Core.Consensus;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Tests.Consensus.Peers;

/// <summary>
/// A validator's key in wrong hands: opens sessions as the protocol says and sends whatever it is told.
/// </summary>
internal sealed class PeerLinkProbe(int number, int port)
{
    /// <summary>One session with one frame; false where the hello is refused.</summary>
    /// <param name="messages">The frame's messages.</param>
    /// <param name="first">The first one's number; the next one where left out.</param>
    /// <param name="isClosed">Whether the receiver is expected to hang up.</param>
    internal async Task<bool> SendAsync(List<byte[]> messages, ulong? first = null, bool isClosed = true)
    {
        var signer = new Secp256k1Signer(PeerEnd.KeyOf(number));
        using var key = PeerHello.NewKey();
        var hello = new PeerHello(
            PeerEnd.ChainId, signer.Address, PeerEnd.AddressOf(1), 1, PeerCodecs.None, PeerHello.PublicKey(key))
            .Seal(signer);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri($"http://127.0.0.1:{port}{PeerServer.Path}"));
        request.Headers.Connection.Add("Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", PeerServer.Protocol);
        request.Headers.TryAddWithoutValidation(PeerServer.HelloHeader, Convert.ToBase64String(hello));
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (answer.StatusCode != System.Net.HttpStatusCode.SwitchingProtocols)
        {
            return false;
        }

        var said = Convert.FromBase64String(answer.Headers.GetValues(PeerServer.HelloHeader).Single());
        Assert.True(PeerHello.TryOpenAnswer(said, hello, PeerEnd.AddressOf(1), out _, out var last, out var theirs));
        var (caller, _) = PeerHello.Ciphers(key, theirs, hello, said)!.Value;
        await using var stream = await answer.Content.ReadAsStreamAsync();
        await stream.WriteAsync(
            new PeerFrameWriter(caller, PeerCodec.None).Write(true, first ?? last + 1, 0, messages));
        // The server acknowledges, or closes what it cannot take.
        Assert.Equal(isClosed, await stream.ReadAsync(new byte[1]) == 0);
        return true;
    }
}
