using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Nodes;

/// <summary>What one account is taken to be; what is null stays as it is.</summary>
internal sealed class AccountOverride
{
    internal UInt256? Balance { get; set; }

    internal ulong? Nonce { get; set; }

    internal Code? Code { get; set; }

    /// <summary>Where the precompiled contract of this address answers instead.</summary>
    internal Address? MovePrecompileTo { get; set; }

    /// <summary>All slots: those that do not stand here are zero.</summary>
    internal Dictionary<UInt256, UInt256>? State { get; set; }

    /// <summary>Some slots: the others stay.</summary>
    internal Dictionary<UInt256, UInt256>? StateDiff { get; set; }
}

/// <summary>A state with some accounts changed, for eth_call's overrides and a development node's edits.</summary>
internal sealed class OverrideState(IStateReader parent, IReadOnlyDictionary<Address, AccountOverride> overrides)
    : IStateReader
{
    private readonly Dictionary<Hash256, Code> _code = overrides.Values.Where(account => account.Code is not null)
        .Select(account => account.Code!).DistinctBy(code => code.Hash).ToDictionary(code => code.Hash);

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var status = parent.ReadAccount(address, out account);
        if (status == ReadStatus.NotLoaded || !overrides.TryGetValue(address, out var change))
        {
            return status;
        }

        if (status == ReadStatus.Absent)
        {
            account = new Account(0, UInt256.Zero, Code.Empty.Hash, false);
        }

        account = account with
        {
            Nonce = change.Nonce ?? account.Nonce,
            Balance = change.Balance ?? account.Balance,
            CodeHash = change.Code?.Hash ?? account.CodeHash,
            HasStorage = change.State is { } all
                ? all.Values.Any(value => !value.IsZero)
                : account.HasStorage || change.StateDiff?.Values.Any(value => !value.IsZero) == true,
        };
        return ReadStatus.Found;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        if (overrides.TryGetValue(address, out var change))
        {
            if (change.StateDiff?.TryGetValue(slot, out value) == true
                || change.State?.TryGetValue(slot, out value) == true)
            {
                return ReadStatus.Found;
            }

            if (change.State is not null)
            {
                value = default;
                return ReadStatus.Absent;
            }
        }

        return parent.ReadSlot(address, slot, out value);
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _code.TryGetValue(codeHash, out code) ? ReadStatus.Found : parent.ReadCode(codeHash, out code);
}
