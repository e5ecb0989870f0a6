using SuperVm.Core.Execution;
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
    private BlockAccount[] _fresh = [];
    private readonly List<(BlockAccount Account, Account After)> _known = [];

    /// <summary>A transfer is invalid, an account has code, or a key is not loaded.</summary>
    private bool _isRefused;

    /// <summary>Accounts that the block had not touched before, with their final values.</summary>
    internal ReadOnlySpan<BlockAccount> Fresh => _fresh;

    /// <summary>Follows the run and carries out what happens to the lane's accounts.</summary>
    /// <param name="input">The block.</param>
    /// <param name="state">Its state before the run.</param>
    /// <param name="first">The run's first transaction.</param>
    /// <param name="end">Where the run ends; the lane that meets what the run cannot hold moves it there.</param>
    /// <param name="lane">Which lane this is.</param>
    /// <param name="lanes">Of how many; the fee recipient's lane takes the fees of all.</param>
    internal void Follow(BlockInput input, BlockState state, int first, ref int end, int lane, int lanes)
    {
        Clear();
        var context = input.Context;
        var coinbaseHash = context.Coinbase.GetHashCode();
        var takesFees = LaneOf(coinbaseHash, lanes) == lane;
        for (var i = first; i < Volatile.Read(ref end); i++)
        {
            var transaction = input.Transactions[i];
            var sender = transaction.Sender.GetValueOrDefault();
            var senderHash = sender.GetHashCode();
            if (LaneOf(senderHash, lanes) == lane)
            {
                Debit(input, context, transaction, state, sender, senderHash);
            }

            var recipient = transaction.To.GetValueOrDefault();
            var recipientHash = recipient.GetHashCode();
            if (LaneOf(recipientHash, lanes) == lane)
            {
                Credit(transaction, state, recipient, recipientHash);
            }

            if (takesFees && TipOf(transaction, context) is { IsZero: false } tip)
            {
                Open(state, context.Coinbase, coinbaseHash).Balance += tip * IntrinsicGas.Transaction;
            }

            if (_isRefused)
            {
                Lower(ref end, i);
                return;
            }
        }

        Conclude();
    }

    /// <summary>Gives accounts that the block had touched before their final values.</summary>
    internal void ReplaceKnown()
    {
        foreach (var (account, after) in _known)
        {
            account.Replace(exists: true, after, storageCleared: false);
        }
    }

    private static void Lower(ref int end, int target)
    {
        var current = Volatile.Read(ref end);
        while (current > target)
        {
            var seen = Interlocked.CompareExchange(ref end, target, current);
            if (seen == current)
            {
                return;
            }

            current = seen;
        }
    }

    private static int LaneOf(int hash, int lanes) => (int)(((ulong)(uint)hash * (uint)lanes) >> 32);

    /// <summary>The sender's part: checks, nonce, fee and value (Yellow Paper, 6; EIP-1559).</summary>
    private void Debit(
        BlockInput input, BlockContext context, Transaction transaction, BlockState state, in Address sender, int hash)
    {
        ref var account = ref Open(state, sender, hash);
        var isValid = input.SkipStatelessChecks
            || TransactionValidator.ValidateStateless(transaction, context.Rules, context.ChainId)
                == TransactionError.None;
        if (account.HasCode || !isValid || transaction.Nonce != account.Nonce
            || !TransactionProcessor.TryMaximumCost(transaction, out var cost) || cost > account.Balance)
        {
            _isRefused = true;
            return;
        }

        var price = transaction.EffectiveGasPrice(context.BaseFee);
        account.Nonce++;
        account.Balance = account.Balance - (price * IntrinsicGas.Transaction) - transaction.Value;
    }

    private static UInt256 TipOf(Transaction transaction, BlockContext context)
    {
        var price = transaction.EffectiveGasPrice(context.BaseFee);
        return context.Rules.Eip1559 ? price - context.BaseFee : price;
    }

    private void Credit(Transaction transaction, BlockState state, in Address recipient, int hash)
    {
        ref var account = ref Open(state, recipient, hash);
        account.Balance += transaction.Value;
        _isRefused |= account.HasCode;
    }

    private ref Entry Open(BlockState state, in Address address, int hash)
    {
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
            return ref Open(state, address, hash);
        }

        ref var entry = ref _entries[_count++];
        _places[place] = _count;
        entry.Address = address;
        entry.Hash = hash;
        Load(state, ref entry);
        return ref entry;
    }

    private void Load(BlockState state, ref Entry entry)
    {
        entry.Known = state.Known(entry.Address);
        if (entry.Known is { } known)
        {
            entry.Exists = known.Exists;
            entry.Before = known.Current;
        }
        else
        {
            var status = state.Parent.ReadAccount(entry.Address, out entry.Before);
            entry.Exists = status == ReadStatus.Found;
            _isRefused |= status == ReadStatus.NotLoaded;
        }

        if (!entry.Exists)
        {
            entry.Before = new Account(0, UInt256.Zero, Code.Empty.Hash, false);
        }

        entry.Nonce = entry.Before.Nonce;
        entry.Balance = entry.Before.Balance;
        entry.HasCode = entry.Before.CodeHash != Code.Empty.Hash;
    }

    /// <summary>A transfer and a fee move something, so every account here exists at the end.</summary>
    private void Conclude()
    {
        var fresh = 0;
        _fresh = new BlockAccount[_count];
        for (var i = 0; i < _count; i++)
        {
            ref var entry = ref _entries[i];
            var after = entry.Before with { Nonce = entry.Nonce, Balance = entry.Balance };
            if (entry.Known is { } known)
            {
                _known.Add((known, after));
                continue;
            }

            var account = new BlockAccount(entry.Address, entry.Exists, entry.Exists ? entry.Before : default);
            account.Replace(exists: true, after, storageCleared: false);
            _fresh[fresh++] = account;
        }

        Array.Resize(ref _fresh, fresh);
    }

    private void Clear()
    {
        Array.Clear(_entries, 0, _count);
        Array.Clear(_places);
        _count = 0;
        _known.Clear();
        _fresh = [];
        _isRefused = false;
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
        public bool Exists, HasCode;
        public ulong Nonce;
        public UInt256 Balance;
        public Account Before;
        public BlockAccount? Known;
    }
}
