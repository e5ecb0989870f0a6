using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>The letters between this validator and the others: who they are, where they live, what is new.</summary>
/// <remarks>
/// Who is reached is <see cref="PeerDirectory"/>'s: the configured ones, and who is registered. It is looked up at
/// every border of an epoch, and, at most once in <see cref="LookInterval"/>, when a stranger writes: a new validator
/// asks before it votes, and one that left, and is still bound, asks how it went on.
/// </remarks>
internal sealed class PeerMail : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>Validators that left and still ask; the first ones that are forgotten ask again.</summary>
    private const int MostLeft = ValidatorSet.MaximumValidators;

    private readonly Lock _gate = new();
    private readonly Dictionary<(Address From, bool IsQuestion), LetterWindow> _letters = [];
    private readonly List<Address> _left = [];
    private readonly IRoleChain _chain;
    private readonly IConsensusSigner _signer;
    private readonly PeerDirectory _directory;
    private readonly RolePorts _ports;
    private readonly HttpClient _client;
    private volatile Dictionary<Address, (Uri Url, PeerPost Post)> _posts = [];
    private long _lookedAt;

    internal PeerMail(
        RolePorts ports, IRoleChain chain, IConsensusSigner signer, PeerDirectory directory, HttpMessageHandler? wire)
    {
        (_ports, _chain, _signer, _directory) = (ports, chain, signer, directory);
        _client = wire is null ? new() : new(wire, disposeHandler: false);
        Look([]);
    }

    /// <summary>Looks up who is to be reached.</summary>
    /// <param name="validators">Those of the epochs under way.</param>
    internal void Look(IEnumerable<Address> validators)
    {
        using var alone = _gate.EnterScope();
        _lookedAt = _ports.Clock.GetTimestamp();
        var (old, now) = (_posts, new Dictionary<Address, (Uri, PeerPost)>());
        foreach (var peer in _directory.With(validators.Concat(_left)))
        {
            if (peer.Address != _signer.Address)
            {
                now[peer.Address] = old.TryGetValue(peer.Address, out var known) && known.Url == peer.Url
                    ? known
                    : (peer.Url, new(_client, _chain.Chain.ChainId, _signer, peer, _ports.Clock, _ports.Log));
            }
        }

        _posts = now;
    }

    internal void Send(IReadOnlyList<Address> to, byte[] message)
    {
        foreach (var address in to)
        {
            if (_posts.TryGetValue(address, out var known))
            {
                known.Post.Send(message);
            }
        }
    }

    /// <summary>Whether letters of the sender are read; looks at the registry where it is a stranger.</summary>
    internal async Task<bool> KnowsAsync(Address sender, CancellationToken cancellation)
    {
        if (!_posts.ContainsKey(sender) && _ports.Clock.GetElapsedTime(_lookedAt) >= LookInterval)
        {
            await _chain.RefreshAsync(LookInterval, cancellation);
            lock (_gate)
            {
                Look([sender]);
                if (_posts.ContainsKey(sender) && !_left.Contains(sender))
                {
                    _left.Add(sender);
                    _left.RemoveRange(0, Math.Max(0, _left.Count - MostLeft));
                }
            }
        }

        return _posts.ContainsKey(sender);
    }

    /// <summary>Who can be asked, one of them first.</summary>
    internal IReadOnlyList<Address> Reached(Address first)
    {
        var reached = _posts.Keys.Where(address => address != first).Order();
        return _posts.ContainsKey(first) ? [first, .. reached] : [.. reached];
    }

    /// <summary>Asks a peer for a part of a state; null where it does not answer.</summary>
    internal async Task<StateChunk?> AskAsync(Address peer, FetchState question, CancellationToken cancellation)
    {
        if (!_posts.TryGetValue(peer, out var known)
            || await known.Post.AskAsync(MessageCodec.Encode(question), cancellation) is not { } answer)
        {
            return null;
        }

        return answer.Messages is [var only] ? only.Message as StateChunk : null;
    }

    /// <summary>
    /// False for a copy of a letter that was read. Questions are counted by themselves: they overtake.
    /// </summary>
    internal bool IsNew(PeerLetter letter)
    {
        lock (_gate)
        {
            var key = (letter.From, letter.Question is not null);
            if (!_letters.TryGetValue(key, out var window))
            {
                _letters.Add(key, window = new());
            }

            return window.Take(letter.Counter);
        }
    }

    /// <summary>The answer to a letter's question, as its sender knows it again.</summary>
    internal byte[] Answer(PeerLetter letter, StateChunk chunk) => PeerLetter.Seal(
        _chain.Chain.ChainId, _signer, letter.From, letter.Counter, [MessageCodec.Encode(chunk)]);

    public void Dispose() => _client.Dispose();
}
