using System.Security.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>secp256k1 in C# alone, for machines without libsecp256k1.</summary>
internal sealed class ManagedSecp256k1 : ISecp256k1Backend
{
    /// <summary>Nonces tried for one signature; already the second is never needed in practice (2^-127).</summary>
    private const int NonceLimit = 16;

    public string Description => "secp256k1: managed code (libsecp256k1 not found; Debian package libsecp256k1-1)";

    public bool TryRecover(in Hash256 message, in UInt256 r, in UInt256 s, bool odd, Span<byte> publicKey64)
    {
        if (!SecpAffine.TryFromX(r, odd, out var point))
        {
            return false;
        }

        // Q = (s R - m G) / r
        var inverse = SecpScalar.InvertFast(r);
        var m = SecpScalar.Reduce(UInt256.FromBigEndian(message.Bytes));
        var u1 = SecpScalar.Multiply(SecpScalar.Negate(m), inverse);
        var u2 = SecpScalar.Multiply(s, inverse);
        var key = SecpMultiplication.Sum(u1, u2, point);
        if (key.IsInfinity)
        {
            return false;
        }

        key.ToAffine().Write(publicKey64);
        return true;
    }

    public bool Verify(in Hash256 message, in UInt256 r, in UInt256 s, ReadOnlySpan<byte> publicKey64)
    {
        if (!SecpAffine.TryRead(publicKey64, out var key))
        {
            return false;
        }

        var inverse = SecpScalar.InvertFast(s);
        var m = SecpScalar.Reduce(UInt256.FromBigEndian(message.Bytes));
        var u1 = SecpScalar.Multiply(m, inverse);
        var u2 = SecpScalar.Multiply(r, inverse);
        var sum = SecpMultiplication.Sum(u1, u2, key);
        return !sum.IsInfinity && SecpScalar.Reduce(sum.ToAffine().X.ToUInt256()) == r;
    }

    public Secp256k1Signature Sign(in Hash256 message, ReadOnlySpan<byte> privateKey32)
    {
        var m = SecpScalar.Reduce(UInt256.FromBigEndian(message.Bytes));
        var key = UInt256.FromBigEndian(privateKey32);
        var nonces = new NonceSource(m, privateKey32);
        for (var i = 0; i < NonceLimit; i++)
        {
            var nonce = nonces.Next();
            if (SecpScalar.IsInRange(nonce) && TrySign(m, key, nonce, out var signature))
            {
                return signature;
            }
        }

        throw new CryptographicException("No usable nonce came out of RFC 6979.");
    }

    public void WritePublicKey(ReadOnlySpan<byte> privateKey32, Span<byte> publicKey64) =>
        SecpGenerator.Multiply(UInt256.FromBigEndian(privateKey32)).Write(publicKey64);

    /// <summary>
    /// False where r or s would be zero, or where r does not tell the point's x (above n): another nonce, then.
    /// </summary>
    private static bool TrySign(in UInt256 m, in UInt256 key, in UInt256 nonce, out Secp256k1Signature signature)
    {
        signature = default;
        var point = SecpGenerator.Multiply(nonce);
        var r = point.X.ToUInt256();
        if (!SecpScalar.IsInRange(r))
        {
            return false;
        }

        var s = SecpScalar.Multiply(SecpScalar.Invert(nonce), SecpScalar.Add(m, SecpScalar.Multiply(r, key)));
        if (s.IsZero)
        {
            return false;
        }

        var odd = point.Y.IsOdd;
        if (s > SecpScalar.HalfOrder)
        {
            (s, odd) = (SecpScalar.Negate(s), !odd);
        }

        signature = new Secp256k1Signature(r, s, odd ? (byte)1 : (byte)0);
        return true;
    }

    /// <summary>The deterministic nonces of RFC 6979, section 3.2, with HMAC-SHA-256.</summary>
    private sealed class NonceSource
    {
        private readonly byte[] _k = new byte[32];
        private readonly byte[] _v = new byte[32];
        private bool _started;

        internal NonceSource(in UInt256 message, ReadOnlySpan<byte> privateKey32)
        {
            Array.Fill(_v, (byte)0x01);
            Span<byte> input = stackalloc byte[97];
            privateKey32.CopyTo(input[33..]);
            message.WriteBigEndian(input[65..]);
            for (byte round = 0; round < 2; round++)
            {
                _v.CopyTo(input);
                input[32] = round;
                HMACSHA256.HashData(_k, input, _k);
                HMACSHA256.HashData(_k, _v, _v);
            }

            input.Clear();
        }

        internal UInt256 Next()
        {
            if (_started)
            {
                Span<byte> input = stackalloc byte[33];
                _v.CopyTo(input);
                input[32] = 0;
                HMACSHA256.HashData(_k, input, _k);
                HMACSHA256.HashData(_k, _v, _v);
            }

            _started = true;
            HMACSHA256.HashData(_k, _v, _v);
            return UInt256.FromBigEndian(_v);
        }
    }
}
