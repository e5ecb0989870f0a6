using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>
/// The state after a block that was prepared but not committed: "pending". Safe for concurrent readers.
/// </summary>
public sealed class PreparedState : IStateReader
{
    private readonly IStateReader _parent;
    private readonly IReadOnlyDictionary<Hash256, Code> _code;
    private readonly Dictionary<Address, (bool Exists, Account Account)> _accounts = [];
    private readonly Dictionary<SlotKey, UInt256> _slots = [];

    /// <param name="parent">The state that the transition was prepared on.</param>
    /// <param name="transition">What the block changes.</param>
    public PreparedState(IStateReader parent, StateTransition transition)
    {
        _parent = parent;
        _code = transition.NewCode;
        foreach (var diff in transition.Accounts)
        {
            _accounts[diff.Address] = (diff.NewExists, diff.NewExists ? diff.New.ToAccount() : default);
        }

        foreach (var diff in transition.Slots)
        {
            _slots[new SlotKey(diff.Address, diff.Slot)] = diff.New;
        }
    }

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        if (_accounts.TryGetValue(address, out var known))
        {
            account = known.Account;
            return known.Exists ? ReadStatus.Found : ReadStatus.Absent;
        }

        return _parent.ReadAccount(address, out account);
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        if (_slots.TryGetValue(new SlotKey(address, slot), out value))
        {
            return value.IsZero ? ReadStatus.Absent : ReadStatus.Found;
        }

        return _parent.ReadSlot(address, slot, out value);
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _code.TryGetValue(codeHash, out code) ? ReadStatus.Found : _parent.ReadCode(codeHash, out code);
}
