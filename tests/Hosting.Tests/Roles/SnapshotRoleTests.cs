using System.Collections.Concurrent;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Roles.Consortium;
using SuperVm.Hosting.Tests.Consensus;
using Snapshot = SuperVm.Core.Consensus.Messages.Snapshot;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>States that go from one serverless validator to another.</summary>
public sealed class SnapshotRoleTests
{
    private const int Old = 4;
    private const int Blocks = 134;
    private static readonly RegistryParameters Parameters = new() { EpochLength = 16, UnbondingSeconds = 0 };

    private static readonly SnapshotLimits Limits = new()
    {
        Behind = 70, OfferInterval = TimeSpan.FromMilliseconds(300), OfferAge = TimeSpan.FromSeconds(1),
        PartsPerMinute = 100_000, PartsAtOnce = 64, PartBytes = 1_000,
        RetryPause = TimeSpan.FromMilliseconds(50),
    };

    /// <summary>Where a taker dies: at each fail point of a transfer, and at later passes.</summary>
    private static readonly (string Point, int Passes)[] Deaths =
    [
        .. FailPoint.All.Where(name => name.StartsWith("snapshot", StringComparison.Ordinal)
            || name.StartsWith("install", StringComparison.Ordinal)).Select(name => (name, 0)),
        (FailPoint.SnapshotStaged, 6), (FailPoint.SnapshotStaged, 11), (FailPoint.InstallWritten, 2),
    ];

    [Fact]
    public async Task Who_starts_far_behind_takes_a_state_wherever_it_dies_and_goes_on_as_those_who_executed()
    {
        var lies = new ConcurrentDictionary<StatePart, int>();
        await using var world = new ConsortiumWorld(Old + Deaths.Length, Parameters, overDocuments: true)
        {
            Snapshots = Limits,
            Bend = (seat, chunk) =>
            {
                // Three of four lie, each about something else.
                var about = seat switch { 0 => StatePart.Nodes, 1 => StatePart.Blocks, _ => StatePart.Batches };
                if (seat == 3 || chunk.Part != about || chunk.Content.Length == 0)
                {
                    return chunk;
                }

                lies.AddOrUpdate(chunk.Part, 1, (_, count) => count + 1);
                var bent = chunk.Content.ToArray();
                bent[^(bent.Length / 3 + 1)] ^= 1;
                return chunk with { Content = bent };
            },
        };
        await world.StartAsync(0, Old);
        await world.AdvanceToAsync(Blocks);

        // Two that wait for the one before them when the state is taken.
        var (user, to) = (ValidatorCluster.User(3).PrivateKey.ToArray(), Address.FromNumber(0xD0));
        var gapped = await world.SkipAsync(user, to, 2);
        await world.AdvanceToAsync(Blocks + 4);
        for (var i = 0; i < Deaths.Length; i++)
        {
            world.Seats[Old + i].Arm(Deaths[i].Point, Deaths[i].Passes);
        }

        await world.StartAsync(Old, world.Seats.Count);
        await world.UntilAsync("all to have taken a state", () => world.Seats[Old..].TrueForAll(seat =>
            seat.Chain.Chain.OldestStateNumber > Blocks - 30 && seat.Chain.Chain.FinalizedNumber > Blocks));
        foreach (var hash in (Hash256[])[await world.SendAsync(user, to), .. gapped])
        {
            Assert.True(await world.IncludedAsync(hash));
        }

        await world.AdvanceToAsync(Blocks + 20);
        var head = world.Seats[0].Chain.Chain.Head;
        await world.UntilAsync("all to have executed", () => world.Seats.TrueForAll(seat =>
            seat.Chain.Chain.Head.Number >= head.Number && seat.Chain.Chain.FinalizedNumber >= head.Number - 1));
        Assert.All(lies.Keys, part => Assert.Contains(world.Log, line =>
            line.Contains($"{part} of", StringComparison.Ordinal)
            && line.Contains("is refused: ", StringComparison.Ordinal)));
        Assert.Contains(StatePart.Nodes, lies.Keys);
        for (var i = 0; i < Deaths.Length; i++)
        {
            var seat = world.Seats[Old + i];
            Assert.Equal([Deaths[i].Point], seat.Deaths);
            RequireSame(world.Seats[1], seat, head.Number);
            Assert.Null(await seat.Ports.Documents.GetAsync(new("replica", "order", "snapshot")));
            await RequireGivesAsync(world.Seats[1], seat);
        }
    }

    [Fact]
    public async Task A_validator_of_the_set_that_was_away_takes_a_state_and_its_signatures_count_again()
    {
        const int Away = 3;
        await using var world = new ConsortiumWorld(Old, Parameters, overDocuments: true)
        {
            Snapshots = Limits with { Behind = 40, PartBytes = 1 << 20 },
        };
        await world.StartAsync(0, Away);
        await world.AdvanceToAsync(70);
        await world.StartAsync(Away, Old);
        var (away, proofs) = (world.Seats[Away], world.Seats[0].Proofs);
        await world.UntilAsync("a state", () => away.Chain.Chain.OldestStateNumber > 40);
        var index = proofs.Newest!.Value.Validators.IndexOf(ValidatorCluster.AddressOf(Away));
        var number = away.Chain.Chain.OldestStateNumber;
        while (proofs.Attestation(number)?.Shares.Any(share => share.Validator == index) != true)
        {
            Assert.True(number < 500, "its signature is in no attestation");
            await world.AdvanceToAsync(++number);
            var next = number;
            await world.UntilAsync(
                "finality", () => world.Seats.TrueForAll(seat => seat.Chain.Chain.FinalizedNumber >= next));
        }

        Assert.Equal(world.Seats[0].Chain.Chain.GetHeader(number)!.Hash, away.Chain.Chain.GetHeader(number)!.Hash);
    }

    [Fact]
    public async Task A_process_and_the_roles_give_the_same_parts_to_the_byte()
    {
        await using var world = new ConsortiumWorld(Old, Parameters, overDocuments: true);
        await world.StartAsync();
        await world.AdvanceToAsync(21);
        await world.UntilAsync("final", () => world.Seats[0].Chain.Chain.FinalizedNumber >= 20);
        var (seat, number) = (world.Seats[0], 20UL);
        var desk = DeskOf(seat, out var archive, out var context);
        var offer = (await desk.OfferAsync(Address.Zero, 1, 21, isNeeded: true, default))!;
        number = offer.Attestation.Statement.Sequence;

        // The same blocks on a process's chain.
        using var process = new SingleProcessChain(world.Genesis);
        var execute = new ExecuteService(
            seat.Ports with { Blobs = new Only(seat.Ports.Blobs, "batches/") }, process, null);
        var last = seat.Chain.Chain.GetHeader(number)!;
        await execute.ExecuteAsync(
            BatchNotice.Encode(new(number, new Hash256(last.Header.ExtraData.Span))), default);
        Assert.Equal(last.Hash, process.Chain.Head.Hash);
        using var held = ((Core.Node.Chain)process.Chain).ExportState();

        // What a process would ask, answered by the roles, part by part.
        using var store = new MemoryKeyValueStore();
        Core.Node.Chain.Open(store, world.Genesis).Dispose();
        var fetch = new SnapshotFetch(
            context, store, new InstallSnapshot(number, last.Hash, Address.Zero, offer));
        var asked = new HashSet<StatePart>();
        while (!fetch.IsComplete)
        {
            var question = fetch.Next();
            var answer = (await desk.AnswerAsync(Address.Zero, question, default))!;
            if (question.Part != StatePart.Batches)
            {
                var reader = new Core.Encoding.RlpReader(question.Query);
                Assert.Equal(answer.Content, question.Part switch
                {
                    StatePart.Blocks => SnapshotParts.Blocks(process.Chain, reader.ReadUInt64(), number),
                    StatePart.Nodes => SnapshotParts.Nodes(held, ref reader, Limits.PartBytes),
                    _ => SnapshotParts.Code(held, ref reader),
                });
            }

            Assert.Null(fetch.Take(answer));
            asked.Add(question.Part);
        }

        Assert.Superset(new HashSet<StatePart> { StatePart.Blocks, StatePart.Nodes, StatePart.Batches }, asked);
        seat.Chain.Chain.StateAt(number).State!.ReadAccount(ValidatorRegistry.Address, out var registry);
        var query = SnapshotParts.Ask([registry.CodeHash]);
        var codes = new Core.Encoding.RlpReader(query);
        Assert.Equal(
            SnapshotParts.Code(held, ref codes),
            (await desk.AnswerAsync(Address.Zero, new(number, StatePart.Code, query), default))!.Content);
        fetch.Finish();
        Core.State.StateImport.Finish(store);
        using var taken = Core.Node.Chain.Open(store, world.Genesis);
        Assert.Equal(last.Hash, taken.Head.Hash);

        // What is not there, and what is too much, is answered so.
        Assert.Empty((await desk.AnswerAsync(Address.Zero, new(number + 99, StatePart.Blocks, [1]), default))!.Content);
        Assert.Empty((await desk.AnswerAsync(Address.Zero, new(number, StatePart.Nodes, [1, 2]), default))!.Content);
        var strict = new SnapshotDesk(
            seat.Ports, seat.Chain, archive, context, Limits with { PartsPerMinute = 1 });
        Assert.NotNull(await strict.AnswerAsync(Address.Zero, new(number, StatePart.Blocks, [1]), default));
        Assert.Null(await strict.AnswerAsync(Address.Zero, new(number, StatePart.Blocks, [1]), default));
        Assert.Null(await desk.OfferAsync(Address.FromNumber(1), number, number, isNeeded: true, default));
        Assert.Null(await desk.OfferAsync(Address.FromNumber(2), 1, number, isNeeded: false, default));
    }

    /// <summary>What can be read of both is the same; below the state that was taken it is said to be pruned.</summary>
    private static void RequireSame(ConsortiumWorld.Seat executed, ConsortiumWorld.Seat taken, ulong head)
    {
        var (left, right) = (executed.Chain.Chain, taken.Open().Chain);
        var oldest = right.OldestStateNumber;
        Assert.InRange(oldest, 81UL, head);
        var accounts = Enumerable.Range(0, 4).Select(i => ValidatorCluster.User(i).Address)
            .Append(ValidatorRegistry.Address).Append(Address.FromNumber(0xC0FFEE)).ToList();
        for (ulong number = 0; number <= head; number++)
        {
            var isThere = number == 0 || number + 256 > oldest;
            Assert.Equal(isThere ? left.GetHeader(number)!.Hash : null, right.GetHeader(number)?.Hash);
            Assert.Equal(number < oldest, right.StateAt(number).State is null);
            if (number < oldest)
            {
                continue;
            }

            Assert.Equal(left.GetReceipts(number)!.Count, right.GetReceipts(number)!.Count);
            foreach (var transaction in left.GetBlock(number)!.Block.Transactions)
            {
                Assert.Equal(left.FindTransaction(transaction.Hash), right.FindTransaction(transaction.Hash));
            }

            foreach (var account in accounts)
            {
                Assert.Equal(
                    left.GetProof(number, account, [UInt256.One]).Proof!.Nodes,
                    right.GetProof(number, account, [UInt256.One]).Proof!.Nodes);
            }
        }

        Assert.Equal(executed.Proofs.Newest!.Value.Number, taken.Proofs.Newest!.Value.Number);
        Assert.NotNull(taken.Proofs.Commit(oldest));
        Assert.NotNull(taken.Proofs.Attestation(oldest));
    }

    /// <summary>Who took a state can offer one: it has what an offer is made of.</summary>
    private static async Task RequireGivesAsync(ConsortiumWorld.Seat executed, ConsortiumWorld.Seat taken)
    {
        var final = Math.Min(executed.Chain.Chain.FinalizedNumber, taken.Chain.Chain.FinalizedNumber);
        _ = DeskOf(executed, out var left, out var context);
        _ = DeskOf(taken, out var right, out _);
        var length = (ulong)(Blocks - 10);
        Assert.Equal(
            (await left.HeadersAsync(final, length, default)).Select(header => header.Digest),
            (await right.HeadersAsync(final, length, default)).Select(header => header.Digest));
        Assert.Equal(
            (await left.StepsAsync(final, context.Parameters.EpochLength, default)).Count,
            (await right.StepsAsync(final, context.Parameters.EpochLength, default)).Count);
    }

    private static SnapshotDesk DeskOf(
        ConsortiumWorld.Seat seat, out CommittedArchive archive, out ReplicaContext context)
    {
        var inspector = new TransactionCache(ChainSpec.DevelopmentChainId);
        context = seat.Set.ContextOf(
            seat.Chain, new Secp256k1Signer(ValidatorCluster.KeyOf(0)), inspector);
        archive = new CommittedArchive(seat.Ports.Blobs, new BatchArchive(seat.Ports.Blobs, inspector));
        return new SnapshotDesk(seat.Ports, seat.Chain, archive, context, Limits);
    }

    /// <summary>The blobs of one folder, and own ones beside them.</summary>
    private sealed class Only(IBlobStore blobs, string folder) : IBlobStore
    {
        private readonly InMemoryBlobStore _own = new();

        public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
            _own.PutAsync(name, body, cancellation);

        public Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default) =>
            (name.StartsWith(folder, StringComparison.Ordinal) ? blobs : _own).GetAsync(name, cancellation);

        public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default) =>
            _own.DeleteAsync(name, cancellation);
    }
}
