using System.Diagnostics;
using System.Text;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Bench;

/// <summary>From a body's bytes to the pool and an answer's bytes, without a network and without blocks.</summary>
internal sealed class IngestBenchmark : IBenchmark
{
    private const int Accounts = 200;
    private const int Transactions = 20_000;
    private const int BatchSize = 50;
    private const int WarmUps = 3;

    /// <summary>Clients that send one transaction after the other.</summary>
    private const int SingleClients = 64;

    public string Name => "ingest";

    public string Description => "eth_sendRawTransaction, body to pool, one core and all: transactions/s, bytes each";

    public Task RunAsync(BenchContext context)
    {
        var accounts = DevGenesis.AccountsOf(Mnemonic.Development, Accounts);
        var genesis = DevGenesis.Create(
            ChainSpec.DevelopmentChainId, Fork.Osaka, accounts,
            new UInt256(10_000) * 1_000_000_000_000_000_000, 1_700_000_000);
        using var store = new MemoryKeyValueStore();
        using var chain = Chain.Open(store, genesis);
        using var node = new Node(
            chain, genesis.Spec, () => new EvmEngine(), new NodeOptions(), TimeProvider.System, static _ => { });
        var rpc = RpcServices.DispatcherOf(node, new RpcLimits());
        var raw = Sign(accounts, chain.ChainId);
        foreach (var (name, size, clients) in new[]
        {
            ("single_1_client", 1, 1), ($"single_{SingleClients}_clients", 1, SingleClients),
            ("batch", BatchSize, Environment.ProcessorCount),
        })
        {
            var bodies = Bodies(raw, size);
            for (var run = 0; run < WarmUps; run++)
            {
                Submit(node, rpc, bodies, clients);
            }

            CoreAffinity.OnOneCore(() => Measure(context, $"{name}_1_core", () => Submit(node, rpc, bodies, clients)));
            Measure(context, $"{name}_all_cores", () => Submit(node, rpc, bodies, clients));
        }

        return Task.CompletedTask;
    }

    private static void Measure(BenchContext context, string name, Func<TimeSpan> submit)
    {
        var (rates, bytes) = (new double[context.Runs], new double[context.Runs]);
        for (var run = 0; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var before = GC.GetTotalAllocatedBytes(precise: true);
            var took = submit();
            bytes[run] = (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / Transactions;
            rates[run] = Transactions / took.TotalSeconds;
        }

        context.Report(name, "tx/s", rates);
        context.Report($"{name}_allocated", "B/tx", bytes);
    }

    /// <summary>Submits all bodies from so many clients, checks that the pool has everything, and empties it.</summary>
    private static TimeSpan Submit(Node node, RpcDispatcher rpc, byte[][] bodies, int clients)
    {
        var started = Stopwatch.GetTimestamp();
        Task.WaitAll([.. Enumerable.Range(0, clients).Select(
            client => Task.Run(() => SubmitShareAsync(rpc, bodies, client, clients)))]);
        var took = Stopwatch.GetElapsedTime(started);
        if (node.Pool.Count != Transactions)
        {
            throw new InvalidOperationException($"The pool took {node.Pool.Count} of {Transactions} transactions.");
        }

        node.Pool.Clear("measured");
        return took;
    }

    private static async Task SubmitShareAsync(RpcDispatcher rpc, byte[][] bodies, int first, int step)
    {
        for (var i = first; i < bodies.Length; i += step)
        {
            using var answer = await rpc.AnswerAsync(bodies[i]);
            if (answer.Bytes.Span.IndexOf("\"error\""u8) >= 0)
            {
                throw new InvalidOperationException(Encoding.UTF8.GetString(answer.Bytes.Span));
            }
        }
    }

    private static string[] Sign(IReadOnlyList<DevAccount> accounts, ulong chainId)
    {
        var raw = new string[Transactions];
        System.Threading.Tasks.Parallel.For(0, Transactions, i =>
        {
            var signed = TransactionSigner.Sign(
                new Transaction
                {
                    Type = TransactionType.DynamicFee,
                    ChainId = chainId,
                    Nonce = (ulong)(i / Accounts),
                    GasLimit = 21_000,
                    MaxFeePerGas = 20_000_000_000,
                    MaxPriorityFeePerGas = 1_000_000_000,
                    To = accounts[(i + 7) % Accounts].Address,
                    Value = 1,
                },
                accounts[i % Accounts].PrivateKey);
            raw[i] = Hex.Encode(TransactionCodec.Encode(signed));
        });
        return raw;
    }

    private static byte[][] Bodies(string[] raw, int size)
    {
        var requests = raw.Select((bytes, id) =>
            $$"""{"jsonrpc":"2.0","id":{{id}},"method":"eth_sendRawTransaction","params":["{{bytes}}"]}""");
        return size == 1
            ? [.. requests.Select(Encoding.ASCII.GetBytes)]
            : [.. requests.Chunk(size).Select(part => Encoding.ASCII.GetBytes($"[{string.Join(',', part)}]"))];
    }
}
