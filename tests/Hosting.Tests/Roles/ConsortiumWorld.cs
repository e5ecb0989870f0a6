using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Roles.Consortium;
using SuperVm.Hosting.Tests.Consensus;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>
/// Several serverless validators in this process, each with queues, documents, blobs and a chain of its own; their
/// letters go from service to service. A service can die and begin anew over what it kept.
/// </summary>
internal sealed class ConsortiumWorld : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _pumps = [];
    private readonly Dictionary<Address, ulong> _nonces = [];

    /// <param name="count">Validators; those above the fourth are not registered.</param>
    /// <param name="parameters">Of the registry.</param>
    /// <param name="liar">Who says of every vote the contrary too; null for nobody.</param>
    /// <param name="overDocuments">Whether the chains lie in documents, as in the cloud.</param>
    internal ConsortiumWorld(int count, RegistryParameters parameters, int? liar = null, bool overDocuments = false)
    {
        Genesis = ValidatorCluster.Genesis(parameters);
        IsOverDocuments = overDocuments;
        Wire = new(this, liar);
        for (var i = 0; i < count; i++)
        {
            Seats.Add(new Seat(this, i));
        }
    }

    internal Genesis Genesis { get; }

    internal bool IsOverDocuments { get; }

    /// <summary>How states are given and taken.</summary>
    internal SnapshotLimits Snapshots { get; init; } = new();

    /// <summary>Changes the answer of one validator to another's question; null leaves it.</summary>
    internal Func<int, StateChunk, StateChunk>? Bend { get; init; }

    internal List<Seat> Seats { get; } = [];

    internal ConcurrentQueue<string> Log { get; } = [];

    private Letters Wire { get; }

    internal Task StartAsync() => StartAsync(0, Seats.Count);

    /// <summary>Starts some of the validators.</summary>
    internal async Task StartAsync(int from, int to)
    {
        foreach (var seat in Seats[from..to])
        {
            await seat.BeginAsync();
            _pumps.Add(seat.PumpAsync(_stop.Token));
        }
    }

    /// <summary>Sends a transaction into a validator's inbox; answers its hash.</summary>
    internal async Task<Hash256> SendAsync(
        byte[] key, Address to, byte[]? data = null, UInt256 value = default, int seat = 0)
    {
        var sender = Core.Cryptography.Secp256k1.AddressOf(key);
        var nonce = _nonces.GetValueOrDefault(sender);
        _nonces[sender] = nonce + 1;
        var transaction = TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = nonce,
                GasLimit = 500_000, To = to, Value = value, Data = data ?? [],
                MaxFeePerGas = new UInt256(20_000_000_000), MaxPriorityFeePerGas = UInt256.One,
            },
            key);
        var packed = ItemPacking.Pack([TransactionCodec.Encode(transaction)]);
        await Seats[seat].Bus.SendAsync("inbox", Assert.Single(packed));
        return transaction.Hash;
    }

    /// <summary>
    /// Sends transfers that come after one which is not sent yet: the next <see cref="SendAsync"/> of the account.
    /// </summary>
    internal async Task<IReadOnlyList<Hash256>> SkipAsync(byte[] key, Address to, int count)
    {
        var sender = Core.Cryptography.Secp256k1.AddressOf(key);
        var first = _nonces.GetValueOrDefault(sender);
        var sent = new List<Hash256>();
        _nonces[sender] = first + 1;
        for (var i = 0; i < count; i++)
        {
            sent.Add(await SendAsync(key, to));
        }

        _nonces[sender] = first;
        return sent;
    }

    /// <summary>Sends many transfers of several accounts into a validator's inbox at once.</summary>
    internal async Task<IReadOnlyList<Hash256>> SendManyAsync(int accounts, int each, int seat = 0)
    {
        var signed = new Transaction[accounts * each];
        Parallel.For(0, signed.Length, i => signed[i] = TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId,
                Nonce = (ulong)(i / accounts), GasLimit = 21_000, To = Address.FromNumber(0xC0FFEE),
                Value = UInt256.One,
                MaxFeePerGas = new UInt256(20_000_000_000), MaxPriorityFeePerGas = UInt256.One,
            },
            ValidatorCluster.User(i % accounts).PrivateKey));
        foreach (var body in ItemPacking.Pack(
            [.. signed.Select(one => (ReadOnlyMemory<byte>)TransactionCodec.Encode(one))]))
        {
            await Seats[seat].Bus.SendAsync("inbox", body);
        }

        return [.. signed.Select(one => one.Hash)];
    }

    /// <summary>Waits for the receipt at the first validator; answers whether the transaction succeeded.</summary>
    internal async Task<bool> IncludedAsync(Hash256 hash)
    {
        var chain = Seats[0].Chain.Chain;
        await UntilAsync("a receipt", () => chain.FindTransaction(hash) is not null);
        var place = chain.FindTransaction(hash)!.Value;
        return chain.GetReceipts(place.BlockNumber)![place.Index].Succeeded == true;
    }

    /// <summary>Makes blocks until the first validator has executed this one.</summary>
    internal async Task AdvanceToAsync(ulong number)
    {
        while (Seats[0].Chain.Chain.Head.Number < number)
        {
            await IncludedAsync(await SendAsync(
                ValidatorCluster.User(0).PrivateKey.ToArray(), Address.FromNumber(0xC0FFEE), value: UInt256.One));
        }
    }

    internal async Task UntilAsync(string what, Func<bool> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var pause = new PeriodicTimer(Pause);
        while (!holds())
        {
            var failed = _pumps.Find(pump => pump.IsFaulted);
            Assert.True(failed is null, failed?.Exception?.ToString());
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Limit,
                $"waited too long for {what}\n{string.Join('\n', Log.TakeLast(40))}");
            await pause.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_pumps.Select(pump => pump.ContinueWith(_ => { }, TaskScheduler.Default)));
        foreach (var seat in Seats)
        {
            seat.Dispose();
        }

        _stop.Dispose();
        Wire.Dispose();
    }

    /// <summary>One validator.</summary>
    internal sealed class Seat : IDisposable
    {
        private readonly ConsortiumWorld _world;
        private readonly int _index;
        private readonly InMemoryRowStore _rows;
        private readonly Dictionary<string, int> _armed = [];
        private ExecuteService? _execute;
        private volatile ConsortiumOrderService? _order;
        private volatile ConsortiumOrderService? _second;
        private int _turn;

        internal Seat(ConsortiumWorld world, int index)
        {
            (_world, _index) = (world, index);
            Ports = new()
            {
                Bus = Bus, Documents = new InMemoryDocumentStore(), Blobs = new InMemoryBlobStore(),
                Clock = TimeProvider.System, Names = new("inbox", "batches", "proofs", "replica", "proof-records"),
                Log = line => world.Log.Enqueue($"[{index}] {line}"), Reach = Reach,
            };
            _rows = new InMemoryRowStore();
            Chain = world.IsOverDocuments ? Open() : new SingleProcessChain(world.Genesis);
        }

        internal InMemoryMessageBus Bus { get; } = new(TimeProvider.System);

        internal RolePorts Ports { get; }

        internal IRoleChain Chain { get; private set; }

        /// <summary>Fail points at which the process died.</summary>
        internal List<string> Deaths { get; } = [];

        /// <summary>Whether the process has died and none has begun in its place.</summary>
        internal volatile bool IsDead;

        /// <summary>The instance whose turn it is.</summary>
        internal ConsortiumOrderService? Order =>
            _second is { } second && Interlocked.Increment(ref _turn) % 2 == 0 ? second : _order;

        /// <summary>The cloud's limits, with shorter times.</summary>
        internal ConsortiumSet Set
        {
            get
            {
                // Who is in no set is listened to where the others' settings name it.
                var late = Enumerable.Range(4, Math.Max(0, _world.Seats.Count - 4)).Select(index => new ValidatorPeer(
                    ValidatorCluster.AddressOf(index), 1, new Uri($"http://validator{index}.invalid:1")));
                var set = new ConsortiumSet(
                    _world.IsOverDocuments ? [.. late] : [], ValidatorRegistry.Read(_world.Genesis));
                return set with
                {
                    WatchPeriod = TimeSpan.FromSeconds(1), Snapshots = _world.Snapshots,
                    Limits = set.Limits with { BatchAgeMs = 2, StatusPeriodMs = 200, ProgressTimeoutMs = 1_000 },
                };
            }
        }

        /// <summary>Another instance's view of the chain.</summary>
        internal IRoleChain Open() => new DocumentRoleChain(DocumentChain.OpenAsync(
            new(Ports.Documents, Ports.Blobs, _rows, TimeProvider.System), _world.Genesis).GetAwaiter().GetResult());

        /// <summary>The process dies at the point's pass after so many.</summary>
        internal void Arm(string failPoint, int passes = 0) => _armed[failPoint] = passes;

        internal CommittedProofs Proofs => (CommittedProofs)Set.Proofs(Ports, Chain);

        /// <summary>Ends the services as a kill does, and begins new ones over what they kept.</summary>
        internal async Task BeginAsync()
        {
            _order?.Dispose();
            Chain = _world.IsOverDocuments ? Open() : Chain;
            IsDead = false;
            _execute = new(Ports, Chain, ConsortiumReports.To(Ports)) { SnapshotParts = 8 };
            var order = new ConsortiumOrderService(
                Ports, Chain, ValidatorCluster.KeyOf(_index), Set, _world.Wire);
            _order = order;
            await order.StartAsync(default);
        }

        /// <summary>Begins another instance beside the one that works: what comes is dealt out in turn.</summary>
        internal async Task ScaleOutAsync()
        {
            var second = new ConsortiumOrderService(
                Ports, Chain, ValidatorCluster.KeyOf(_index), Set, _world.Wire);
            _second = second;
            await second.StartAsync(default);
        }

        /// <summary>Delivers from both queues until it is stopped.</summary>
        internal async Task PumpAsync(CancellationToken stop)
        {
            using var pause = new PeriodicTimer(Pause);
            try
            {
                while (true)
                {
                    if (IsDead)
                    {
                        await BeginAsync();
                    }

                    await DeliverAsync("inbox", message => Order!.TakeAsync(
                        message.Id, message.DequeueCount > 1, message.Body, stop));
                    await DeliverAsync("batches", message => _execute!.ExecuteAsync(message.Body, stop));
                    await pause.WaitForNextTickAsync(stop);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // The world ends.
            }
        }

        public void Dispose()
        {
            _order?.Dispose();
            _second?.Dispose();
            (Chain as IDisposable)?.Dispose();
        }

        private void Reach(string failPoint)
        {
            lock (_armed)
            {
                if (!_armed.TryGetValue(failPoint, out var passes))
                {
                    return;
                }

                _armed[failPoint] = passes - 1;
                if (passes > 0)
                {
                    return;
                }

                _armed.Remove(failPoint);
                Deaths.Add(failPoint);
            }

            IsDead = true;
            throw new DiedException(failPoint);
        }

        private async Task DeliverAsync(string queue, Func<BusMessage, Task<RoleEnd>> handle)
        {
            var received = await Bus.ReceiveAsync(queue, 16, TimeSpan.FromSeconds(30));
            await Task.WhenAll(received.Select(async message =>
            {
                try
                {
                    if (await handle(message) == RoleEnd.Done)
                    {
                        await Bus.CompleteAsync(queue, message);
                        return;
                    }
                }
                catch (DiedException)
                {
                    // It comes again, to the next process.
                }

                await Bus.RenewAsync(queue, message, TimeSpan.Zero);
            }));
        }
    }

    /// <summary>Hands letters to the service that their URL names.</summary>
    private sealed class Letters(ConsortiumWorld world, int? liar) : HttpMessageHandler
    {
        private const string Prefix = "validator";

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellation)
        {
            var host = request.RequestUri!.Host;
            var index = int.Parse(
                host.AsSpan(Prefix.Length, host.IndexOf('.') - Prefix.Length),
                System.Globalization.CultureInfo.InvariantCulture);
            if (index >= world.Seats.Count || world.Seats[index].Order is not { } order)
            {
                throw new HttpRequestException("nobody is there");
            }

            var body = await request.Content!.ReadAsByteArrayAsync(cancellation);
            var context = new DefaultHttpContext();
            context.Request.Body = new MemoryStream(Altered(body));
            using var answer = new MemoryStream();
            context.Response.Body = answer;
            try
            {
                await order.ServeAsync(context);
            }
            catch (DiedException)
            {
                throw new HttpRequestException("it has just died");
            }
            catch (Exception failure)
            {
                world.Log.Enqueue($"[{index}] {failure}");
                throw;
            }

            return new((HttpStatusCode)context.Response.StatusCode)
            {
                Content = new ByteArrayContent(Bent(index, answer.ToArray())),
            };
        }

        /// <summary>An answer to a question, as the world changes it.</summary>
        private byte[] Bent(int index, byte[] answer)
        {
            const ulong ChainId = ChainSpec.DevelopmentChainId;
            if (world.Bend is not { } bend || !PeerLetter.TryOpen(ChainId, answer, out var letter)
                || letter.Messages is not [(StateChunk chunk, _)])
            {
                return answer;
            }

            return PeerLetter.Seal(
                ChainId, new Secp256k1Signer(ValidatorCluster.KeyOf(index)), letter.To, letter.Counter,
                [MessageCodec.Encode(bend(index, chunk))]);
        }

        /// <summary>The liar's letters hold the contrary of each vote too.</summary>
        private byte[] Altered(byte[] body)
        {
            const ulong ChainId = ChainSpec.DevelopmentChainId;
            if (liar is not { } index || !PeerLetter.TryOpen(ChainId, body, out var letter)
                || letter.From != ValidatorCluster.AddressOf(index))
            {
                return body;
            }

            var signer = new Secp256k1Signer(ValidatorCluster.KeyOf(index));
            var messages = letter.Messages.Select(entry => MessageCodec.Encode(entry.Message)).ToList();
            foreach (var vote in letter.Messages.Select(entry => entry.Message).OfType<Vote>())
            {
                var other = Core.Cryptography.Keccak256.Hash(vote.Digest.Bytes);
                var statement = Statements.Vote(ChainId, vote.Phase, vote.View, vote.Sequence, other);
                messages.Add(MessageCodec.Encode(vote with { Digest = other, Signature = signer.Sign(statement) }));
            }

            return PeerLetter.Seal(ChainId, signer, letter.To, letter.Counter, messages);
        }
    }
}
