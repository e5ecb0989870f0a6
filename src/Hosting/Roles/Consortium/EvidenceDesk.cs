using SuperVm.Core.Consensus;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Proofs of faults: kept, and taken to the registry by transactions through the own inbox.</summary>
/// <remarks>
/// <code>
///   found ─▶ blob evidence/KECCAK ─▶ document: which there are ─▶ EvidenceReporter ─▶ inbox ─▶ registry: slashed
/// </code>
/// The document is read at the start, so that a proof found by a process that died is reported too. What a reporter
/// needs (a pool, calls) is made when there is something to report: a validator among honest ones pays nothing.
/// </remarks>
internal sealed class EvidenceDesk : IDisposable
{
    /// <summary>Proofs that the document names; the oldest is forgotten (its blob stays).</summary>
    private const int MostNamed = ValidatorSet.MaximumValidators;

    /// <summary>Times that others may change the document before a call gives up.</summary>
    private const int MostAttempts = 16;

    /// <summary>How old the head may be that a round looks at.</summary>
    private static readonly TimeSpan HeadAge = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly RolePorts _ports;
    private readonly IRoleChain _chain;
    private readonly byte[] _key;
    private readonly Func<Epoch?> _epoch;
    private readonly DocumentKey _document;
    private Node? _node;
    private EvidenceReporter? _reporter;

    internal EvidenceDesk(RolePorts ports, IRoleChain chain, byte[] key, Func<Epoch?> epoch)
    {
        (_ports, _chain, _key, _epoch) = (ports, chain, key, epoch);
        _document = new(ports.Names.Replica, "order", "evidence");
    }

    /// <summary>Reports what is kept.</summary>
    internal async Task StartAsync(CancellationToken cancellation)
    {
        foreach (var hash in Read((await _ports.Documents.GetAsync(_document, cancellation))?.Body))
        {
            if (await _ports.Blobs.GetAsync(NameOf(hash), cancellation) is { } bytes)
            {
                Found(Evidence.Decode(bytes.Span));
            }
        }
    }

    /// <summary>Keeps a proof; any number of times.</summary>
    internal async Task KeepAsync(Evidence evidence, CancellationToken cancellation)
    {
        var encoded = evidence.Encode();
        var hash = Keccak256.Hash(encoded);
        await _ports.Blobs.PutAsync(NameOf(hash), encoded, cancellation);
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var found = await _ports.Documents.GetAsync(_document, cancellation);
            var named = Read(found?.Body);
            if (named.Contains(hash))
            {
                return;
            }

            named.Add(hash);
            var body = Written(named[Math.Max(0, named.Count - MostNamed)..]);
            var write = found is null
                ? await _ports.Documents.CreateAsync(_document, body, cancellation)
                : await _ports.Documents.ReplaceAsync(_document, body, found.ETag, cancellation);
            if (write.IsDone)
            {
                return;
            }
        }

        throw new StoreException($"{_document} changes faster than a proof can be named in it.");
    }

    /// <summary>Takes a kept proof to the registry.</summary>
    internal void Found(Evidence evidence)
    {
        _ports.Log($"proof of a validator's fault is stored: {evidence.Kind}");
        lock (_gate)
        {
            _reporter ??= NewReporter();
            _reporter.Found(evidence);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_node is not null)
            {
                _chain.Chain.HeadChanged -= Follow;
                _reporter!.Dispose();
                _node.Dispose();
            }
        }
    }

    private EvidenceReporter NewReporter()
    {
        _node = new(
            _chain.Chain, _chain.Chain.Spec, static () => new EvmEngine(),
            new NodeOptions { IsInstantlyFinal = false, OnAccepted = Enqueue }, _ports.Clock, _ports.Log);
        _chain.Chain.HeadChanged += Follow;
        return new(_node, _epoch, _key, _ports.Clock)
        {
            BeforeRound = () => _chain.RefreshAsync(HeadAge, default).GetAwaiter().GetResult(),
        };
    }

    private void Follow(HeadChange change) => IngestService.Settle(_node!, change);

    private void Enqueue(IReadOnlyList<PooledAnswer> accepted)
    {
        foreach (var body in ItemPacking.Pack(
            [.. accepted.Select(one => (ReadOnlyMemory<byte>)TransactionCodec.Encode(one.Transaction))]))
        {
            _ports.Bus.SendAsync(_ports.Names.Inbox, body).GetAwaiter().GetResult();
        }
    }

    private static List<Hash256> Read(ReadOnlyMemory<byte>? body)
    {
        var named = new List<Hash256>();
        if (body is { } bytes)
        {
            var reader = new RlpReader(bytes.Span);
            var list = reader.ReadList();
            while (!list.AtEnd)
            {
                named.Add(list.ReadHash256());
            }
        }

        return named;
    }

    private static byte[] Written(List<Hash256> named)
    {
        var writer = new RlpWriter(64 * named.Count);
        var list = writer.BeginList();
        foreach (var hash in named)
        {
            writer.WriteHash256(hash);
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    private static string NameOf(in Hash256 hash) => $"evidence/{Convert.ToHexStringLower(hash.Bytes)}";
}
