using System.Text.Json;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Conformance;

/// <summary>Accounts as fixtures have them: balance, nonce, code and storage by address.</summary>
internal static class PreState
{
    internal static List<AllocatedAccount> Read(JsonElement accounts)
    {
        var list = new List<AllocatedAccount>();
        foreach (var member in accounts.Members("the state"))
        {
            if (!Address.TryParse(member.Name, out var address))
            {
                throw new FixtureException($"{member.Name} is no address");
            }

            var code = member.Value.Find("code")?.Bytes("code") ?? [];
            list.Add(new AllocatedAccount(
                address,
                member.Value.Find("nonce")?.UInt64("nonce") ?? 0,
                member.Value.Find("balance")?.Number("balance") ?? UInt256.Zero,
                code.Length == 0 ? null : new Code(code),
                Storage(member.Value.Find("storage"))));
        }

        return list;
    }

    /// <summary>What differs first between a state and the accounts it should have; null where nothing does.</summary>
    internal static string? FirstDifference(IEnumerable<AllocatedAccount> expected, IStateReader actual)
    {
        foreach (var account in expected)
        {
            if (actual.ReadAccount(account.Address, out var found) != ReadStatus.Found)
            {
                return $"{account.Address} does not exist";
            }

            if (found.Nonce != account.Nonce)
            {
                return $"{account.Address} has nonce {found.Nonce}, expected {account.Nonce}";
            }

            if (found.Balance != account.Balance)
            {
                return $"{account.Address} has balance {found.Balance}, expected {account.Balance}";
            }

            if (found.CodeHash != (account.Code ?? Code.Empty).Hash)
            {
                return $"{account.Address} has code {found.CodeHash}, expected {(account.Code ?? Code.Empty).Hash}";
            }

            foreach (var (slot, value) in account.Slots ?? new Dictionary<UInt256, UInt256>())
            {
                actual.ReadSlot(account.Address, slot, out var stored);
                if (stored != value)
                {
                    return $"{account.Address} slot {slot.ToQuantity()} is {stored.ToQuantity()}, "
                        + $"expected {value.ToQuantity()}";
                }
            }
        }

        return null;
    }

    private static Dictionary<UInt256, UInt256> Storage(JsonElement? storage)
    {
        var slots = new Dictionary<UInt256, UInt256>();
        if (storage is { } present)
        {
            foreach (var member in present.Members("storage"))
            {
                if (!UInt256.TryParse(member.Name, out var slot))
                {
                    throw new FixtureException($"{member.Name} is no storage slot");
                }

                slots[slot] = member.Value.Number("storage");
            }
        }

        return slots;
    }
}
