using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>The accounts of a run of transfers that one lane answers for, and what the run does to them.</summary>
/// <remarks>
/// An open-addressing table that is kept from run to run; no transfer allocates. What becomes of each account is made
/// ready as a <see cref="BlockAccount"/> that counts only once every lane has come to its end.
/// </remarks>
internal sealed class TransferLane
{
    private Entry[] _entries = new Entry[256];
    private int[] _places = new int[1024];
    private int _count;
    private BlockState? _state;
    private KeyValuePair<Address, BlockAccount>[] _fresh = [];
    private readonly List<(BlockAccount Account, Account After)> _known = [];

    /// <summary>Accounts that the block had not touched before.</summary>
    internal int FreshCount { get; private set; }

    /// <summary>The lane of an account, by the hash of its address.</summary>
    internal static int Of(int hash, int lanes) => (int)(((ulong)(uint)hash * (uint)lanes) >> 32);

    /// <summary>Begins a run on a state that does not change meanwhile.</summary>
    internal void Begin(BlockState state)
    {
        Clear();
        _state = state;
    }

    /// <summary>Carries out the lane's moves of a chunk; answers the transaction that cannot be, or −1.</summary>
    internal int Follow(TransferChunk chunk, int lane, int end)
    {
        foreach (ref readonly var move in chunk.Of(lane))
        {
            if (move.Index >= end)
            {
                return -1;
            }

            ref var entry = ref Open(move.Account);
            if (!(move.Takes ? MayTake(entry, move) : entry.IsPlain))
            {
                return move.Index;
            }

            Apply(ref entry, move);
        }

        return -1;
    }

    /// <summary>Carries out both moves of a transaction, or none of them where it cannot be.</summary>
    internal bool TryTransfer(in TransferMove taken, in TransferMove given)
    {
        // The second opening may move the table, so the first entry is opened once more.
        if (!MayTake(Open(taken.Account), taken) || !Open(given.Account).IsPlain)
        {
            return false;
        }

        Apply(ref Open(taken.Account), taken);
        Apply(ref Open(given.Account), given);
        return true;
    }

    /// <summary>
    /// Gives fees to their recipient, which the state knows already; it may be a contract, as nothing of it runs.
    /// </summary>
    internal void Pay(in Address recipient, in UInt256 amount)
    {
        ref var entry = ref Open(recipient);
        entry.Balance += amount;
        entry.IsMoved = true;
    }

    /// <summary>
    /// Makes final values of the accounts; each that was moved exists, as a transfer and a fee are not zero.
    /// </summary>
    internal void Conclude()
    {
        if (_fresh.Length < _count)
        {
            _fresh = new KeyValuePair<Address, BlockAccount>[_entries.Length];
        }

        for (var i = 0; i < _count; i++)
        {
            ref var entry = ref _entries[i];
            if (!entry.IsMoved)
            {
                continue;
            }

            var after = entry.Before with { Nonce = entry.Nonce, Balance = entry.Balance };
            if (entry.Known is { } known)
            {
                _known.Add((known, after));
                continue;
            }

            var account = new BlockAccount(entry.Address, entry.Exists, entry.Exists ? entry.Before : default);
            account.Replace(exists: true, after, storageCleared: false);
            _fresh[FreshCount++] = new(entry.Address, account);
        }
    }

    /// <summary>Hands the final values over to the state. The lane forgets them when it begins its next run.</summary>
    internal void HandOver(BlockState state)
    {
        state.Add(_fresh.AsSpan(0, FreshCount));
        foreach (var (account, after) in _known)
        {
            account.Replace(exists: true, after, storageCleared: false);
        }
    }

    /// <summary>The sender's part: nonce, fee and value (Yellow Paper, 6; EIP-1559).</summary>
    private static bool MayTake(in Entry entry, in TransferMove move) =>
        entry.IsPlain && move.Nonce == entry.Nonce && move.Needed <= entry.Balance;

    private static void Apply(ref Entry entry, in TransferMove move)
    {
        entry.IsMoved = true;
        if (move.Takes)
        {
            entry.Nonce++;
            entry.Balance -= move.Amount;
        }
        else
        {
            entry.Balance += move.Amount;
        }
    }

    private ref Entry Open(in Address address)
    {
        var hash = address.GetHashCode();
        var mask = _places.Length - 1;
        var place = hash & mask;
        for (; _places[place] != 0; place = (place + 1) & mask)
        {
            ref var known = ref _entries[_places[place] - 1];
            if (known.Hash == hash && known.Address == address)
            {
                return ref known;
            }
        }

        if (_count == _entries.Length)
        {
            Grow();
            return ref Open(address);
        }

        ref var entry = ref _entries[_count++];
        _places[place] = _count;
        entry.Address = address;
        entry.Hash = hash;
        Load(ref entry);
        return ref entry;
    }

    private void Load(ref Entry entry)
    {
        var isLoaded = true;
        entry.Known = _state!.Known(entry.Address);
        if (entry.Known is { } known)
        {
            entry.Exists = known.Exists;
            entry.Before = known.Current;
        }
        else
        {
            var status = _state.Parent.ReadAccount(entry.Address, out entry.Before);
            entry.Exists = status == ReadStatus.Found;
            isLoaded = status != ReadStatus.NotLoaded;
        }

        if (!entry.Exists)
        {
            entry.Before = new Account(0, UInt256.Zero, Code.Empty.Hash, false);
        }

        entry.Nonce = entry.Before.Nonce;
        entry.Balance = entry.Before.Balance;
        entry.IsPlain = isLoaded && entry.Before.CodeHash == Code.Empty.Hash;
        entry.IsMoved = false;
    }

    private void Clear()
    {
        if (_count * 4 < _places.Length)
        {
            // After a short run it is cheaper to find the few places again: whoever stands in the way is cleared too.
            for (var i = 0; i < _count; i++)
            {
                ClearPlaces(_entries[i].Hash);
            }
        }
        else
        {
            Array.Clear(_places);
        }

        Array.Clear(_entries, 0, _count);
        Array.Clear(_fresh, 0, FreshCount);
        (_count, FreshCount) = (0, 0);
        _known.Clear();
    }

    private void ClearPlaces(int hash)
    {
        for (var place = hash & (_places.Length - 1); _places[place] != 0; place = (place + 1) & (_places.Length - 1))
        {
            _places[place] = 0;
        }
    }

    private void Grow()
    {
        Array.Resize(ref _entries, _entries.Length * 2);
        _places = new int[_entries.Length * 4];
        for (var i = 0; i < _count; i++)
        {
            var place = _entries[i].Hash & (_places.Length - 1);
            while (_places[place] != 0)
            {
                place = (place + 1) & (_places.Length - 1);
            }

            _places[place] = i + 1;
        }
    }

    private struct Entry
    {
        public Address Address;
        public int Hash;

        /// <summary>Whether it existed, is loaded and no contract, and had a part in a transfer or a fee.</summary>
        public bool Exists, IsPlain, IsMoved;
        public ulong Nonce;
        public UInt256 Balance;
        public Account Before;
        public BlockAccount? Known;
    }
}
