using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>A process that ended at a fail point: nothing after it happened.</summary>
internal sealed class DiedException(string failPoint) : Exception(failPoint);

/// <summary>
/// A validator's roles over stores in memory that outlive them: order and execution can die at any fail point and begin
/// anew, and their messages come again.
/// </summary>
internal sealed class RoleWorld : IDisposable
{
    private const int Accounts = 4;
    private const int MostDeliveries = 40;

    private readonly InMemoryMessageBus _bus;
    private readonly InMemoryDocumentStore _documents = new();
    private readonly IReadOnlyList<DevAccount> _accounts = DevGenesis.AccountsOf(Mnemonic.Development, Accounts);
    private readonly Dictionary<string, int> _armed = [];
    private SoloOrderService? _order;
    private ExecuteService? _execute;

    internal RoleWorld()
    {
        _bus = new(Clock);
        Genesis = DevGenesis.Create(
            ChainSpec.DevelopmentChainId, Fork.Osaka, _accounts, TestNode.Ether * 10, 1_700_000_000);
        Chain = new(Genesis);
        Ports = new()
        {
            Bus = _bus, Documents = _documents, Blobs = Blobs, Clock = Clock,
            Names = new("inbox", "batches", "proofs", "replica", "proof-records"), Reach = Reach, Log = Log.Add,
        };
    }

    internal static Address Receiver { get; } = Address.Parse("0x00000000000000000000000000000000000000aa");

    internal StandingClock Clock { get; } = new();

    internal Genesis Genesis { get; }

    internal InMemoryBlobStore Blobs { get; } = new();

    internal RolePorts Ports { get; }

    internal SingleProcessChain Chain { get; }

    /// <summary>Lines of order and execution.</summary>
    internal List<string> Log { get; } = [];

    internal int Deaths { get; private set; }

    internal ulong Received
    {
        get
        {
            Chain.Chain.StateAt(Chain.Chain.Head.Number).State!.ReadAccount(Receiver, out var account);
            return (ulong)account.Balance;
        }
    }

    /// <summary>The process dies at the point's next pass, or after so many.</summary>
    internal void Arm(string failPoint, int passes = 0) => _armed[failPoint] = passes;

    internal byte[] Transfer(int account, ulong nonce, ulong wei = 1) => TransactionCodec.Encode(TransactionSigner.Sign(
        new Transaction
        {
            Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = nonce, To = Receiver,
            Value = wei, GasLimit = 21_000, MaxFeePerGas = 2_000_000_000, MaxPriorityFeePerGas = 1,
        },
        _accounts[account].PrivateKey));

    internal Task SendAsync(params byte[][] transactions) => _bus.SendAsync(
        "inbox", Assert.Single(ItemPacking.Pack([.. transactions.Select(bytes => (ReadOnlyMemory<byte>)bytes)])));

    internal Task NotifyAsync(byte[] notice) => _bus.SendAsync("batches", notice);

    /// <summary>Delivers until both queues are empty; a process that dies is replaced, its message comes
    /// again.</summary>
    internal async Task DrainAsync(int atMost = MostDeliveries)
    {
        for (var delivery = 0; delivery < atMost; delivery++)
        {
            var some = await DeliverAsync("inbox", message => (_order ??= NewOrder()).TakeAsync(
                message.Id, message.DequeueCount > 1, message.Body, default));
            some |= await DeliverAsync("batches", message => (_execute ??= new(Ports, Chain, null)).ExecuteAsync(
                message.Body, default));
            if (!some)
            {
                return;
            }
        }

        Assert.Fail("the queues do not become empty");
    }

    /// <summary>The same batches on a chain of one process, from the archive and the blocks' own digests.</summary>
    internal async Task<Hash256> ReplayAsync()
    {
        using var other = new SingleProcessChain(Genesis);
        var execute = new ExecuteService(Ports with { Blobs = new ReadThrough(Blobs), Reach = _ => { } }, other, null);
        var head = Chain.Chain.Head;
        var last = new Core.Consensus.Solo.BatchPlace(head.Number, new Hash256(head.Header.ExtraData.Span));
        Assert.Equal(RoleEnd.Done, await execute.ExecuteAsync(BatchNotice.Encode(last), default));
        return other.Chain.Head.Hash;
    }

    public void Dispose() => Chain.Dispose();

    private SoloOrderService NewOrder() =>
        new(Ports, Chain.Chain.Genesis, ChainSpec.DevelopmentChainId, Address.Zero);

    private async Task<bool> DeliverAsync(string queue, Func<BusMessage, Task<RoleEnd>> handle)
    {
        var received = await _bus.ReceiveAsync(queue, 1, TimeSpan.FromSeconds(30));
        if (received.Count == 0)
        {
            return false;
        }

        try
        {
            if (await handle(received[0]) == RoleEnd.Done)
            {
                await _bus.CompleteAsync(queue, received[0]);
                return true;
            }
        }
        catch (DiedException)
        {
            Deaths++;
            (_order, _execute) = (null, null);
        }

        await _bus.RenewAsync(queue, received[0], TimeSpan.Zero);
        return true;
    }

    private void Reach(string failPoint)
    {
        if (_armed.TryGetValue(failPoint, out var passes))
        {
            _armed[failPoint] = passes - 1;
            if (passes == 0)
            {
                _armed.Remove(failPoint);
                throw new DiedException(failPoint);
            }
        }
    }

    /// <summary>The archive without what execution keeps beside blocks: a replay works that out itself.</summary>
    private sealed class ReadThrough(IBlobStore blobs) : IBlobStore
    {
        private readonly InMemoryBlobStore _own = new();

        public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            _own.PutAsync(name, body, cancellation);

        public Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default) =>
            (name.StartsWith("batches/", StringComparison.Ordinal) ? blobs : _own).GetAsync(name, cancellation);

        public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default) =>
            _own.DeleteAsync(name, cancellation);
    }
}
