using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>A chain over a key-value store and one over documents, that get the same batches.</summary>
internal sealed class DocumentWorld
{
    private const int Keys = 6;
    private const ulong ChainIdentifier = 1337;

    /// <summary>
    /// sstore(word 0 of the input, word 1) and an event with the key as topic; one byte of input: selfdestruct.
    /// </summary>
    private static readonly byte[] StorageCode =
        Convert.FromHexString("366001146017576020356000355560003560006000a1005b33ff");

    /// <summary>Init code: slot 7 becomes 9, and the code above is deployed.</summary>
    private static readonly byte[] InitCode =
        [.. Convert.FromHexString("6009600755601a6011600039601a6000f3"), .. StorageCode];

    internal static readonly Address Storage = Address.FromNumber(0x5707);

    private readonly byte[][] _keys = [.. Enumerable.Range(1, Keys).Select(number =>
    {
        var key = new byte[32];
        key[31] = (byte)number;
        return key;
    })];

    private readonly Dictionary<int, ulong> _nonces = [];
    private readonly Random _random;

    internal DocumentWorld(int seed, int accounts = 0, PagedOptions? options = null)
    {
        _random = new Random(seed);
        Options = new DocumentChainOptions { State = options ?? new PagedOptions() };
        var probe = TransactionOf(0, Address.Zero, 0, default);
        Senders = [.. _keys.Select(key => TransactionSigner.Sign(probe, key).Sender!.Value)];
        var none = new Dictionary<UInt256, UInt256>();
        var alloc = Senders.ToDictionary(
            sender => sender, _ => new GenesisAccount(UInt256.Parse("1000000000000000000000"), 0, [], none));
        alloc[Storage] = new GenesisAccount(0, 1, StorageCode, none);
        for (var i = 0; i < accounts; i++)
        {
            alloc[Person(i)] = new GenesisAccount((ulong)i + 1, 0, [], none);
        }

        Genesis = new Genesis
        {
            Spec = ChainSpec.AllAtZero(Fork.Shanghai, ChainIdentifier),
            Alloc = alloc,
            GasLimit = 60_000_000,
            Timestamp = 1_000,
        };
        Oracle = Chain.Open(new MemoryKeyValueStore(), Genesis);
        Ports = new DocumentChainPorts(
            new InMemoryDocumentStore(), new InMemoryBlobStore(), new InMemoryRowStore(), TimeProvider.System);
    }

    internal Genesis Genesis { get; }

    internal DocumentChainOptions Options { get; }

    /// <summary>The single-process chain.</summary>
    internal Chain Oracle { get; }

    internal DocumentChainPorts Ports { get; }

    internal Address[] Senders { get; }

    /// <summary>All batches so far.</summary>
    internal List<(BlockAttributes Attributes, List<Transaction> Batch)> Batches { get; } = [];

    /// <summary>Contracts that the batches created.</summary>
    internal List<Address> Created { get; } = [];

    internal static Address Person(int index) => Address.FromNumber(0x10_0000 + (ulong)index);

    internal Task<DocumentChain> OpenAsync(DocumentChainPorts? ports = null) =>
        DocumentChain.OpenAsync(ports ?? Ports, Genesis, Options);

    /// <summary>
    /// Attributes of the next block and its candidates, some of them invalid, after the oracle has made it.
    /// </summary>
    internal (BlockAttributes Attributes, List<Transaction> Batch) NextBatch(int transactions)
    {
        var attributes = new BlockAttributes
        {
            Coinbase = Address.FromNumber(0xFEE),
            Timestamp = Oracle.Head.Header.Timestamp + 2,
            ExtraData = BitConverter.GetBytes(_random.Next()),
        };
        var batch = new List<Transaction>();
        for (var i = 0; i < transactions; i++)
        {
            batch.Add(NextTransaction());
        }

        Oracle.Produce(attributes, batch);
        Batches.Add((attributes, batch));
        return (attributes, batch);
    }

    /// <summary>What differs between the two chains as far as anybody can read it; empty where nothing does.</summary>
    internal List<string> Differences(IChain chain, IEnumerable<ulong> blocks, IEnumerable<Address> accounts)
    {
        var found = new List<string>();
        var addresses = accounts.ToArray();
        foreach (var number in blocks)
        {
            var (expected, actual) = (Oracle.GetBlock(number)!, chain.GetBlock(number));
            if (actual?.Hash != expected.Hash || chain.GetBlock(expected.Hash)?.Number != number
                || chain.GetHeader(number)?.Hash != expected.Hash || !chain.IsCanonical(expected.Hash))
            {
                found.Add($"block {number}");
                continue;
            }

            if (chain.GetReceipts(number)!.Count != expected.Block.Transactions.Count
                || !chain.GetReceipts(number)!.Select(r => r.CumulativeGasUsed)
                    .SequenceEqual(Oracle.GetReceipts(number)!.Select(r => r.CumulativeGasUsed)))
            {
                found.Add($"receipts {number}");
            }

            foreach (var transaction in expected.Block.Transactions)
            {
                if (chain.FindTransaction(transaction.Hash) != Oracle.FindTransaction(transaction.Hash))
                {
                    found.Add($"transaction {transaction.Hash} of block {number}");
                }
            }

            CompareState(chain, number, addresses, found);
        }

        return found;
    }

    /// <summary>A transfer, or every fifth time a new contract, that the oracle never sees.</summary>
    internal Transaction Stray(int sender, int offset, in Address to)
    {
        var nonce = _nonces.GetValueOrDefault(sender) + (ulong)offset;
        var stray = offset % 5 == 4 ? TransactionOf(nonce, null, 0, InitCode) : TransactionOf(nonce, to, 1, default);
        return Sign(sender, stray, counts: false);
    }

    private void CompareState(IChain chain, ulong number, Address[] addresses, List<string> found)
    {
        var (left, right) = (Oracle.StateAt(number).State!, chain.StateAt(number).State!);
        foreach (var address in addresses)
        {
            var statuses = (left.ReadAccount(address, out var one), right.ReadAccount(address, out var two));
            if (statuses.Item1 != statuses.Item2 || one != two)
            {
                found.Add($"account {address} at {number}: {one} {two}");
                continue;
            }

            left.ReadCode(one.CodeHash, out var code);
            right.ReadCode(two.CodeHash, out var otherCode);
            if (code?.Hash != otherCode?.Hash)
            {
                found.Add($"code of {address} at {number}");
            }

            UInt256[] slots = [.. Enumerable.Range(0, 24).Select(slot => (UInt256)(ulong)slot)];
            foreach (var slot in one.HasStorage ? slots : [])
            {
                left.ReadSlot(address, slot, out var a);
                right.ReadSlot(address, slot, out var b);
                if (a != b)
                {
                    found.Add($"slot {slot} of {address} at {number}: {a} {b}");
                }
            }

            var expected = Oracle.GetProof(number, address, slots[..3]).Proof!;
            if (!Flat(expected).SequenceEqual(Flat(chain.GetProof(number, address, slots[..3]).Proof!)))
            {
                found.Add($"proof of {address} at {number}");
            }
        }
    }

    private static IEnumerable<string> Flat(AccountProof proof) =>
        proof.Nodes.Concat(proof.Slots.SelectMany(slot => slot.Nodes)).Select(Convert.ToHexString);

    private Transaction NextTransaction()
    {
        var sender = _random.Next(Keys);
        var nonce = _nonces.GetValueOrDefault(sender);
        switch (_random.Next(10))
        {
            case 0:
                return Sign(sender, TransactionOf(nonce + 5, Person(0), 1, default), counts: false);
            case 1:
                Created.Add(Execution.ContractAddress.OfCreate(Senders[sender], nonce));
                return Sign(sender, TransactionOf(nonce, null, 0, InitCode));
            case 2 when Created.Count > 2:
                // Its storage goes, all pages of it (before Cancun), and may be written again at no other address.
                return Sign(sender, TransactionOf(nonce, Created[_random.Next(Created.Count)], 0, new byte[1]));
            case < 6:
                var input = new byte[64];
                ((UInt256)(ulong)_random.Next(24)).WriteBigEndian(input);
                var value = _random.Next(3) == 0 ? 0 : _random.Next(1, 1_000_000);
                ((UInt256)(ulong)value).WriteBigEndian(input.AsSpan(32));
                var target = Created.Count > 0 && _random.Next(3) == 0
                    ? Created[_random.Next(Created.Count)]
                    : Storage;
                return Sign(sender, TransactionOf(nonce, target, 0, input));
            default:
                var person = Person(_random.Next(400));
                return Sign(sender, TransactionOf(nonce, person, (ulong)_random.Next(1, 50), default));
        }
    }

    private Transaction Sign(int sender, Transaction transaction, bool counts = true)
    {
        if (counts)
        {
            _nonces[sender] = transaction.Nonce + 1;
        }

        return TransactionSigner.Sign(transaction, _keys[sender]);
    }

    private static Transaction TransactionOf(
        ulong nonce, Address? to, in UInt256 value, ReadOnlyMemory<byte> data) => new()
    {
        Nonce = nonce,
        MaxFeePerGas = 2_000_000_000,
        MaxPriorityFeePerGas = 2_000_000_000,
        GasLimit = 200_000,
        To = to,
        Value = value,
        Data = data,
    };
}
