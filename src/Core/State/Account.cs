using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>An account as execution sees it; its storage is read slot by slot.</summary>
/// <param name="Nonce">Transactions sent, or contracts created.</param>
/// <param name="Balance">Wei.</param>
/// <param name="CodeHash">Keccak-256 of its code; <see cref="Keccak256.OfEmpty"/> without code.</param>
/// <param name="HasStorage">Whether any slot is other than zero (EIP-7610).</param>
public readonly record struct Account(ulong Nonce, UInt256 Balance, Hash256 CodeHash, bool HasStorage)
{
    public bool HasCode => CodeHash != Keccak256.OfEmpty;

    /// <summary>No nonce, no balance, no code (EIP-161).</summary>
    public bool IsEmpty => Nonce == 0 && Balance.IsZero && !HasCode;
}
