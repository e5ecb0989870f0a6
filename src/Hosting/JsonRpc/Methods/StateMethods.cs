using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Accounts, code, storage and proofs of them.</summary>
internal sealed class StateMethods(Node node, BlockResolver blocks) : IRpcModule
{
    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("eth_getBalance", GetBalance),
        ("eth_getTransactionCount", GetTransactionCount),
        ("eth_getCode", GetCode),
        ("eth_getStorageAt", GetStorageAt),
        ("eth_getStorageValues", GetStorageValues),
        ("eth_getProof", GetProof),
    ];

    private RpcError? GetBalance(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.OptionalBlock(out var block) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.TryState(block, out var state) is { } error)
        {
            return error;
        }

        state.ReadAccount(address, out var account);
        reply.Json.WriteQuantityValue(account.Balance);
        return null;
    }

    private RpcError? GetTransactionCount(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.OptionalBlock(out var block) || !parameters.End())
        {
            return parameters.Error;
        }

        // What waits in the pool counts as pending without a block being made for it.
        if (block.Kind == BlockReferenceKind.Pending)
        {
            if (node.Pool.NextNonce(address) is { } nonce)
            {
                reply.Json.WriteQuantityValue(nonce);
                return null;
            }

            block = BlockReference.Latest;
        }

        if (blocks.TryState(block, out var state) is { } error)
        {
            return error;
        }

        state.ReadAccount(address, out var account);
        reply.Json.WriteQuantityValue(account.Nonce);
        return null;
    }

    private RpcError? GetCode(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.OptionalBlock(out var block) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.TryState(block, out var state) is { } error)
        {
            return error;
        }

        Code? code = null;
        if (state.ReadAccount(address, out var account) == ReadStatus.Found && account.HasCode)
        {
            state.ReadCode(account.CodeHash, out code);
        }

        reply.Json.WriteHexValue((code ?? Code.Empty).Bytes);
        return null;
    }

    private RpcError? GetStorageAt(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.Slot(out var slot)
            || !parameters.OptionalBlock(out var block) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.TryState(block, out var state) is { } error)
        {
            return error;
        }

        reply.Json.WriteWordValue(ReadSlot(state, address, slot));
        return null;
    }

    private RpcError? GetStorageValues(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.SlotsByAddress(out var asked) || !parameters.OptionalBlock(out var block) || !parameters.End())
        {
            return parameters.Error;
        }

        if (asked.Count == 0)
        {
            return RpcError.InvalidParams("empty request");
        }

        if (blocks.TryState(block, out var state) is { } error)
        {
            return error;
        }

        reply.Json.WriteStartObject();
        foreach (var (address, slots) in asked)
        {
            reply.Json.WriteStartArray(address.ToString());
            foreach (var slot in slots)
            {
                reply.Json.WriteWordValue(ReadSlot(state, address, slot));
            }

            reply.Json.WriteEndArray();
        }

        reply.Json.WriteEndObject();
        return null;
    }

    private RpcError? GetProof(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.Slots(out var slots)
            || !parameters.OptionalBlock(out var block) || !parameters.End())
        {
            return parameters.Error;
        }

        // A block under way has no tries: pending proofs are those of the newest block.
        block = block.Kind == BlockReferenceKind.Pending ? BlockReference.Latest : block;
        if (blocks.TryNumber(block, out var number) is { } error)
        {
            return error;
        }

        var lookup = node.Chain.GetProof(number, address, slots);
        if (lookup.Proof is not { } proof)
        {
            return RpcError.Server(lookup.Availability == StateAvailability.Pruned
                ? $"missing trie node: the state of block {number} is pruned"
                : "header not found");
        }

        ProofJson.Write(reply.Json, proof);
        return null;
    }

    /// <summary>
    /// A slot of an account that may not exist: then its value is zero, whatever the reader has for it.
    /// </summary>
    private static UInt256 ReadSlot(IStateReader state, in Address address, in UInt256 slot)
    {
        if (state.ReadAccount(address, out _) != ReadStatus.Found)
        {
            return UInt256.Zero;
        }

        state.ReadSlot(address, slot, out var value);
        return value;
    }
}
