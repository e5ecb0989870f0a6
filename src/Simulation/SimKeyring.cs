using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>The keys of a cluster behind the signer ports.</summary>
internal sealed record SimKeyring(
    IReadOnlyList<Address> Addresses, Func<int, IConsensusSigner> Signer, ISignatureVerifier Verifier)
{
    /// <summary>Keyed hashes.</summary>
    internal static SimKeyring Keyed { get; } =
        new(SimKeys.Shared.Addresses, SimKeys.Shared.Signer, SimKeys.Shared);

    /// <summary>secp256k1, with one memory of checked signatures for the whole cluster.</summary>
    internal static SimKeyring Real
    {
        get
        {
            var signers = Enumerable.Range(1, 18).Select(i =>
            {
                var key = new byte[32];
                (key[0], key[31]) = (1, (byte)i);
                return new Secp256k1Signer(key);
            }).ToArray();
            return new SimKeyring(
                [.. signers.Select(signer => signer.Address)], node => signers[node], new Secp256k1Verifier());
        }
    }
}
