using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Server;

/// <summary>
/// Runs a scratch node beside the real one for a moment, so that the first clients find compiled code.
/// </summary>
/// <remarks>
/// <code>
///   a chain in memory ◀─ node ◀─ server on a loopback port ◀─ signed transfers, token calls, reads, receipts
/// </code>
/// The runtime compiles a method twice: at its first call, badly, and well after some dozens of calls. A node that
/// starts would run its first thousands of transactions on the former. The whole way is walked here, HTTP included,
/// with nothing of the real chain, its pool or its metrics touched. It takes about a second of one core, and ends where
/// the real node has a load by then: that compiles its code itself.
/// </remarks>
public static class NodeWarmUp
{
    /// <summary>
    /// Code that runs once a batch or a block must run twice thirty times: to be measured, and to be compiled well.
    /// </summary>
    private const int Rounds = 120;

    private const int SmallBatch = 10;

    /// <summary>Enough for a block that is executed in parallel; every so many rounds.</summary>
    private const int LargeBatch = 100;

    private const int RoundsToLarge = 4;
    private const int Reads = 20;
    private const int Accounts = 10;

    /// <summary>Transactions of the real node that count as a load.</summary>
    private const int LoadTransactions = 100;

    private const int RoundsBetweenRests = 15;

    /// <summary>The runtime compiles well only what was called when no new method came for 100 ms.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(120);

    private static readonly Address Token = Address.FromNumber(0x7000_0001);

    /// <summary>
    /// As a token's transfer does: two mapping entries read and written, an event, true. Written by hand:
    /// slot = keccak(caller ‖ 0), slot -= 1; slot = keccak(word 4 ‖ 0), slot += 1; log3; return 1.
    /// </summary>
    private static readonly byte[] TokenCode = Convert.FromHexString(
        "33600052604060002080546001900390556004356000526040600020805460010190556024356000526004353360076020600"
        + "0a3600160005260206000f3");

    /// <summary>Warms up until it is done or cancelled; never throws for what may go wrong on the way.</summary>
    /// <param name="real">The node that it is for.</param>
    /// <param name="newEngine">Makes an engine for calls.</param>
    /// <param name="newProcessor">Makes what executes the scratch chain's blocks.</param>
    /// <param name="log">Takes one line where it failed.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task RunAsync(
        Node real, Func<IExecutionEngine> newEngine, Func<BlockProcessor> newProcessor, Action<string> log,
        CancellationToken cancellation)
    {
        try
        {
            await WalkAsync(real, newEngine, newProcessor, cancellation);

            // On another stack, and with the scratch node's threads gone, nothing holds on to it any more.
            await Task.Delay(Rest, cancellation);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException)
        {
            if (!cancellation.IsCancellationRequested)
            {
                log($"warming up ended early: {end.Message}");
            }
        }

        if (!IsLoaded(real) && !cancellation.IsCancellationRequested)
        {
            // What the scratch chain left in the heap goes back to the system; finalizers of its sockets and timers
            // hold on to it until they have run.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private static bool IsLoaded(Node real) => real.Producer.Counts.Transactions + real.Pool.Count > LoadTransactions;

    private static Genesis GenesisOf(IReadOnlyList<DevAccount> accounts)
    {
        var ether = new UInt256(1_000_000_000_000_000_000);
        var genesis = DevGenesis.Create(
            ChainSpec.DevelopmentChainId, Fork.Osaka, accounts, ether * 1_000_000UL, timestamp: 0);
        return genesis with
        {
            Alloc = new Dictionary<Address, GenesisAccount>(genesis.Alloc)
            {
                [Token] = new(UInt256.Zero, 1, TokenCode, new Dictionary<UInt256, UInt256>()),
            },
        };
    }

    /// <summary>A method of its own: what an asynchronous method names lives until it ends.</summary>
    private static async Task WalkAsync(
        Node real, Func<IExecutionEngine> newEngine, Func<BlockProcessor> newProcessor, CancellationToken cancellation)
    {
        var accounts = DevGenesis.AccountsOf(Mnemonic.Development, Accounts);
        using var store = new MemoryKeyValueStore();
        using var chain = Chain.Open(store, GenesisOf(accounts), new ChainOptions { Processor = newProcessor() });
        using var node = new Node(
            chain, chain.Spec, newEngine, new NodeOptions(), TimeProvider.System, static _ => { });
        await using var server = await NodeServer.StartAsync(node, new ServerOptions { Port = 0 }, cancellation);
        node.Start();
        await WalkAsync(real, server.Address, accounts, chain.ChainId, cancellation);
    }

    private static async Task WalkAsync(
        Node real, Uri address, IReadOnlyList<DevAccount> accounts, ulong chainId, CancellationToken cancellation)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), cancellation);
        var answer = new byte[1 << 20];
        var nonces = new ulong[Accounts];
        for (var round = 0; round < Rounds && !IsLoaded(real); round++)
        {
            var count = round % RoundsToLarge == 0 ? LargeBatch : SmallBatch;
            var hashes = new List<string>(count);
            var submit = Submit(accounts, nonces, chainId, count, hashes);
            await PostAsync(socket, submit, answer, cancellation);
            await PostAsync(socket, Batch("eth_getTransactionReceipt", hashes.Select(Quoted)), answer, cancellation);
            for (var i = 0; i < Reads; i++)
            {
                await PostAsync(socket, Read(accounts[i % Accounts].Address, i), answer, cancellation);
            }

            if (round % RoundsBetweenRests == RoundsBetweenRests - 1)
            {
                await Task.Delay(Rest, cancellation);
            }
        }
    }

    /// <summary>Transfers and token calls by turns.</summary>
    private static string Submit(
        IReadOnlyList<DevAccount> accounts, ulong[] nonces, ulong chainId, int count, List<string> hashes)
    {
        var raw = new List<string>(count);
        for (var i = 0; i < count; i++)
        {
            var isToken = (i & 1) != 0;
            var signed = TransactionSigner.Sign(
                new Transaction
                {
                    Type = TransactionType.DynamicFee,
                    ChainId = chainId,
                    Nonce = nonces[i % Accounts]++,
                    GasLimit = isToken ? 100_000UL : IntrinsicGas.Transaction,
                    MaxFeePerGas = 20_000_000_000,
                    MaxPriorityFeePerGas = 1_000_000_000,
                    To = isToken ? Token : Address.FromNumber((ulong)i + 1_000_000),
                    Data = isToken ? TokenInput(i) : default,
                },
                accounts[i % Accounts].PrivateKey);
            raw.Add(Hex.Encode(TransactionCodec.Encode(signed)));
            hashes.Add(signed.Hash.ToString());
        }

        return Batch("eth_sendRawTransaction", raw.Select(Quoted));
    }

    private static byte[] TokenInput(int holder) =>
        [0xa9, 0x05, 0x9c, 0xbb, .. new UInt256((ulong)holder + 1).ToBigEndian(), .. UInt256.One.ToBigEndian()];

    private static string Read(in Address account, int index)
    {
        var call = $$"""{"to":"{{Token}}","data":"{{Hex.Encode(TokenInput(index))}}"}""";
        return (index % 3) switch
        {
            0 => Request(index, "eth_getBalance", $"\"{account}\",\"latest\""),
            1 => Request(index, "eth_call", $"{call},\"latest\""),
            _ => Request(index, "eth_getBlockByNumber", "\"latest\",false"),
        };
    }

    private static string Quoted(string text) => $"\"{text}\"";

    private static string Batch(string method, IEnumerable<string> arguments) =>
        $"[{string.Join(',', arguments.Select((argument, id) => Request(id, method, argument)))}]";

    private static string Request(int id, string method, string arguments) =>
        $$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}","params":[{{arguments}}]}""";

    /// <summary>Sends a body and reads an answer that has a length, as this server's have.</summary>
    private static async Task PostAsync(Socket socket, string body, byte[] answer, CancellationToken cancellation)
    {
        var request = Encoding.ASCII.GetBytes(
            $"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {body.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n{body}");
        await socket.SendAsync(request, cancellation);
        var (filled, needed) = (0, int.MaxValue);
        while (filled < needed && filled < answer.Length)
        {
            var count = await socket.ReceiveAsync(answer.AsMemory(filled), cancellation);
            filled += count > 0 ? count : throw new IOException("the connection was closed");
            needed = NeededOf(answer.AsSpan(0, filled));
        }
    }

    /// <summary>Bytes of the whole response; the greatest number while its headers are not complete.</summary>
    private static int NeededOf(ReadOnlySpan<byte> response)
    {
        var end = response.IndexOf("\r\n\r\n"u8);
        var field = response.IndexOf("Content-Length: "u8);
        return end < 0 || field < 0
            || !System.Buffers.Text.Utf8Parser.TryParse(response[(field + 16)..], out int length, out _)
            ? int.MaxValue
            : end + 4 + length;
    }
}
