using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Changes of accounts at a developer's wish: balance, nonce, code, storage.</summary>
/// <remarks>Each change is a block of its own, so that state root, proofs and history stay true.</remarks>
internal sealed class StateEditMethods(Node node) : IRpcModule
{
    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("anvil_setBalance", SetBalance),
        ("hardhat_setBalance", SetBalance),
        ("anvil_setNonce", SetNonce),
        ("hardhat_setNonce", SetNonce),
        ("anvil_setCode", SetCode),
        ("hardhat_setCode", SetCode),
        ("anvil_setStorageAt", SetStorageAt),
        ("hardhat_setStorageAt", SetStorageAt),
    ];

    private RpcError? SetBalance(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.Quantity(out var balance) || !parameters.End())
        {
            return parameters.Error;
        }

        Edit(address, account => account with { Balance = balance });
        reply.Json.WriteNullValue();
        return null;
    }

    private RpcError? SetNonce(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.Quantity64(out var nonce) || !parameters.End())
        {
            return parameters.Error;
        }

        Edit(address, account => account with { Nonce = nonce });
        reply.Json.WriteNullValue();
        return null;
    }

    private RpcError? SetCode(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.Data(out var bytes) || !parameters.End())
        {
            return parameters.Error;
        }

        var code = new Code(bytes);
        Edit(address, account => account with { CodeHash = code.Hash }, code);
        reply.Json.WriteNullValue();
        return null;
    }

    private RpcError? SetStorageAt(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.Slot(out var slot) || !parameters.Slot(out var value)
            || !parameters.End())
        {
            return parameters.Error;
        }

        var isSet = !value.IsZero;
        Edit(
            address, account => account with { HasStorage = account.HasStorage || isSet },
            slot: new SlotChange(address, slot, value));
        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private void Edit(Address address, Func<Account, Account> change, Code? code = null, SlotChange? slot = null) =>
        node.Producer.Edit(state =>
        {
            if (state.ReadAccount(address, out var account) != ReadStatus.Found)
            {
                account = new Account(0, UInt256.Zero, Code.Empty.Hash, false);
            }

            var changes = new StateChanges();
            account = change(account);
            var isThere = !account.IsEmpty || account.HasStorage;
            changes.Accounts.Add(new AccountChange(address, isThere, account, !isThere, code));
            if (isThere && slot is { } written)
            {
                changes.Slots.Add(written);
            }

            return changes;
        });
}
