using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Tests.Evm;

namespace SuperVm.Core.Tests.Parallel;

/// <summary>A small state and contracts that bring transactions into every kind of conflict.</summary>
internal sealed class ConflictWorld : IStateReader, IBlockHashSource
{
    private const int Senders = 12;

    private static readonly Address Coinbase = Address.FromNumber(0xC01);
    private static readonly Address Counter = Address.FromNumber(0xA001);
    private static readonly Address Token = Address.FromNumber(0xA002);
    private static readonly Address Watcher = Address.FromNumber(0xA003);
    private static readonly Address Payer = Address.FromNumber(0xA004);
    private static readonly Address Factory = Address.FromNumber(0xA005);
    private static readonly Address Victim = Address.FromNumber(0xA006);

    private readonly Dictionary<Address, Account> _accounts = [];
    private readonly Dictionary<SlotKey, UInt256> _slots = [];
    private readonly Dictionary<Hash256, Code> _codes = [];

    /// <param name="fork">The rules.</param>
    /// <param name="hasCoinbase">Whether the fee recipient exists before the block, so that fees are deferred.</param>
    /// <param name="gasLimit">The block's; by default less than many of the blocks want.</param>
    internal ConflictWorld(Fork fork, bool hasCoinbase = false, ulong gasLimit = 12_000_000)
    {
        Context = new BlockContext
        {
            Rules = ForkRules.Of(fork), ChainId = 1, Number = 10, Timestamp = 1, GasLimit = gasLimit,
            Coinbase = Coinbase, BlockHashes = this,
        };
        for (var i = 0; i < Senders; i++)
        {
            Put(SenderAddress(i), [], i == 0 ? 300_000UL : 1_000_000_000_000UL);
        }

        if (hasCoinbase)
        {
            Put(Coinbase, [], 90_000_000);
        }

        Put(Counter, new Assembler().Push(0).Op(Opcode.SLoad).Push(1).Op(Opcode.Add).Dup(1).Push(0)
            .Op(Opcode.SStore).Push(0).Op(Opcode.MStore).Push(32).Push(0).Op(Opcode.Log0).ToCode(), 0);
        Put(Token, TokenCode(), 0);
        Put(Watcher, new Assembler().Push(0).Op(Opcode.CallDataLoad).Op(Opcode.Balance).Push(0).Op(Opcode.SLoad)
            .Op(Opcode.Add).Push(0).Op(Opcode.SStore).Push(1).Push(0).Op(Opcode.CallDataLoad)
            .Op(Opcode.SStore).ToCode(), 0);
        Put(Payer, new Assembler().Push(0).Push(0).Push(0).Push(0).Push(3).Push(0).Op(Opcode.CallDataLoad)
            .Push(50_000).Op(Opcode.Call).Push(7).Op(Opcode.SStore).ToCode(), 1_000);
        Put(Factory, FactoryCode(), 0);
        Put(Victim, new Assembler().Push(0).Op(Opcode.CallDataLoad).Op(Opcode.SelfDestruct).ToCode(), 500);
        for (ulong slot = 0; slot < 5; slot++)
        {
            _slots[new SlotKey(Victim, slot)] = slot + 1;
        }

        _accounts[Victim] = _accounts[Victim] with { HasStorage = true };
    }

    internal BlockContext Context { get; }

    /// <summary>Valid and invalid transactions of a few senders, most of them in conflict with another.</summary>
    internal List<Transaction> RandomBlock(Random random, int count)
    {
        var nonces = new ulong[Senders];
        var transactions = new List<Transaction>();
        for (var i = 0; i < count; i++)
        {
            var sender = random.Next(Senders);
            var nonce = random.Next(15) switch
            {
                0 => nonces[sender] + 1,
                1 when nonces[sender] > 0 => nonces[sender] - 1,
                _ => nonces[sender]++,
            };
            transactions.Add(RandomTransaction(random, SenderAddress(sender), nonce));
        }

        return transactions;
    }

    /// <summary>One transaction for each seed, so that a failing block can be made smaller.</summary>
    internal static List<Transaction> BlockOf(IReadOnlyList<int> seeds)
    {
        var nonces = new ulong[Senders];
        return [.. seeds.Select(seed =>
        {
            var random = new Random(seed);
            var sender = random.Next(Senders);
            return RandomTransaction(random, SenderAddress(sender), nonces[sender]++);
        })];
    }

    /// <summary>
    /// Mostly plain transfers, where asked for also of the fee recipient; now and then something else or invalid.
    /// </summary>
    internal static List<Transaction> TransferBlock(Random random, int count, int oddOneIn, bool ofRecipient = true)
    {
        var nonces = new Dictionary<Address, ulong>();
        var transactions = new List<Transaction>();
        for (var i = 0; i < count; i++)
        {
            var sender = ofRecipient && random.Next(40) == 0 ? Coinbase : SenderAddress(1 + random.Next(Senders - 1));
            var nonce = nonces.GetValueOrDefault(sender);
            nonces[sender] = nonce + 1;
            transactions.Add(random.Next(oddOneIn) == 0
                ? RandomTransaction(random, sender, nonce + (ulong)random.Next(2))
                : Transfer(random, sender, nonce));
        }

        return transactions;
    }

    /// <summary>Every transaction writes the slot that the next one reads.</summary>
    internal static List<Transaction> ChainBlock(int count)
    {
        var nonces = new ulong[Senders];
        return [.. Enumerable.Range(0, count).Select(i => new Transaction
        {
            Type = TransactionType.Legacy, Nonce = nonces[1 + (i % 11)]++, GasLimit = 30_000, MaxFeePerGas = 1,
            MaxPriorityFeePerGas = 1, To = Counter, Sender = SenderAddress(1 + (i % 11)),
        })];
    }

    private static Transaction Transfer(Random random, Address sender, ulong nonce)
    {
        var price = new UInt256((ulong)random.Next(4));
        return new Transaction
        {
            Type = TransactionType.Legacy, Nonce = nonce, GasLimit = 21_000 + (ulong)random.Next(2_000),
            MaxFeePerGas = price, MaxPriorityFeePerGas = price, Value = 1 + (ulong)random.Next(1000), Sender = sender,
            To = random.Next(6) switch
            {
                0 => Address.FromNumber(0xF000 + (ulong)random.Next(6)),
                1 => Coinbase,
                2 => sender,
                _ => SenderAddress(random.Next(Senders)),
            },
        };
    }

    public ReadStatus ReadAccount(in Address address, out Account account) =>
        _accounts.TryGetValue(address, out account) ? ReadStatus.Found : ReadStatus.Absent;

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value) =>
        _slots.TryGetValue(new SlotKey(address, slot), out value) ? ReadStatus.Found : ReadStatus.Absent;

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _codes.TryGetValue(codeHash, out code) ? ReadStatus.Found : ReadStatus.Absent;

    public Hash256 HashOf(ulong number) => Hash256.Zero;

    private static Address SenderAddress(int index) => Address.FromNumber(0x5E00 + (ulong)index);

    private static Transaction RandomTransaction(Random random, Address sender, ulong nonce)
    {
        Address[] targets =
        [
            Counter, Token, Watcher, Payer, Factory, Victim, Coinbase, SenderAddress(random.Next(Senders)),
            SenderAddress(random.Next(Senders)), Address.FromNumber(0xF000 + (ulong)random.Next(6)),
        ];
        Address[] arguments =
        [
            Coinbase, SenderAddress(random.Next(Senders)), Address.FromNumber(0xF000 + (ulong)random.Next(6)), Victim,
            Address.FromNumber((ulong)random.Next(4)),
        ];
        var creates = random.Next(12) == 0;
        var price = new UInt256((ulong)random.Next(4));
        return new Transaction
        {
            Type = TransactionType.Legacy, Nonce = nonce, GasLimit = random.Next(20) == 0 ? 3_000_000UL : 300_000UL,
            MaxFeePerGas = price, MaxPriorityFeePerGas = price,
            To = creates ? null : targets[random.Next(targets.Length)],
            Value = (ulong)random.Next(3),
            Data = creates
                ? [0x60, 0x01, 0x60, 0x00, 0x55]
                : arguments[random.Next(arguments.Length)].ToWord().ToBigEndian(),
            Sender = sender,
        };
    }

    private void Put(Address address, byte[] code, UInt256 balance)
    {
        var made = new Code(code);
        _codes[made.Hash] = made;
        _accounts[address] = new Account(code.Length == 0 ? 0UL : 1UL, balance, made.Hash, false);
    }

    /// <summary>Takes one from the slot of the caller and gives it to the slot of the argument.</summary>
    private static byte[] TokenCode() => new Assembler()
        .Op(Opcode.Caller).Op(Opcode.SLoad).Push(1).Swap(1).Op(Opcode.Sub).Op(Opcode.Caller).Op(Opcode.SStore)
        .Push(0).Op(Opcode.CallDataLoad).Op(Opcode.SLoad).Push(1).Op(Opcode.Add)
        .Push(0).Op(Opcode.CallDataLoad).Op(Opcode.SStore).ToCode();

    /// <summary>
    /// Creates, always at the same address, a contract that writes slots and then is there or destroys itself.
    /// </summary>
    private static byte[] FactoryCode()
    {
        var init = new Assembler().Push(9).Push(1).Op(Opcode.SStore).Op(Opcode.CallValue).PushLabel("stay")
            .Op(Opcode.JumpI).Op(Opcode.Caller).Op(Opcode.SelfDestruct).Label("stay")
            .Push(0x33FF).Push(0).Op(Opcode.MStore).Push(2).Push(30).Op(Opcode.Return).ToCode();
        var word = new byte[32];
        init.CopyTo(word, 0);
        return new Assembler().PushBytes(word).Push(0).Op(Opcode.MStore)
            .Push(5).Push((ulong)init.Length).Push(0).Op(Opcode.CallValue).Op(Opcode.Create2)
            .Op(Opcode.Dup1).Push(2).Op(Opcode.SStore)
            .Push(0).Push(0).Push(0).Push(0).Push(0).Dup(6).Push(60_000).Op(Opcode.Call).ToCode();
    }
}
