using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Consensus.Stake;

/// <summary>The registry of a genesis with four validators, and transactions to it on the EVM.</summary>
internal sealed class RegistryWorld : IBlockHashSource
{
    internal const ulong ChainId = 31_337;
    internal static readonly UInt256 Ether = new(1_000_000_000_000_000_000);
    internal static readonly Address Reporter = Address.FromNumber(0x4E9);

    private readonly TransactionProcessor _processor = new(new EvmEngine());
    private readonly WorldState _world = new();

    internal RegistryWorld(RegistryParameters? parameters = null)
    {
        var genesis = ValidatorRegistry.Account(parameters ?? new RegistryParameters(), FirstValidators);
        State.Set(new AllocatedAccount(
            ValidatorRegistry.Address, genesis.Nonce, genesis.Balance, new Code(genesis.Code), genesis.Storage));
        foreach (var number in Enumerable.Range(0, 10))
        {
            Fund(OwnerOf(number));
        }

        Fund(Reporter);
    }

    internal static IReadOnlyList<RegisteredValidator> FirstValidators { get; } =
    [
        .. Enumerable.Range(0, 4).Select(i => new RegisteredValidator(
            KeyOf(i).Address, OwnerOf(i), Ether * new UInt256((ulong)i + 2), $"http://validator{i}:9000")),
    ];

    internal MemoryState State { get; } = new();

    internal ulong Number { get; set; } = 1;

    internal ulong Timestamp { get; set; } = 1_000;

    /// <summary>What the last call returned or reverted with.</summary>
    internal byte[] Output { get; private set; } = [];

    internal ulong GasUsed { get; private set; }

    internal ValidatorRegistry Registry => ValidatorRegistry.Read(State)!;

    public Hash256 HashOf(ulong number) => Hash256.Zero;

    internal static Secp256k1Signer KeyOf(int number) => TestCluster.KeyOf(number + 1);

    internal static Address OwnerOf(int number) => Address.FromNumber(0x1000 + (ulong)number);

    internal void Fund(in Address address, UInt256? balance = null) => State.Set(
        new AllocatedAccount(address, 0, balance ?? Ether * new UInt256(1_000), null, null));

    internal UInt256 BalanceOf(in Address address)
    {
        State.ReadAccount(address, out var account);
        return account.Balance;
    }

    /// <summary>Whether the call succeeds; then it has its effect.</summary>
    internal bool Send(in Address from, byte[] data, UInt256 value = default, Address? to = null)
    {
        var block = new BlockContext
        {
            Rules = ForkRules.Of(Fork.Osaka), ChainId = ChainId, Number = Number, Timestamp = Timestamp,
            GasLimit = 30_000_000, BlockHashes = this,
        };
        _world.Reset(State, block.Rules);
        var outcome = _processor.Execute(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainId, GasLimit = 10_000_000,
                To = to ?? ValidatorRegistry.Address, Value = value, Data = data, Sender = from,
            },
            block, _world, ulong.MaxValue, ProcessingOptions.Simulate | ProcessingOptions.SkipStatelessChecks);
        Assert.Equal(TransactionError.None, outcome.Error);
        (Output, GasUsed) = (outcome.Output.ToArray(), outcome.GasUsed);
        var changes = new StateChanges();
        _world.CollectChanges(changes);
        var state = new BlockState(State);
        state.Apply(changes);
        State.Apply(state);
        return outcome.Succeeded;
    }

    /// <summary>Expects a revert with this error of the contract.</summary>
    internal void Refuses(string error, in Address from, byte[] data, UInt256 value = default)
    {
        Assert.False(Send(from, data, value), "the call succeeded");
        Assert.Equal(AbiFunction.Parse(error).Selector.ToArray(), Output[..4]);
    }

    internal bool Register(int number, UInt256 stake) => Send(OwnerOf(number), Registration(number), stake);

    internal static byte[] Registration(int number, string? endpoint = null) => RegistryCalls.Register(
        ChainId, KeyOf(number), OwnerOf(number), endpoint ?? $"http://validator{number}:9000");
}
