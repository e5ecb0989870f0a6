using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Evm;

/// <summary>A few accounts, an engine and a block to run messages in.</summary>
internal sealed class EvmWorld : IStateReader, IBlockHashSource
{
    internal static readonly Address Sender = Address.FromNumber(0x5E4D);
    internal static readonly Address Contract = Address.FromNumber(0xC0DE);
    internal static readonly Address Other = Address.FromNumber(0x07E2);

    private readonly Dictionary<Address, Account> _accounts = [];
    private readonly Dictionary<SlotKey, UInt256> _slots = [];
    private readonly Dictionary<Hash256, Code> _codes = [];
    private readonly ForkRules _rules;

    internal EvmWorld(Fork fork = Fork.Osaka)
    {
        _rules = ForkRules.Of(fork);
        Block = new BlockContext
        {
            Rules = _rules, ChainId = 1337, Number = 1000, Timestamp = 12_345, GasLimit = 30_000_000, BaseFee = 7,
            Coinbase = Address.FromNumber(0xC01), Difficulty = 99, BlobBaseFee = 3, BlockHashes = this,
        };
        Put(Sender, balance: 1_000_000);
        State.Reset(this, _rules);
    }

    internal EvmEngine Engine { get; } = new();

    internal WorldState State { get; } = new();

    internal BlockContext Block { get; }

    internal IReadOnlyList<Hash256> BlobHashes { get; set; } = [];

    /// <summary>Addresses and slots whose reads answer NotLoaded.</summary>
    internal HashSet<Address> NotLoaded { get; } = [];

    internal EvmWorld Put(Address address, byte[]? code = null, UInt256 balance = default, ulong nonce = 0) =>
        Put(address, new Code(code ?? []), balance, nonce);

    internal EvmWorld Put(Address address, Code made, UInt256 balance = default, ulong nonce = 0)
    {
        _codes[made.Hash] = made;
        _accounts[address] = new Account(nonce, balance, made.Hash, false);
        return this;
    }

    internal EvmWorld PutSlot(Address address, UInt256 slot, UInt256 value)
    {
        _slots[new SlotKey(address, slot)] = value;
        _accounts[address] = _accounts[address] with { HasStorage = true };
        return this;
    }

    /// <summary>Runs the program in place of the contract's code on a fresh state.</summary>
    internal ExecutionResult Run(Assembler program, ulong gas = 1_000_000, byte[]? input = null)
    {
        _accounts.TryGetValue(Contract, out var before);
        Put(Contract, program.ToCode(), before.Balance, Math.Max(1, before.Nonce));
        if (before.HasStorage)
        {
            _accounts[Contract] = _accounts[Contract] with { HasStorage = true };
        }

        return Call(Contract, gas, input);
    }

    internal ExecutionResult Call(Address to, ulong gas = 1_000_000, byte[]? input = null, UInt256 value = default)
    {
        State.Reset(this, _rules);
        return Engine.Execute(
            new Message
            {
                Kind = MessageKind.Call, Caller = Sender, Recipient = to, CodeAddress = to, Gas = gas, Input = input,
                Value = value,
            },
            new TransactionContext { Origin = Sender, GasPrice = 11, BlobHashes = BlobHashes }, Block, State);
    }

    internal ExecutionResult Create(Address at, byte[] initCode, ulong gas = 1_000_000, UInt256 value = default)
    {
        State.Reset(this, _rules);
        return Engine.Execute(
            new Message
            {
                Kind = MessageKind.Create, Caller = Sender, Recipient = at, CodeAddress = at, Gas = gas,
                Input = initCode, Value = value,
            },
            new TransactionContext { Origin = Sender, GasPrice = 11, BlobHashes = BlobHashes }, Block, State);
    }

    /// <summary>The word that a program returns.</summary>
    internal UInt256 WordOf(Assembler program, byte[]? input = null)
    {
        var result = Run(program.ReturnTop(), input: input);
        Assert.Equal(ExecutionStatus.Success, result.Status);
        return UInt256.FromBigEndian(result.Output.Span);
    }

    /// <summary>Gas that a program uses when it ends well.</summary>
    internal ulong GasOf(Assembler program)
    {
        var result = Run(program);
        Assert.Equal(ExecutionStatus.Success, result.Status);
        return 1_000_000 - result.GasLeft;
    }

    internal int Open(Address address)
    {
        Assert.True(State.TryOpen(address, out var account));
        return account;
    }

    internal UInt256 Slot(Address address, UInt256 slot)
    {
        Assert.True(State.TryOpenSlot(Open(address), slot, out var handle));
        return State.SlotValue(handle);
    }

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        account = default;
        if (NotLoaded.Contains(address))
        {
            return ReadStatus.NotLoaded;
        }

        return _accounts.TryGetValue(address, out account) ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value) =>
        _slots.TryGetValue(new SlotKey(address, slot), out value) ? ReadStatus.Found : ReadStatus.Absent;

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _codes.TryGetValue(codeHash, out code) ? ReadStatus.Found : ReadStatus.Absent;

    public Hash256 HashOf(ulong number)
    {
        Span<byte> bytes = stackalloc byte[32];
        new UInt256(number + 0xB10C).WriteBigEndian(bytes);
        return new Hash256(bytes);
    }
}
