using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Tests.Consensus.Peers;

/// <summary>Two ends over real connections.</summary>
public sealed class PeerLinkTests
{
    [Fact]
    public async Task Messages_arrive_once_and_in_order_though_connections_break()
    {
        await using var to = new PeerEnd(1, PeerEnd.Validators());
        await to.StartAsync();
        using var wire = new BrokenWire(to.Port);
        await using var from = new PeerEnd(0, PeerEnd.Validators(1, wire.Port));
        var transport = from.Network;
        for (var i = 0; i < 2_000; i++)
        {
            transport.Send([PeerEnd.AddressOf(1)], new FetchBlocks((ulong)i, 1), null);
            if (i % 500 == 250)
            {
                // Break in the middle of what is under way.
                await PeerEnd.UntilAsync(() => to.Reports.Any(report => report.IsHeard));
                wire.Break();
            }
        }

        var taken = await to.TakeAsync(2_000);
        Assert.Equal(Enumerable.Range(0, 2_000), taken.Select(e => (int)((FetchBlocks)e.Message).From));
        Assert.All(taken, e => Assert.Equal(PeerEnd.AddressOf(0), e.From));
        Assert.True(from.Reports.Single(report => report.Address == PeerEnd.AddressOf(1)).Reconnects > 0);
    }

    [Fact]
    public async Task A_peer_that_answers_has_a_round_trip_time_and_is_healthy_at_both_ends()
    {
        await using var to = new PeerEnd(1, PeerEnd.Validators());
        await to.StartAsync();
        await using var from = new PeerEnd(0, PeerEnd.Validators(1, to.Port));
        await PeerEnd.UntilAsync(() => from.Reports.Any(report => report.RoundTripMs is not null));
        Assert.Contains(from.Reports, report => report.Address == PeerEnd.AddressOf(1) && report.IsReached);
        Assert.Contains(to.Reports, report => report.Address == PeerEnd.AddressOf(0) && report.IsHeard);
    }

    [Fact]
    public async Task Strangers_other_chains_and_copies_of_a_hello_get_nothing()
    {
        await using var to = new PeerEnd(1, PeerEnd.Validators());
        await to.StartAsync();
        using var client = new HttpClient();
        using var key = PeerHello.NewKey();
        var stranger = new Secp256k1Signer(PeerEnd.KeyOf(9));
        var known = new Secp256k1Signer(PeerEnd.KeyOf(0));
        byte[] Hello(Secp256k1Signer signer, ulong chain) => new PeerHello(
            chain, signer.Address, PeerEnd.AddressOf(1), 1, PeerCodecs.None, PeerHello.PublicKey(key)).Seal(signer);
        Assert.Equal(HttpStatusCode.Forbidden, await KnockAsync(Hello(stranger, PeerEnd.ChainId)));
        Assert.Equal(HttpStatusCode.Forbidden, await KnockAsync(Hello(known, 8)));
        Assert.Equal(HttpStatusCode.BadRequest, await KnockAsync([1, 2, 3]));
        Assert.Equal(HttpStatusCode.BadRequest, await KnockAsync(new byte[5_000]));

        // Whoever copies a hello is answered, but a session begins with a frame, which needs the keys.
        Assert.Equal(HttpStatusCode.SwitchingProtocols, await KnockAsync(Hello(known, PeerEnd.ChainId)));
        Assert.DoesNotContain(to.Reports, report => report.IsHeard);

        async Task<HttpStatusCode> KnockAsync(byte[] hello)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, new Uri($"http://127.0.0.1:{to.Port}{PeerServer.Path}"));
            request.Headers.Connection.Add("Upgrade");
            request.Headers.TryAddWithoutValidation("Upgrade", PeerServer.Protocol);
            request.Headers.TryAddWithoutValidation(PeerServer.HelloHeader, Convert.ToBase64String(hello));
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Who_sends_what_cannot_be_decoded_is_scored_and_then_muted()
    {
        await using var to = new PeerEnd(1, PeerEnd.Validators());
        await to.StartAsync();
        var junk = new PeerLinkProbe(0, to.Port);
        var rounds = 0;
        while (await junk.SendAsync([[99, 99, 99]]))
        {
            Assert.True(++rounds < 100);
        }

        var report = to.Reports.Single(entry => entry.Address == PeerEnd.AddressOf(0));
        Assert.True(report.IsMuted);
        Assert.True(report.Dropped[(int)DropReason.Malformed] >= PeerBook.MuteScore / 20);
    }

    [Fact]
    public async Task Messages_that_come_again_and_too_long_ones_are_counted_by_their_reason()
    {
        await using var to = new PeerEnd(1, PeerEnd.Validators());
        await to.StartAsync();
        var probe = new PeerLinkProbe(0, to.Port);
        var question = MessageCodec.Encode(new FetchBlocks(1, 1));
        await probe.SendAsync([question, question, [99]]);
        await probe.SendAsync([question, question, [99]], first: 1);
        await probe.SendAsync([new byte[Limits.MessageBytes + 1]]);
        var report = to.ReportOf(0);
        Assert.Equal(2, report.Dropped[(int)DropReason.Malformed]);
        Assert.Equal(1, report.Dropped[(int)DropReason.Oversized]);
        Assert.Equal(3 * 20, report.Score);
    }

    [Fact]
    public async Task A_message_that_was_taken_is_not_taken_again()
    {
        await using var to = new PeerEnd(1, PeerEnd.Validators());
        await to.StartAsync();
        var probe = new PeerLinkProbe(0, to.Port);
        var question = MessageCodec.Encode(new FetchBlocks(1, 1));
        await probe.SendAsync([question, question], isClosed: false);
        await to.TakeAsync(2);
        await probe.SendAsync([question, question], first: 1, isClosed: false);
        await PeerEnd.UntilAsync(() => to.ReportOf(0).Dropped[(int)DropReason.Repeated] == 2);
        Assert.Equal(0, to.ReportOf(0).Score);
    }

    [Fact]
    public async Task A_flood_from_one_peer_does_not_starve_the_others()
    {
        await using var to = new PeerEnd(1, PeerEnd.Validators());
        await to.StartAsync();
        await using var flooder = new PeerEnd(0, PeerEnd.Validators(1, to.Port));
        await using var honest = new PeerEnd(2, PeerEnd.Validators(1, to.Port));
        var flood = flooder.Network;
        for (var i = 0; i < 30_000; i++)
        {
            flood.Send([PeerEnd.AddressOf(1)], new FetchBlocks((ulong)i, 1), null);
        }

        // Its queue is full, and it is not read from any more.
        await PeerEnd.UntilAsync(() => to.ReportOf(0).Received.Messages > 4_096);
        honest.Network.Send([PeerEnd.AddressOf(1)], new FetchBlocks(77, 1), null);
        await PeerEnd.UntilAsync(() => to.ReportOf(2).Received.Messages == 1);
        var taken = await to.TakeAsync(4);
        Assert.Contains(taken, e => e.From == PeerEnd.AddressOf(2));
    }

    [Fact]
    public async Task With_a_pinned_certificate_only_its_holder_is_spoken_to()
    {
        using var certificate = SelfSigned();
        await using var to = new PeerEnd(
            1, PeerEnd.Validators(), options => options with { Certificate = certificate });
        await to.StartAsync();
        await using var right = new PeerEnd(0, Pinned(SHA256.HashData(certificate.RawData)));
        await using var wrong = new PeerEnd(2, Pinned(new byte[32]));
        wrong.Network.Send([PeerEnd.AddressOf(1)], new FetchBlocks(1, 1), null);
        right.Network.Send([PeerEnd.AddressOf(1)], new FetchBlocks(2, 1), null);
        Assert.Equal(PeerEnd.AddressOf(0), Assert.Single(await to.TakeAsync(1)).From);
        Assert.DoesNotContain(wrong.Reports, report => report.IsReached);

        List<ValidatorPeer> Pinned(byte[] pin)
        {
            var validators = PeerEnd.Validators();
            validators[1] = validators[1] with
            {
                Url = new Uri($"https://127.0.0.1:{to.Port}"), CertificateSha256 = pin,
            };
            return validators;
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=validator", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Passes bytes on to a port until it is broken; then the next connection is a new one.</summary>
    private sealed class BrokenWire : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<Socket> _sockets = [];
        private readonly int _target;

        internal BrokenWire(int target)
        {
            _target = target;
            _listener.Start();
            _ = AcceptAsync();
        }

        internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        internal void Break()
        {
            lock (_sockets)
            {
                _sockets.ForEach(socket => socket.Dispose());
                _sockets.Clear();
            }
        }

        public void Dispose()
        {
            _listener.Stop();
            Break();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var near = await _listener.AcceptSocketAsync();
                    var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    await far.ConnectAsync(IPAddress.Loopback, _target);
                    lock (_sockets)
                    {
                        _sockets.AddRange([near, far]);
                    }

                    _ = PumpAsync(near, far);
                    _ = PumpAsync(far, near);
                }
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private static async Task PumpAsync(Socket from, Socket to)
        {
            var buffer = new byte[16_384];
            try
            {
                while (await from.ReceiveAsync(buffer) is > 0 and var got)
                {
                    await to.SendAsync(buffer.AsMemory(0, got));
                }
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException)
            {
                // The wire was cut.
            }
        }
    }
}
