using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>An account whose key the node holds.</summary>
public sealed class DevAccount
{
    private readonly byte[] _privateKey;

    /// <exception cref="ArgumentException">Not a private key.</exception>
    public DevAccount(ReadOnlySpan<byte> privateKey)
    {
        Address = Secp256k1.AddressOf(privateKey);
        _privateKey = privateKey.ToArray();
    }

    public Address Address { get; }

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> PrivateKey => _privateKey;
}
