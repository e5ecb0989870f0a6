using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>The binding to libsecp256k1 (bitcoin-core/secp256k1) with its recovery module.</summary>
/// <remarks>
/// One context is made at start and never changed or freed; the library allows any number of threads to use such a
/// context at once. The opaque objects of the library (keys and signatures) live on the caller's stack.
/// </remarks>
internal sealed unsafe partial class NativeSecp256k1 : ISecp256k1Backend
{
    private const string Library = "secp256k1";

    /// <summary>SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY, which every release understands.</summary>
    private const uint SignAndVerify = 0x0301;

    /// <summary>SECP256K1_EC_UNCOMPRESSED.</summary>
    private const uint Uncompressed = 2;

    private const int KeySize = 64;
    private const int SignatureSize = 64;
    private const int RecoverableSize = 65;
    private const int EncodedKeySize = 65;

    private static readonly string[] FileNames =
    [
        "libsecp256k1.so.1", "libsecp256k1.so.2", "libsecp256k1.so.6", "libsecp256k1.so.5", "libsecp256k1.so",
        "libsecp256k1.so.0", "libsecp256k1.dylib", "libsecp256k1-2.dll", "libsecp256k1.dll", "secp256k1.dll",
    ];

    private readonly nint _context;

    private NativeSecp256k1(nint context, string fileName)
    {
        _context = context;
        Description = $"secp256k1: native code ({fileName})";
    }

    public string Description { get; }

    /// <summary>The backend, or null where no library with the recovery module is installed.</summary>
    internal static NativeSecp256k1? TryCreate()
    {
        foreach (var fileName in FileNames)
        {
            if (!NativeLibrary.TryLoad(fileName, Assembly.GetExecutingAssembly(), null, out var handle))
            {
                continue;
            }

            if (!NativeLibrary.TryGetExport(handle, "secp256k1_ecdsa_recover", out _))
            {
                NativeLibrary.Free(handle);
                continue;
            }

            // The runtime asks here after its own search for "secp256k1", which does not know versioned names.
            var loader = AssemblyLoadContext.GetLoadContext(Assembly.GetExecutingAssembly())!;
            loader.ResolvingUnmanagedDll += (_, name) => name == Library ? handle : 0;
            var context = ContextCreate(SignAndVerify);
            return context == 0 ? null : new NativeSecp256k1(context, fileName);
        }

        return null;
    }

    public bool TryRecover(in Hash256 message, in UInt256 r, in UInt256 s, bool odd, Span<byte> publicKey64)
    {
        var compact = stackalloc byte[64];
        WriteCompact(r, s, compact);
        var signature = stackalloc byte[RecoverableSize];
        var key = stackalloc byte[KeySize];
        fixed (byte* digest = message.Bytes)
        {
            if (ParseRecoverable(_context, signature, compact, odd ? 1 : 0) != 1
                || Recover(_context, key, signature, digest) != 1)
            {
                return false;
            }
        }

        WriteKey(key, publicKey64);
        return true;
    }

    public bool Verify(in Hash256 message, in UInt256 r, in UInt256 s, ReadOnlySpan<byte> publicKey64)
    {
        var compact = stackalloc byte[64];
        WriteCompact(r, s, compact);
        var encoded = stackalloc byte[EncodedKeySize];
        encoded[0] = 0x04;
        publicKey64.CopyTo(new Span<byte>(encoded + 1, 64));
        var key = stackalloc byte[KeySize];
        var signature = stackalloc byte[SignatureSize];
        if (ParseKey(_context, key, encoded, EncodedKeySize) != 1
            || ParseCompact(_context, signature, compact) != 1)
        {
            return false;
        }

        // The library's verification refuses a high s, which ECDSA itself does not.
        Normalize(_context, signature, signature);
        fixed (byte* digest = message.Bytes)
        {
            return Verify(_context, signature, digest, key) == 1;
        }
    }

    public Secp256k1Signature Sign(in Hash256 message, ReadOnlySpan<byte> privateKey32)
    {
        // RFC 6979 feeds the nonce with the digest modulo n; older releases leave that to the caller.
        var digest = stackalloc byte[32];
        SecpScalar.Reduce(UInt256.FromBigEndian(message.Bytes)).WriteBigEndian(new Span<byte>(digest, 32));
        var signature = stackalloc byte[RecoverableSize];
        var compact = stackalloc byte[64];
        var recovery = 0;
        fixed (byte* key = privateKey32)
        {
            if (SignRecoverable(_context, signature, digest, key, 0, 0) != 1
                || SerializeRecoverable(_context, compact, &recovery, signature) != 1
                || recovery > 1)
            {
                throw new InvalidOperationException("libsecp256k1 refused to sign with a key in range.");
            }
        }

        var bytes = new ReadOnlySpan<byte>(compact, 64);
        return new Secp256k1Signature(
            UInt256.FromBigEndian(bytes[..32]), UInt256.FromBigEndian(bytes[32..]), (byte)recovery);
    }

    public void WritePublicKey(ReadOnlySpan<byte> privateKey32, Span<byte> publicKey64)
    {
        var key = stackalloc byte[KeySize];
        fixed (byte* secret = privateKey32)
        {
            if (CreateKey(_context, key, secret) != 1)
            {
                throw new InvalidOperationException("libsecp256k1 refused a private key in range.");
            }
        }

        WriteKey(key, publicKey64);
    }

    private static void WriteCompact(in UInt256 r, in UInt256 s, byte* compact)
    {
        r.WriteBigEndian(new Span<byte>(compact, 32));
        s.WriteBigEndian(new Span<byte>(compact + 32, 32));
    }

    private void WriteKey(byte* key, Span<byte> publicKey64)
    {
        var encoded = stackalloc byte[EncodedKeySize];
        nuint length = EncodedKeySize;
        SerializeKey(_context, encoded, &length, key, Uncompressed);
        new ReadOnlySpan<byte>(encoded + 1, 64).CopyTo(publicKey64);
    }

    [LibraryImport(Library, EntryPoint = "secp256k1_context_create")]
    private static partial nint ContextCreate(uint flags);

    [LibraryImport(Library, EntryPoint = "secp256k1_ecdsa_recoverable_signature_parse_compact")]
    private static partial int ParseRecoverable(nint context, byte* signature, byte* compact, int recovery);

    [LibraryImport(Library, EntryPoint = "secp256k1_ecdsa_recover")]
    private static partial int Recover(nint context, byte* key, byte* signature, byte* digest);

    [LibraryImport(Library, EntryPoint = "secp256k1_ec_pubkey_serialize")]
    private static partial int SerializeKey(nint context, byte* output, nuint* length, byte* key, uint flags);

    [LibraryImport(Library, EntryPoint = "secp256k1_ec_pubkey_parse")]
    private static partial int ParseKey(nint context, byte* key, byte* input, nuint length);

    [LibraryImport(Library, EntryPoint = "secp256k1_ec_pubkey_create")]
    private static partial int CreateKey(nint context, byte* key, byte* secret);

    [LibraryImport(Library, EntryPoint = "secp256k1_ecdsa_signature_parse_compact")]
    private static partial int ParseCompact(nint context, byte* signature, byte* compact);

    [LibraryImport(Library, EntryPoint = "secp256k1_ecdsa_signature_normalize")]
    private static partial int Normalize(nint context, byte* output, byte* input);

    [LibraryImport(Library, EntryPoint = "secp256k1_ecdsa_verify")]
    private static partial int Verify(nint context, byte* signature, byte* digest, byte* key);

    [LibraryImport(Library, EntryPoint = "secp256k1_ecdsa_sign_recoverable")]
    private static partial int SignRecoverable(
        nint context, byte* signature, byte* digest, byte* secret, nint nonceFunction, nint nonceData);

    [LibraryImport(Library, EntryPoint = "secp256k1_ecdsa_recoverable_signature_serialize_compact")]
    private static partial int SerializeRecoverable(nint context, byte* compact, int* recovery, byte* signature);
}
