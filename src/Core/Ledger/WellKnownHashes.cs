using System.Security.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Hashes of nothing, as headers state them.</summary>
public static class WellKnownHashes
{
    /// <summary>The root of a trie without entries: Keccak-256 of the RLP of the empty string.</summary>
    public static Hash256 EmptyTrieRoot { get; } =
        Hash256.Parse("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

    /// <summary>The requests hash of a block without requests: SHA-256 of nothing (EIP-7685).</summary>
    public static Hash256 EmptyRequests { get; } = new(SHA256.HashData([]));
}
