using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>Merkle proof of an account and of some of its slots (EIP-1186, eth_getProof).</summary>
/// <param name="Address">Whose.</param>
/// <param name="Account">The account; an account that is absent has zero values and the hash of no code.</param>
/// <param name="StorageRoot">The root of its storage trie; the empty trie's root without storage.</param>
/// <param name="Nodes">RLP nodes from the state root down, as far as the path goes; none for an empty trie.</param>
/// <param name="Slots">In the order asked for.</param>
public sealed record AccountProof(
    Address Address, Account Account, Hash256 StorageRoot, IReadOnlyList<byte[]> Nodes, IReadOnlyList<SlotProof> Slots);

/// <summary>Merkle proof of a slot; <paramref name="Value"/> is zero where the slot is absent.</summary>
public sealed record SlotProof(UInt256 Slot, UInt256 Value, IReadOnlyList<byte[]> Nodes);
