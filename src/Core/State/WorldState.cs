using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>The journaled state of one transaction: accounts, slots, transient storage, logs and refunds.</summary>
/// <remarks>
/// Sits on an <see cref="IStateReader"/>, reads each account and slot from it at most once, and undoes in order:
/// <code>
///   reader ──first touch──▶ entry { original, current } ──CollectChanges──▶ StateChanges
///                              ▲ writes push the old value on the journal; Revert pops
/// </code>
/// Accounts and slots are named by small handles that stay valid until <see cref="Reset"/>, so that an interpreter
/// looks a contract up once a frame. A method that begins with Try answers false where the reader has the key not
/// loaded; the key is then in <see cref="Missing"/> and the whole transaction must be run again. One instance a
/// worker, reused; not thread-safe.
/// </remarks>
public sealed partial class WorldState
{
    private static readonly Address Ripemd160Precompile = Address.FromNumber(3);

    private IStateReader _reader = EmptyStateReader.Instance;
    private ForkRules _rules = ForkRules.Of(Fork.Osaka);

    private AccountEntry[] _accounts = new AccountEntry[16];
    private int[] _accountBuckets = NewBuckets(32);
    private int _accountCount;
    private bool _defersFees;

    private readonly List<Log> _logs = [];
    private readonly List<MissingKey> _missing = [];

    /// <summary>Gas to refund at the end, before its cap; may pass below zero on the way (EIP-1283, 2200).</summary>
    public long Refund { get; set; }

    /// <summary>The logs so far, in order.</summary>
    public IReadOnlyList<Log> Logs => _logs;

    /// <summary>The logs so far in an array of their own.</summary>
    internal Log[] TakeLogs() => _logs.Count == 0 ? [] : [.. _logs];

    /// <summary>The reads that answered NotLoaded since the reset.</summary>
    public IReadOnlyList<MissingKey> Missing => _missing;

    /// <summary>The rules of the transaction under way.</summary>
    public ForkRules Rules => _rules;

    /// <summary>The fee that was noted and not paid, because the reset allowed it.</summary>
    internal UInt256 DeferredFee { get; private set; }

    /// <summary>Forgets everything and starts a transaction on the reader's state.</summary>
    public void Reset(IStateReader reader, ForkRules rules) => Reset(reader, rules, defersFees: false);

    /// <summary>
    /// As above; where fees are deferred, one for an account that was not read is noted in <see cref="DeferredFee"/>.
    /// </summary>
    internal void Reset(IStateReader reader, ForkRules rules, bool defersFees)
    {
        _reader = reader;
        _rules = rules;
        _defersFees = defersFees;
        DeferredFee = UInt256.Zero;
        ClearAccounts();
        ClearSlots();
        _transient.Clear();
        _logs.Clear();
        _missing.Clear();
        _journalCount = 0;
        _accountReads = 0;
        _slotReads = 0;
        _codeJournal.Clear();
        _transientJournal.Clear();
        Refund = 0;
    }

    /// <summary>A handle on the account without reading it; enough to warm it.</summary>
    public int Declare(in Address address)
    {
        var hash = address.GetHashCode();
        ref var bucket = ref _accountBuckets[hash & (_accountBuckets.Length - 1)];
        for (var i = bucket; i >= 0; i = _accounts[i].Next)
        {
            if (_accounts[i].Address == address)
            {
                return i;
            }
        }

        return AddAccount(address, hash);
    }

    /// <summary>A handle on the account, its record read; false: not loaded.</summary>
    public bool TryOpen(in Address address, out int account)
    {
        account = Declare(address);
        return _accounts[account].Loaded || Load(account);
    }

    /// <summary>Reads the record of a declared account; false: not loaded.</summary>
    public bool TryLoad(int account) => _accounts[account].Loaded || Load(account);

    public Address AddressOf(int account) => _accounts[account].Address;

    /// <summary>Wei; the reference is valid until the next account is declared.</summary>
    public ref readonly UInt256 Balance(int account)
    {
        _accounts[account].Uses |= AccountFields.Balance;
        return ref _accounts[account].Balance;
    }

    public ulong Nonce(int account)
    {
        _accounts[account].Uses |= AccountFields.Nonce;
        return _accounts[account].Nonce;
    }

    public Hash256 CodeHash(int account)
    {
        _accounts[account].Uses |= AccountFields.Code;
        return _accounts[account].CodeHash;
    }

    public bool HasCode(int account) => CodeHash(account) != Code.Empty.Hash;

    /// <summary>Whether the account is in the state, be it empty (possible before EIP-161).</summary>
    public bool Exists(int account) => _accounts[account].Exists;

    /// <summary>No nonce, balance or code: dead in the sense of EIP-161.</summary>
    public bool IsEmpty(int account)
    {
        ref var entry = ref _accounts[account];
        entry.Uses |= AccountFields.All;
        return entry.Nonce == 0 && entry.Balance.IsZero && entry.CodeHash == Code.Empty.Hash;
    }

    /// <summary>The account's code (not resolved through a delegation); false: not loaded.</summary>
    public bool TryGetCode(int account, out Code code)
    {
        ref var entry = ref _accounts[account];
        entry.Uses |= AccountFields.Code;
        if (entry.Code is { } known)
        {
            code = known;
            return true;
        }

        if (entry.CodeHash == Code.Empty.Hash)
        {
            entry.Code = code = Code.Empty;
            return true;
        }

        switch (_reader.ReadCode(entry.CodeHash, out var read))
        {
            case ReadStatus.Found:
                entry.Code = code = read!;
                return true;
            case ReadStatus.NotLoaded:
                _missing.Add(new MissingKey(MissingKind.Code, entry.Address, default, entry.CodeHash));
                code = Code.Empty;
                return false;
            default:
                throw new StoreException(
                    $"The store is damaged: the code {entry.CodeHash} of {entry.Address} is missing.");
        }
    }

    /// <summary>Makes the account warm (EIP-2929); true where it was cold. Precompiles are always warm.</summary>
    public bool WarmAccount(int account)
    {
        ref var entry = ref _accounts[account];
        if (entry.Warm)
        {
            return false;
        }

        entry.Warm = true;
        Push(JournalKind.AccountWarmed, account, default);
        return !_rules.IsPrecompile(entry.Address);
    }

    /// <summary>Marks the account as touched, bringing it into being where it did not exist.</summary>
    public void Touch(int account)
    {
        ref var entry = ref _accounts[account];
        if (!entry.Touched)
        {
            entry.Touched = true;
            Push(JournalKind.Touched, account, default);
        }

        if (!entry.Exists)
        {
            entry.Exists = true;
            Push(JournalKind.CameIntoBeing, account, default);
        }
    }

    public void SetBalance(int account, in UInt256 balance)
    {
        Touch(account);
        ref var entry = ref _accounts[account];
        Push(JournalKind.Balance, account, entry.Balance);
        entry.Balance = balance;
    }

    /// <summary>Adds wei (modulo 2^256) and touches the account, be the amount zero.</summary>
    public void AddBalance(int account, in UInt256 amount)
    {
        if (amount.IsZero)
        {
            Touch(account);
            return;
        }

        SetBalance(account, _accounts[account].Balance + amount);
    }

    /// <summary>Pays the fee recipient at the transaction's end; false: not loaded.</summary>
    internal bool TryPayFee(in Address recipient, in UInt256 amount)
    {
        var account = Declare(recipient);
        if (_defersFees && !_accounts[account].Loaded && !amount.IsZero)
        {
            DeferredFee = amount;
            return true;
        }

        if (!TryLoad(account))
        {
            return false;
        }

        AddBalance(account, amount);
        return true;
    }

    /// <summary>Takes wei away; the caller has checked that the balance has them.</summary>
    public void SubtractBalance(int account, in UInt256 amount)
    {
        if (!amount.IsZero)
        {
            SetBalance(account, Balance(account) - amount);
        }
    }

    public void SetNonce(int account, ulong nonce)
    {
        Touch(account);
        ref var entry = ref _accounts[account];
        Push(JournalKind.Nonce, account, entry.Nonce);
        entry.Nonce = nonce;
    }

    public void SetCode(int account, Code code)
    {
        Touch(account);
        ref var entry = ref _accounts[account];
        Push(JournalKind.Code, account, (ulong)_codeJournal.Count);
        _codeJournal.Add((entry.CodeHash, entry.Code, entry.CodeChanged));
        entry.CodeHash = code.Hash;
        entry.Code = code;
        entry.CodeChanged = true;
    }

    /// <summary>
    /// Whether nothing stands in the way of a contract here: no nonce, code (EIP-684) or storage (EIP-7610).
    /// </summary>
    public bool CanCreateAt(int account)
    {
        ref var entry = ref _accounts[account];
        entry.Uses |= AccountFields.Nonce | AccountFields.Code;
        return entry.Nonce == 0 && entry.CodeHash == Code.Empty.Hash && (!entry.HasStorage || entry.CreatedHere);
    }

    /// <summary>Makes the account a new contract of this transaction: nonce 1 from EIP-161, balance kept.</summary>
    public void CreateContract(int account)
    {
        Touch(account);
        ref var entry = ref _accounts[account];
        if (!entry.CreatedHere)
        {
            entry.CreatedHere = true;
            Push(JournalKind.Created, account, default);
        }

        if (_rules.Eip161)
        {
            SetNonce(account, 1);
        }
    }

    /// <summary>Whether this transaction created the contract (EIP-6780).</summary>
    public bool IsCreatedHere(int account) => _accounts[account].CreatedHere;

    public bool IsDestroyed(int account) => _accounts[account].Destroyed;

    /// <summary>
    /// Schedules removal at the transaction's end; true the first time. Balances are the caller's business.
    /// </summary>
    public bool MarkDestroyed(int account)
    {
        Touch(account);
        ref var entry = ref _accounts[account];
        if (entry.Destroyed)
        {
            return false;
        }

        entry.Destroyed = true;
        Push(JournalKind.Destroyed, account, default);
        return true;
    }

    public void AddLog(Log log) => _logs.Add(log);

    private bool Load(int account)
    {
        ref var entry = ref _accounts[account];
        var status = _reader.ReadAccount(entry.Address, out var record);
        if (status == ReadStatus.NotLoaded)
        {
            _missing.Add(new MissingKey(MissingKind.Account, entry.Address, default, default));
            return false;
        }

        entry.Loaded = true;
        entry.Exists = entry.OriginalExists = status == ReadStatus.Found;
        if (!entry.Exists)
        {
            record = new Account(0, UInt256.Zero, Code.Empty.Hash, false);
        }

        entry.Nonce = entry.OriginalNonce = record.Nonce;
        entry.Balance = entry.OriginalBalance = record.Balance;
        entry.CodeHash = entry.OriginalCodeHash = record.CodeHash;
        entry.HasStorage = entry.OriginalHasStorage = record.HasStorage;
        entry.Ordinal = _accountReads++;
        return true;
    }

    private int AddAccount(in Address address, int hash)
    {
        if (_accountCount == _accounts.Length)
        {
            Array.Resize(ref _accounts, _accounts.Length * 2);
        }

        if (_accountCount * 2 > _accountBuckets.Length)
        {
            _accountBuckets = NewBuckets(_accountBuckets.Length * 2);
            for (var i = 0; i < _accountCount; i++)
            {
                ref var moved = ref _accountBuckets[_accounts[i].Hash & (_accountBuckets.Length - 1)];
                _accounts[i].Next = moved;
                moved = i;
            }
        }

        ref var bucket = ref _accountBuckets[hash & (_accountBuckets.Length - 1)];
        var handle = _accountCount++;
        ref var entry = ref _accounts[handle];
        entry = default;
        entry.Address = address;
        entry.Hash = hash;
        entry.Next = bucket;
        bucket = handle;
        return handle;
    }

    private void ClearAccounts()
    {
        for (var i = 0; i < _accountCount; i++)
        {
            _accountBuckets[_accounts[i].Hash & (_accountBuckets.Length - 1)] = -1;
            _accounts[i].Code = null;
        }

        _accountCount = 0;
    }

    private static int[] NewBuckets(int size)
    {
        var buckets = new int[size];
        Array.Fill(buckets, -1);
        return buckets;
    }

    private struct AccountEntry
    {
        public Address Address;
        public int Hash, Next, Ordinal;
        public UInt256 Balance, OriginalBalance;
        public Hash256 CodeHash, OriginalCodeHash;
        public ulong Nonce, OriginalNonce;
        public Code? Code;
        public AccountFields Uses;
        public bool Loaded, Exists, OriginalExists, HasStorage, OriginalHasStorage;
        public bool Warm, Touched, CreatedHere, Destroyed, CodeChanged, StorageWritten;
    }
}

/// <summary>What kind of key a reader did not have at hand.</summary>
public enum MissingKind : byte
{
    Account,
    Slot,
    Code,
}

/// <summary>A key that must be fetched before the transaction can be run.</summary>
public readonly record struct MissingKey(MissingKind Kind, Address Address, UInt256 Slot, Hash256 CodeHash);

/// <summary>A state without accounts.</summary>
public sealed class EmptyStateReader : IStateReader
{
    public static EmptyStateReader Instance { get; } = new();

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        account = default;
        return ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        return ReadStatus.Absent;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
    {
        code = null;
        return ReadStatus.Absent;
    }
}
