using Microsoft.AspNetCore.Http;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using Snapshot = SuperVm.Core.Consensus.Messages.Snapshot;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>How snapshots are given and taken.</summary>
public sealed record SnapshotLimits
{
    /// <summary>
    /// Who asks for batches so far below the final block is offered a state beside them. What is nearer is executed
    /// sooner than a state of any size is fetched.
    /// </summary>
    public ulong Behind { get; init; } = 10_000;

    /// <summary>
    /// Batches below the final block whose bodies are kept, at least 1,024; 0 keeps all. Above <see cref="Behind"/>, so
    /// that nobody has to take a state who is near.
    /// </summary>
    public ulong KeptBatches { get; init; } = 100_000;

    /// <summary>Blocks up to an offered state that are executed whatever is offered.</summary>
    internal ulong Near => Math.Min(DeferredTransactions.Span / 2, Behind / 2);

    /// <summary>A peer gets an offer (some 100 KB) at most so often.</summary>
    public TimeSpan OfferInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an offer is made again as it is.</summary>
    public TimeSpan OfferAge { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Parts that one peer may ask for in a minute, each of about 1 MiB.</summary>
    public int PartsPerMinute { get; init; } = 600;

    /// <summary>Bytes of nodes in a part, about.</summary>
    public int PartBytes { get; init; } = StateChunk.TargetBytes;

    /// <summary>Parts that are worked out at once.</summary>
    public int PartsAtOnce { get; init; } = 2;

    /// <summary>How long one message's work on a transfer takes at most, about; then the next one goes on.</summary>
    public TimeSpan StepTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The pause when no peer had the next part.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Rounds without a peer that has the next part, after which a transfer is given up.</summary>
    public int Rounds { get; init; } = 12;

    /// <summary>After a transfer that was given up: batches are executed, and offers are not looked at.</summary>
    public TimeSpan GiveUpPause { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>Offers the state of an attested block to who is far behind, and answers what is asked of it.</summary>
/// <remarks>
/// Pages say what they were after each of the last 10,000 blocks, so nothing is prepared or held still for an offer,
/// and whoever has the block can go on with a transfer that another one began. What is given out is not trusted by who
/// takes it.
/// </remarks>
internal sealed class SnapshotDesk(
    RolePorts ports, IRoleChain chain, CommittedArchive archive, ReplicaContext context, SnapshotLimits limits)
{
    /// <summary>Blocks below the final one that are looked at for one with an attestation of its own.</summary>
    private const int MostLookedAt = 8;

    /// <summary>Peers that are remembered; with more all are forgotten.</summary>
    private const int MostPeers = 1_024;

    private static readonly TimeSpan HeadAge = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<Address, long> _offered = [];
    private readonly Dictionary<Address, Asker> _askers = [];
    private (Snapshot Snapshot, long At)? _offer;
    private int _underWay;

    /// <summary>Offers beside the replica's steps: what an offer says is read from hundreds of blobs.</summary>
    internal async Task OfferAsync(ServeBlocks asked, ulong final, bool isNeeded, Func<Snapshot, Task> send)
    {
        try
        {
            if (await OfferAsync(asked.To, asked.From, final, isNeeded, default) is { } offer)
            {
                await send(offer);
            }
        }
        catch (StoreException failure)
        {
            ports.Log($"no state is offered: {failure.Message}");
        }
    }

    /// <summary>The offer for a peer that asks for batches from a place on; null for none.</summary>
    /// <param name="to">The peer.</param>
    /// <param name="from">The first batch that it lacks.</param>
    /// <param name="final">The last attested block.</param>
    /// <param name="isNeeded">Whether the batch is not there any more.</param>
    /// <param name="cancellation">Ends early.</param>
    internal async Task<Snapshot?> OfferAsync(
        Address to, ulong from, ulong final, bool isNeeded, CancellationToken cancellation)
    {
        if (final <= from || (!isNeeded && final - from <= limits.Behind) || !IsTimeFor(to))
        {
            return null;
        }

        if (_offer is { } known && ports.Clock.GetElapsedTime(known.At) < limits.OfferAge
            && known.Snapshot.Attestation.Statement.Sequence > from)
        {
            return known.Snapshot;
        }

        await chain.RefreshAsync(HeadAge, cancellation);
        for (var place = final; place > from && final - place < MostLookedAt; place--)
        {
            if (ConsensusGenesis.IsBorder(context.Parameters, place) || chain.ExportState(place) is null
                || await archive.AttestationAsync(place, cancellation) is not { } attestation)
            {
                continue;
            }

            var length = context.Parameters.SkipSpan + (2 * (ulong)context.Parameters.Window) + 4;
            var offer = new Snapshot(
                attestation, await archive.HeadersAsync(place, length, cancellation),
                await archive.StepsAsync(place, context.Parameters.EpochLength, cancellation));
            _offer = (offer, ports.Clock.GetTimestamp());
            ports.Log($"offers the state of block {place} to {to}, who asks for batch {from}");
            return offer;
        }

        return null;
    }

    /// <summary>Answers a letter's question: 200 with a letter, 429 where the peer asks for too much.</summary>
    internal async Task AnswerAsync(HttpContext context, PeerLetter letter, PeerMail mail)
    {
        if (await AnswerAsync(letter.From, letter.Question!, context.RequestAborted) is not { } chunk)
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }

        context.Response.ContentType = "application/octet-stream";
        await context.Response.Body.WriteAsync(mail.Answer(letter, chunk), context.RequestAborted);
    }

    /// <summary>
    /// The part that is asked for, empty where it is not to be had here; null where the peer asks for too much.
    /// </summary>
    internal async Task<StateChunk?> AnswerAsync(Address from, FetchState asked, CancellationToken cancellation)
    {
        if (!TryBegin(from))
        {
            return null;
        }

        try
        {
            await chain.RefreshAsync(HeadAge, cancellation);
            return new StateChunk(asked.Sequence, asked.Part, asked.Part == StatePart.Batches
                ? await BatchesAsync(asked, cancellation)
                : await Task.Run(() => Part(asked), cancellation));
        }
        catch (Exception failure) when (failure is RlpException or StateUnavailableException)
        {
            return new StateChunk(asked.Sequence, asked.Part, []);
        }
        finally
        {
            lock (_gate)
            {
                _underWay--;
                _askers[from].IsUnderWay = false;
            }
        }
    }

    private byte[] Part(FetchState asked)
    {
        using var held = chain.ExportState(asked.Sequence);
        if (held is null)
        {
            return [];
        }

        var reader = new RlpReader(asked.Query);
        return asked.Part switch
        {
            StatePart.Blocks => SnapshotParts.Blocks(chain.Chain, reader.ReadUInt64(), held.Number),
            StatePart.Nodes => SnapshotParts.Nodes(held, ref reader, limits.PartBytes),
            _ => SnapshotParts.Code(held, ref reader),
        };
    }

    private async Task<byte[]> BatchesAsync(FetchState asked, CancellationToken cancellation)
    {
        var from = Math.Max(1, new RlpReader(asked.Query).ReadUInt64());
        var batches = new List<CertifiedBatch>();
        for (var sequence = from; sequence <= asked.Sequence && !SnapshotParts.IsFull(batches); sequence++)
        {
            if (await archive.GetAsync(sequence, cancellation) is not { } found)
            {
                break;
            }

            batches.Add(found with { Attestation = null });
        }

        return MessageCodec.Encode(new Blocks(batches));
    }

    private bool IsTimeFor(Address peer)
    {
        lock (_gate)
        {
            if (_offered.TryGetValue(peer, out var at) && ports.Clock.GetElapsedTime(at) < limits.OfferInterval)
            {
                return false;
            }

            if (_offered.Count >= MostPeers)
            {
                _offered.Clear();
            }

            _offered[peer] = ports.Clock.GetTimestamp();
            return true;
        }
    }

    /// <summary>One question of a peer at a time, few of all, so many a minute.</summary>
    private bool TryBegin(Address peer)
    {
        lock (_gate)
        {
            if (!_askers.TryGetValue(peer, out var asker))
            {
                if (_askers.Count >= MostPeers && _underWay == 0)
                {
                    _askers.Clear();
                }

                _askers.Add(peer, asker = new Asker { Since = ports.Clock.GetTimestamp() });
            }

            if (ports.Clock.GetElapsedTime(asker.Since) >= Minute)
            {
                (asker.Since, asker.Parts) = (ports.Clock.GetTimestamp(), 0);
            }

            if (asker.IsUnderWay || _underWay >= limits.PartsAtOnce || asker.Parts >= limits.PartsPerMinute)
            {
                return false;
            }

            (asker.IsUnderWay, asker.Parts, _underWay) = (true, asker.Parts + 1, _underWay + 1);
            return true;
        }
    }

    private sealed class Asker
    {
        internal long Since { get; set; }

        internal int Parts { get; set; }

        internal bool IsUnderWay { get; set; }
    }
}
