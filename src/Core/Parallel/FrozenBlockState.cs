using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>A block's state as it is when its transactions begin, safe for many readers at once.</summary>
/// <remarks>
/// What system calls changed before is little and copied; everything else comes from the parent's reader, which is safe
/// for concurrent use.
/// </remarks>
internal sealed class FrozenBlockState : IStateReader
{
    private readonly IStateReader _parent;
    private readonly Dictionary<Address, BlockAccount> _changed = [];
    private readonly IReadOnlyDictionary<Hash256, Code> _newCode;

    internal FrozenBlockState(BlockState state)
    {
        _parent = state.Parent;
        _newCode = state.NewCode.Count == 0
            ? state.NewCode
            : new Dictionary<Hash256, Code>(state.NewCode);
        foreach (var account in state.Accounts)
        {
            if (account.Changed)
            {
                _changed.Add(account.Address, account);
            }
        }
    }

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        if (!_changed.TryGetValue(address, out var known))
        {
            return _parent.ReadAccount(address, out account);
        }

        account = known.Current;
        return known.Exists ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        if (_changed.TryGetValue(address, out var known))
        {
            if (known.HasSlots && known.Slots.TryGetValue(slot, out var written))
            {
                value = written.Current;
                return ReadStatus.Found;
            }

            if (known.StorageCleared || !known.OriginalExists)
            {
                return ReadStatus.Absent;
            }
        }

        return _parent.ReadSlot(address, slot, out value);
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _newCode.TryGetValue(codeHash, out code) ? ReadStatus.Found : _parent.ReadCode(codeHash, out code);
}
