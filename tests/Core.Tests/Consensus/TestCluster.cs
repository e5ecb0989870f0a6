using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

/// <summary>Keys, sets and a small synchronous cluster without faults but the ones a test makes itself.</summary>
internal sealed class TestCluster
{
    internal const long StartMs = 1_700_000_000_000;

    private static readonly Secp256k1Signer[] Keys = [.. Enumerable.Range(1, 10).Select(KeyOf)];

    private readonly Queue<(int To, MessageArrived Message)> _network = [];
    private readonly SortedDictionary<(long At, long Order), (int Node, SetTimer Timer)> _timers = [];
    private readonly Secp256k1Verifier _verifier = new();
    private long _order;

    internal TestCluster(int count, ConsensusParameters? parameters = null, ulong[]? powers = null)
    {
        Parameters = parameters ?? new ConsensusParameters { BatchAgeMs = 0, ProgressTimeoutMs = 500 };
        Set = SetOf(count, powers);
        Contexts = [.. Enumerable.Range(0, count).Select(ContextOf)];
        Replicas = [.. Contexts.Select(context => new Replica(context))];
        Down = new bool[count];
        Blocks = [.. Enumerable.Range(0, count).Select(_ => new List<Batch>())];
    }

    internal static long NowMs => StartMs;

    internal ConsensusParameters Parameters { get; }

    internal ValidatorSet Set { get; }

    internal ReplicaContext[] Contexts { get; }

    internal Replica[] Replicas { get; }

    internal bool[] Down { get; }

    internal long Now { get; private set; } = StartMs;

    internal List<Batch>[] Blocks { get; }

    internal List<(int Node, Effect Effect)> Effects { get; } = [];

    /// <summary>Answers false for messages that are lost.</summary>
    internal Func<int, int, ConsensusMessage, bool> Delivers { get; set; } = (_, _, _) => true;

    /// <summary>The block hash that a replica makes of a batch.</summary>
    internal Func<int, Batch, Hash256> Execute { get; set; } = (_, batch) => Keccak256.Hash(batch.Digest.Bytes);

    /// <summary>Whether the replica is saved and loaded around every step.</summary>
    internal bool Reloads { get; set; }

    internal static Secp256k1Signer KeyOf(int number)
    {
        var key = new byte[32];
        key[31] = (byte)number;
        return new Secp256k1Signer(key);
    }

    internal static IConsensusSigner Key(int index) => Keys[index];

    internal static ValidatorSet SetOf(int count, ulong[]? powers = null) =>
        new([.. Enumerable.Range(0, count).Select(i => new Validator(Keys[i].Address, powers?[i] ?? 1))]);

    internal void Start() => Each(node => Step(node, new Started(Now)));

    internal void Submit(int node, params byte[][] transactions)
    {
        Step(node, new RequestsSubmitted(Now, transactions));
        Deliver();
    }

    /// <summary>Delivers everything that is under way, without time passing.</summary>
    internal void Deliver()
    {
        while (_network.TryDequeue(out var next))
        {
            if (!Down[next.To])
            {
                Step(next.To, next.Message with { NowMs = Now });
            }
        }
    }

    /// <summary>Lets time pass up to the moment, timer by timer.</summary>
    internal void Advance(long milliseconds)
    {
        var until = Now + milliseconds;
        Deliver();
        while (_timers.Count > 0 && _timers.First() is { } first && first.Key.At <= until)
        {
            _timers.Remove(first.Key);
            Now = Math.Max(Now, first.Key.At);
            var (node, timer) = first.Value;
            if (!Down[node])
            {
                Step(node, new TimerExpired(Now, timer.Timer, timer.Generation));
                Deliver();
            }
        }

        Now = until;
    }

    internal void Step(int node, ReplicaEvent happened)
    {
        if (Reloads)
        {
            var saved = Replicas[node].Save();
            Replicas[node] = Replica.Load(Contexts[node], saved);
            Assert.Equal(saved, Replicas[node].Save());
        }

        foreach (var effect in Replicas[node].Step(happened).ToArray())
        {
            Effects.Add((node, effect));
            Apply(node, effect);
        }
    }

    private void Apply(int node, Effect effect)
    {
        switch (effect)
        {
            case Send e:
                Post(node, e.To, e.Message);
                break;
            case Broadcast e:
                foreach (var peer in Replicas[node].Peers)
                {
                    Post(node, peer, e.Message);
                }

                break;
            case SetTimer e:
                _timers.Add((Now + e.DelayMs + e.JitterMs, _order++), (node, e));
                break;
            case ExecuteBatch e:
                Blocks[node].Add(e.Batch);
                Step(node, new BatchExecuted(Now, e.Batch.Sequence, Execute(node, e.Batch), Set));
                break;
            default:
                break;
        }
    }

    private void Post(int from, Address to, ConsensusMessage message)
    {
        var target = Set.IndexOf(to);
        if (target >= 0 && Delivers(from, target, message))
        {
            Assert.True(MessageCodec.TryDecode(MessageCodec.Encode(message), out var received));
            _network.Enqueue((target, new MessageArrived(Now, Keys[from].Address, received)));
        }
    }

    private ReplicaContext ContextOf(int node) => new(
        Parameters, Keys[node], _verifier, new OpaqueTransactions(),
        Epoch.Genesis(Set, Hash256.Zero, Parameters.EpochLength),
        BatchHeader.Genesis(Hash256.Zero, StartMs / 1000, Parameters.GasLimit));

    private void Each(Action<int> action)
    {
        for (var node = 0; node < Replicas.Length; node++)
        {
            if (!Down[node])
            {
                action(node);
            }
        }
    }
}
