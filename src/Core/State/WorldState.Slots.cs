using SuperVm.Core.Primitives;

namespace SuperVm.Core.State;

/// <summary>Storage slots and transient storage (EIP-1153) of the transaction.</summary>
public sealed partial class WorldState
{
    private readonly Dictionary<TransientKey, UInt256> _transient = [];
    private SlotEntry[] _slots = new SlotEntry[32];
    private int[] _slotBuckets = NewBuckets(64);
    private int _slotCount;

    /// <summary>A handle on a slot without reading it; enough to warm it.</summary>
    public int DeclareSlot(int account, in UInt256 key)
    {
        var hash = HashMix.Mix(key.U0 ^ key.U2 ^ (ulong)account, key.U1 ^ key.U3 ^ ((ulong)account << 32));
        for (var i = _slotBuckets[hash & (_slotBuckets.Length - 1)]; i >= 0; i = _slots[i].Next)
        {
            if (_slots[i].Account == account && _slots[i].Key == key)
            {
                return i;
            }
        }

        return AddSlot(account, key, hash);
    }

    /// <summary>A handle on a slot, its value read; false: not loaded.</summary>
    public bool TryOpenSlot(int account, in UInt256 key, out int slot)
    {
        slot = DeclareSlot(account, key);
        return _slots[slot].Loaded || LoadSlot(slot);
    }

    /// <summary>Reads the value of a declared slot; false: not loaded.</summary>
    public bool TryLoadSlot(int slot) => _slots[slot].Loaded || LoadSlot(slot);

    /// <summary>The value now; the reference is valid until the next slot is declared.</summary>
    public ref readonly UInt256 SlotValue(int slot) => ref _slots[slot].Current;

    /// <summary>The value when the transaction began (EIP-2200).</summary>
    public ref readonly UInt256 SlotOriginal(int slot) => ref _slots[slot].Original;

    /// <summary>Makes the slot warm (EIP-2929); true where it was cold.</summary>
    public bool WarmSlot(int slot)
    {
        ref var entry = ref _slots[slot];
        if (entry.Warm)
        {
            return false;
        }

        entry.Warm = true;
        Push(JournalKind.SlotWarmed, slot, default);
        return true;
    }

    public void SetSlot(int slot, in UInt256 value)
    {
        ref var entry = ref _slots[slot];
        if (entry.Current != value)
        {
            Push(JournalKind.Slot, slot, entry.Current);
            entry.Current = value;
        }
    }

    public UInt256 GetTransient(int account, in UInt256 key) =>
        _transient.TryGetValue(new TransientKey(account, key), out var value) ? value : UInt256.Zero;

    public void SetTransient(int account, in UInt256 key, in UInt256 value)
    {
        var place = new TransientKey(account, key);
        _transient.TryGetValue(place, out var old);
        Push(JournalKind.Transient, account, old);
        _transientJournal.Add(key);
        _transient[place] = value;
    }

    private bool LoadSlot(int slot)
    {
        ref var entry = ref _slots[slot];
        ref var owner = ref _accounts[entry.Account];
        if (owner.CreatedHere || (owner.Loaded && !owner.OriginalExists))
        {
            entry.Loaded = true;
            entry.Ordinal = NotRead;
            return true;
        }

        if (_reader.ReadSlot(owner.Address, entry.Key, out var value) == ReadStatus.NotLoaded)
        {
            _missing.Add(new MissingKey(MissingKind.Slot, owner.Address, entry.Key, default));
            return false;
        }

        entry.Loaded = true;
        entry.Ordinal = _slotReads++;
        entry.Original = entry.Current = value;
        return true;
    }

    private int AddSlot(int account, in UInt256 key, int hash)
    {
        if (_slotCount == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        if (_slotCount * 2 > _slotBuckets.Length)
        {
            _slotBuckets = NewBuckets(_slotBuckets.Length * 2);
            for (var i = 0; i < _slotCount; i++)
            {
                ref var moved = ref _slotBuckets[_slots[i].Hash & (_slotBuckets.Length - 1)];
                _slots[i].Next = moved;
                moved = i;
            }
        }

        ref var bucket = ref _slotBuckets[hash & (_slotBuckets.Length - 1)];
        var handle = _slotCount++;
        _slots[handle] = new SlotEntry { Account = account, Key = key, Hash = hash, Next = bucket };
        bucket = handle;
        return handle;
    }

    private void ClearSlots()
    {
        for (var i = 0; i < _slotCount; i++)
        {
            _slotBuckets[_slots[i].Hash & (_slotBuckets.Length - 1)] = -1;
        }

        _slotCount = 0;
    }

    private struct SlotEntry
    {
        public int Account, Hash, Next, Ordinal;
        public bool Loaded, Warm;
        public UInt256 Key, Original, Current;
    }

    private readonly record struct TransientKey(int Account, UInt256 Key);
}
