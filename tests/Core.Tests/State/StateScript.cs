using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.State;

/// <summary>Random blocks, reverts and switches on a state store, beside whole states in dictionaries.</summary>
internal sealed class StateScript
{
    private const int AddressCount = 12;
    private const int SlotCount = 6;

    private readonly Random _random;
    private readonly StateOptions _options;
    private readonly IKeyValueStore _keyValues;
    private readonly List<MemoryState> _states = [];

    internal StateScript(
        int seed, ulong historyBlocks, int parallelChanges, IKeyValueStore? store = null, int bufferBlocks = 3)
    {
        _random = new Random(seed);
        _keyValues = store ?? new MemoryKeyValueStore();
        _options = new StateOptions
        {
            HistoryBlocks = historyBlocks, ParallelChanges = parallelChanges, TrieBufferBlocks = bufferBlocks,
            TrieCacheBytes = 1 << (seed & 15),
        };
        using var batch = _keyValues.CreateBatch();
        var genesis = Enumerable.Range(1, 4).Select(number => new AllocatedAccount(
            Address.FromNumber((ulong)number),
            0,
            100,
            number % 2 == 0 ? new Code([(byte)number]) : null,
            new Dictionary<UInt256, UInt256> { [1] = (ulong)number, [2] = 0 })).ToArray();
        _states.Add(new MemoryState(genesis));
        var root = StateStore.WriteGenesis(genesis, batch, _options);
        Assert.Equal(_states[0].Root, root);
        _keyValues.Write(batch);
        Store = StateStore.Open(_keyValues, _options)!;
    }

    internal StateStore Store { get; private set; }

    internal void Reopen()
    {
        Store.Dispose();
        Store = StateStore.Open(_keyValues, _options)!;
    }

    internal MemoryState Snapshot() => new(_states[^1].Accounts);

    internal bool Run(int steps, bool revert = true)
    {
        for (var step = 0; step < steps; step++)
        {
            switch (revert ? _random.Next(9) : 1)
            {
                case 0:
                    Revert(Lowest() + (ulong)_random.Next((int)(Store.HeadNumber - Lowest()) + 1));
                    break;
                case 8:
                    Reopen();
                    break;
                case 7:
                    Switch(Lowest() + (ulong)_random.Next((int)(Store.HeadNumber - Lowest()) + 1), _random.Next(1, 4));
                    break;
                default:
                    Extend();
                    break;
            }
        }

        AssertStates();
        return true;
    }

    /// <summary>Compares every readable state with the dictionaries, and proofs with their roots.</summary>
    internal void AssertStates()
    {
        Assert.Equal((ulong)_states.Count - 1, Store.HeadNumber);
        Assert.Equal(_states[^1].Root, Store.HeadRoot);
        for (var number = Store.OldestNumber; number <= Store.HeadNumber; number++)
        {
            var expected = _states[(int)number];
            AssertSame(expected, Store.At(number)!);
            var address = Address.FromNumber((ulong)_random.Next(1, AddressCount + 2));
            var proof = Store.Prove(number, address, [1, 2, 77])!;
            ProofVerifier.AssertProves(expected.Root, proof);
            expected.ReadAccount(address, out var account);
            Assert.Equal((account.Nonce, account.Balance), (proof.Account.Nonce, proof.Account.Balance));
            foreach (var slot in proof.Slots)
            {
                expected.ReadSlot(address, slot.Slot, out var value);
                Assert.Equal(value, slot.Value);
            }
        }
    }

    internal static void AssertSame(MemoryState expected, IStateReader actual)
    {
        for (var number = 0UL; number <= AddressCount; number++)
        {
            var address = Address.FromNumber(number);
            var status = expected.ReadAccount(address, out var account);
            Assert.Equal(status, actual.ReadAccount(address, out var found));
            Assert.Equal(account, found);
            if (status == ReadStatus.Found && account.HasCode)
            {
                Assert.Equal(ReadStatus.Found, actual.ReadCode(account.CodeHash, out var code));
                Assert.Equal(account.CodeHash, Keccak256.Hash(code!.Bytes));
            }

            for (var slot = 0UL; slot <= SlotCount; slot++)
            {
                expected.ReadSlot(address, slot, out var value);
                actual.ReadSlot(address, slot, out var foundValue);
                Assert.Equal(value, foundValue);
            }
        }
    }

    /// <summary>
    /// Every block gives account 1 a balance and writes the same into its slot 5: a reader must see both.
    /// </summary>
    internal static void AssertWhole(StateStore store)
    {
        var latest = store.Latest;
        latest.ReadAccount(Address.FromNumber(1), out var account);
        latest.ReadSlot(Address.FromNumber(1), 5, out var slot);
        Assert.Equal(account.Balance, slot);
    }

    internal static void SetBalance(BlockState state, in Address address, in UInt256 balance)
    {
        state.ReadAccount(address, out var account);
        var changes = new StateChanges();
        changes.Accounts.Add(new AccountChange(
            address, true, WithCode(account) with { Balance = balance }, false, null));
        state.Apply(changes);
    }

    internal void Revert(ulong number)
    {
        using var batch = _keyValues.CreateBatch();
        _states.RemoveRange((int)number + 1, _states.Count - (int)number - 1);
        Store.Switch(number, [], _states[^1].Root, batch);
    }

    private ulong Lowest() => Store.OldestNumber;

    private void Extend()
    {
        var block = new BlockState(Store.Latest);
        Fill(block, Store.HeadNumber + 1);
        var next = Snapshot();
        next.Apply(block);
        Assert.Equal(next.Root, Store.RootOf(block));
        var transition = Store.Prepare(block);
        Assert.Equal(next.Root, transition.Root);
        using var batch = _keyValues.CreateBatch();
        Store.Commit(transition, batch);
        _states.Add(next);
    }

    private void Switch(ulong ancestor, int count)
    {
        var transitions = new List<StateTransition>();
        var states = _states.Take((int)ancestor + 1).ToList();
        for (var i = 0; i < count; i++)
        {
            var parent = Store.OverlayAt(ancestor, transitions);
            AssertSame(states[^1], parent);
            var block = new BlockState(parent);
            Fill(block, ancestor + 1 + (ulong)i);
            var next = new MemoryState(states[^1].Accounts);
            next.Apply(block);
            transitions.Add(Store.Prepare(block, parent));
            Assert.Equal(next.Root, transitions[^1].Root);
            states.Add(next);
        }

        AssertStates();
        using var batch = _keyValues.CreateBatch();
        Store.Switch(ancestor, transitions, transitions[^1].Root, batch);
        _states.Clear();
        _states.AddRange(states);
    }

    private void Fill(BlockState block, ulong number)
    {
        for (var i = _random.Next(1, 10); i > 0; i--)
        {
            Change(block);
        }

        block.ReadAccount(Address.FromNumber(1), out var account);
        var changes = new StateChanges();
        account = WithCode(account) with { Balance = number, HasStorage = true };
        changes.Accounts.Add(new AccountChange(Address.FromNumber(1), true, account, false, null));
        changes.Slots.Add(new SlotChange(Address.FromNumber(1), 5, number));
        block.Apply(changes);
    }

    /// <summary>
    /// What one transaction could do: pay, deploy, write slots, or remove an account with its storage.
    /// </summary>
    private void Change(BlockState block)
    {
        var changes = new StateChanges();
        var address = Address.FromNumber((ulong)_random.Next(1, AddressCount + 1));
        var exists = block.ReadAccount(address, out var account) == ReadStatus.Found;
        account = WithCode(account);
        if (exists && _random.Next(6) == 0)
        {
            changes.Accounts.Add(new AccountChange(address, false, default, true, null));
            block.Apply(changes);
            return;
        }

        Code? code = null;
        if (!exists && _random.Next(2) == 0)
        {
            code = new Code([(byte)_random.Next(256), 0]);
            account = account with { CodeHash = code.Hash };
        }

        for (var i = _random.Next(4); i > 0; i--)
        {
            var slot = (UInt256)(ulong)_random.Next(SlotCount + 1);
            if (changes.Slots.All(change => change.Slot != slot))
            {
                block.ReadSlot(address, slot, out _);
                changes.Slots.Add(new SlotChange(address, slot, (ulong)_random.Next(3) * 1000));
            }
        }

        var hasStorage = account.HasStorage || changes.Slots.Any(change => !change.Value.IsZero);
        account = account with
        {
            Nonce = account.Nonce + 1, Balance = (ulong)_random.Next(1000), HasStorage = hasStorage,
        };
        changes.Accounts.Add(new AccountChange(address, true, account, false, code));
        block.Apply(changes);
    }

    private static Account WithCode(in Account account) =>
        account.CodeHash.IsZero ? account with { CodeHash = Keccak256.OfEmpty } : account;
}
