using System.Collections.Concurrent;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests.Consensus;

/// <summary>Validators in this process: real replicas, chains and threads, no wire.</summary>
internal sealed class ValidatorCluster : IAsyncDisposable
{
    internal const int Registered = 4;
    internal static readonly UInt256 Ether = DevRegistry.StakeOf(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly IReadOnlyList<DevAccount> Accounts = DevGenesis.AccountsOf(Mnemonic.Development, 12);

    private readonly LocalValidators _validators;
    private readonly Dictionary<Address, ulong> _nonces = [];

    private ValidatorCluster(LocalValidators validators, IKeyValueStore[] stores, ConcurrentQueue<string> log) =>
        (_validators, Stores, Log) = (validators, stores, log);

    internal IReadOnlyList<ValidatorNode> Nodes => _validators.Nodes;

    internal IKeyValueStore[] Stores { get; }

    internal ConcurrentQueue<string> Log { get; }

    internal IChain Chain => Nodes[0].Node.Chain;

    internal ConsensusView View(int node) => Nodes[node].Node.Consensus!;

    /// <summary>Accounts with money that no validator has.</summary>
    internal static DevAccount User(int number) => Accounts[number];

    internal static byte[] KeyOf(int validator)
    {
        var key = Accounts[8].PrivateKey.ToArray();
        key[31] = (byte)(validator + 1);
        return key;
    }

    internal static Address AddressOf(int validator) => Secp256k1.AddressOf(KeyOf(validator));

    internal static Genesis Genesis(RegistryParameters parameters) => DevGenesis.Create(
        ChainSpec.DevelopmentChainId, Fork.Osaka, Accounts, Ether * new UInt256(10_000), 1_700_000_000,
        new DevRegistry(parameters, [.. Enumerable.Range(0, Registered).Select(i => new RegisteredValidator(
            AddressOf(i), AddressOf(i), Ether * new UInt256(10), $"http://validator{i}.invalid:1"))]));

    /// <param name="count">Nodes; those above the fourth are not registered.</param>
    /// <param name="parameters">Of the registry.</param>
    /// <param name="between">Puts something between a validator and its peers.</param>
    /// <param name="processor">Makes a validator's blocks; null for the usual one.</param>
    /// <param name="stores">Stores of an earlier run.</param>
    /// <param name="adjust">Changes the options.</param>
    internal static async Task<ValidatorCluster> StartAsync(
        int count, RegistryParameters parameters, Func<int, IPeerNetwork, IPeerNetwork>? between = null,
        Func<int, BlockProcessor?>? processor = null, IKeyValueStore[]? stores = null,
        Func<LocalValidatorsOptions, LocalValidatorsOptions>? adjust = null)
    {
        var log = new ConcurrentQueue<string>();
        stores ??= [.. Enumerable.Range(0, count).Select(_ => new MemoryKeyValueStore())];
        var options = new LocalValidatorsOptions
        {
            Genesis = Genesis(parameters),
            Keys = [.. Enumerable.Range(0, count).Select(KeyOf)],
            OpenStore = node => new UnclosedStore(stores[node]),
            NewEngine = () => new EvmEngine(),
            NewProcessor = node => processor?.Invoke(node) ?? new BlockProcessor(new EvmEngine()),
            Parameters = new ConsensusParameters { BatchAgeMs = 2, StatusPeriodMs = 100, ProgressTimeoutMs = 1_000 },
            Log = (node, line) => log.Enqueue($"[{node}] {line}"),
            Between = between ?? ((_, network) => network),
        };
        var validators = await LocalValidators.StartAsync(adjust?.Invoke(options) ?? options, TimeProvider.System);
        return new ValidatorCluster(validators, stores, log);
    }

    /// <summary>Sends a transaction from a user's account through a node; answers its hash.</summary>
    internal Hash256 Send(
        byte[] key, Address to, byte[]? data = null, UInt256 value = default, int node = 0, ulong gasLimit = 500_000)
    {
        var sender = Secp256k1.AddressOf(key);
        var nonce = _nonces.GetValueOrDefault(sender);
        _nonces[sender] = nonce + 1;
        var transaction = TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = nonce,
                GasLimit = gasLimit, To = to, Value = value, Data = data ?? [],
                MaxFeePerGas = new UInt256(20_000_000_000), MaxPriorityFeePerGas = UInt256.One,
            },
            key);
        Assert.Null(Nodes[node].Node.Ingest.Submit(transaction).Error);
        return transaction.Hash;
    }

    /// <summary>Waits for the receipt on the first node; answers whether the transaction succeeded.</summary>
    internal async Task<bool> IncludedAsync(Hash256 hash)
    {
        await UntilAsync("a receipt", () => Chain.FindTransaction(hash) is not null);
        var place = Chain.FindTransaction(hash)!.Value;
        return Chain.GetReceipts(place.BlockNumber)![place.Index].Succeeded == true;
    }

    /// <summary>Makes blocks until the first node has finalized this one.</summary>
    internal async Task AdvanceToAsync(ulong number)
    {
        while (Chain.Head.Number < number)
        {
            await IncludedAsync(Send(User(0).PrivateKey.ToArray(), Address.FromNumber(0xC0FFEE), value: UInt256.One));
        }

        await UntilAsync($"block {number} to be final", () => Chain.FinalizedNumber >= number);
    }

    internal async Task UntilAsync(string what, Func<bool> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!holds())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Limit,
                $"waited too long for {what}\n{string.Join('\n', Log.TakeLast(40))}");
            await pause.WaitForNextTickAsync();
        }
    }

    public ValueTask DisposeAsync() => _validators.DisposeAsync();
}
