using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Tests.Consensus.Peers;

public sealed class PeerHelloTests
{
    private static readonly Secp256k1Signer Caller = new(new UInt256(42).ToBigEndian());
    private static readonly Secp256k1Signer Other = new(new UInt256(43).ToBigEndian());

    [Fact]
    public void Both_ends_get_the_same_keys_and_frames_open_in_order_only()
    {
        using var near = PeerHello.NewKey();
        using var far = PeerHello.NewKey();
        var hello = Hello(near);
        Assert.True(PeerHello.TryOpen(hello, out var opened));
        Assert.Equal((7UL, Caller.Address, Other.Address, 5UL), (opened.ChainId, opened.From, opened.To, opened.Run));
        var answer = PeerHello.Answer(Other, hello, PeerCodec.Brotli, 9, PeerHello.PublicKey(far));
        Assert.True(PeerHello.TryOpenAnswer(
            answer, hello, Other.Address, out var codec, out var last, out var theirs));
        Assert.Equal((PeerCodec.Brotli, 9UL), (codec, last));
        var (seal, _) = PeerHello.Ciphers(near, theirs, hello, answer)!.Value;
        var (open, _) = PeerHello.Ciphers(far, opened.Key, hello, answer)!.Value;

        var (first, second) = (Sealed(seal, [1, 2, 3]), Sealed(seal, [4]));
        var plain = new byte[3];
        Assert.True(open.TryOpen(first.AsSpan(PeerCipher.LengthBytes), plain));
        Assert.Equal([1, 2, 3], plain);
        Assert.False(open.TryOpen(first.AsSpan(PeerCipher.LengthBytes), plain));
        Assert.NotEmpty(second);
    }

    [Fact]
    public void Any_changed_byte_and_every_other_length_of_a_hello_is_refused()
    {
        using var key = PeerHello.NewKey();
        var hello = Hello(key);
        for (var i = 0; i < hello.Length; i++)
        {
            hello[i] ^= 1;
            Assert.False(PeerHello.TryOpen(hello, out _), $"byte {i}");
            hello[i] ^= 1;
            Assert.False(PeerHello.TryOpen(hello.AsSpan(0, i), out _));
        }
    }

    [Fact]
    public void An_answer_is_good_for_its_hello_and_its_validator_only()
    {
        using var key = PeerHello.NewKey();
        var (hello, another) = (Hello(key), Hello(PeerHello.NewKey()));
        var answer = PeerHello.Answer(Other, hello, PeerCodec.None, 0, PeerHello.PublicKey(key));
        Assert.False(PeerHello.TryOpenAnswer(answer, another, Other.Address, out _, out _, out _));
        Assert.False(PeerHello.TryOpenAnswer(answer, hello, Caller.Address, out _, out _, out _));
        for (var i = 0; i < answer.Length; i++)
        {
            answer[i] ^= 1;
            Assert.False(PeerHello.TryOpenAnswer(answer, hello, Other.Address, out _, out _, out _), $"byte {i}");
            answer[i] ^= 1;
        }
    }

    [Fact]
    public void A_key_that_is_no_point_of_the_curve_is_refused()
    {
        using var key = PeerHello.NewKey();
        Assert.Null(PeerHello.Ciphers(key, new byte[64], [], []));
    }

    private static byte[] Hello(System.Security.Cryptography.ECDiffieHellman key) => new PeerHello(
        7, Caller.Address, Other.Address, 5, PeerCodecs.Brotli, PeerHello.PublicKey(key)).Seal(Caller);

    private static byte[] Sealed(PeerCipher cipher, byte[] plain)
    {
        var frame = new byte[PeerCipher.SealedBytes(plain.Length)];
        cipher.Seal(plain, frame);
        return frame;
    }
}
