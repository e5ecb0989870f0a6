using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>A state that is not the latest, as differences from it: an older one, or one on a side chain.</summary>
/// <remarks>
/// Good until the next commit. For the thread that commits: reads of the latest state below it are not checked against
/// newer blocks.
/// </remarks>
public sealed class StateOverlay : IStateReader, IStateRecords
{
    private readonly StateStore _store;
    private readonly Dictionary<Hash256, Code> _code = [];

    internal StateOverlay(StateStore store) => _store = store;

    /// <summary>Accounts that may differ from the latest state; null: absent.</summary>
    internal Dictionary<Address, AccountRecord?> Accounts { get; } = [];

    /// <summary>Slots that may differ from the latest state.</summary>
    internal Dictionary<Address, Dictionary<UInt256, UInt256>> Slots { get; } = [];

    internal IReadOnlyDictionary<Hash256, Code> Code => _code;

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var exists = ReadRecord(address, out var record);
        account = exists ? record.ToAccount() : default;
        return exists ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        if (!Slots.TryGetValue(address, out var slots) || !slots.TryGetValue(slot, out value))
        {
            value = _store.ReadNewest(address, slot);
        }

        return value.IsZero ? ReadStatus.Absent : ReadStatus.Found;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _code.TryGetValue(codeHash, out code) ? ReadStatus.Found : _store.ReadCode(codeHash, out code);

    bool IStateRecords.ReadRecord(in Address address, out AccountRecord record) => ReadRecord(address, out record);

    Dictionary<UInt256, UInt256> IStateRecords.SlotsOf(in Address address) => SlotsOf(address);

    internal bool ReadRecord(in Address address, out AccountRecord record)
    {
        if (Accounts.TryGetValue(address, out var known))
        {
            record = known.GetValueOrDefault();
            return known is not null;
        }

        return _store.ReadNewest(address, out record);
    }

    /// <summary>All slots of an account that are not zero.</summary>
    internal Dictionary<UInt256, UInt256> SlotsOf(in Address address)
    {
        var slots = _store.SlotsOf(address);
        if (Slots.TryGetValue(address, out var changed))
        {
            foreach (var (slot, value) in changed)
            {
                slots[slot] = value;
            }
        }

        return slots;
    }

    /// <summary>Goes on to the state after a block.</summary>
    internal void Apply(StateTransition transition)
    {
        foreach (var diff in transition.Accounts)
        {
            Accounts[diff.Address] = diff.NewExists ? diff.New : null;
        }

        foreach (var diff in transition.Slots)
        {
            SlotsFor(diff.Address)[diff.Slot] = diff.New;
        }

        foreach (var (hash, code) in transition.NewCode)
        {
            _code[hash] = code;
        }
    }

    internal Dictionary<UInt256, UInt256> SlotsFor(in Address address)
    {
        if (!Slots.TryGetValue(address, out var slots))
        {
            Slots.Add(address, slots = []);
        }

        return slots;
    }
}
