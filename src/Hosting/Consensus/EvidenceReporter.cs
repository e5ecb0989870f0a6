using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Consensus;

/// <summary>Takes proofs of equivocation to the validator registry, in transactions of this validator's own.</summary>
/// <remarks>
/// <code>
///   archive, replica ─▶ pending ─▶ my turn? ─▶ would it succeed? ─▶ sign, submit ─▶ until the registry says Slashed
/// </code>
/// All who hold a proof may report it, and the first is rewarded; so that not all pay gas, a validator waits for some
/// rounds by its index first. A proof is in the archive and is taken up again after a start.
/// </remarks>
internal sealed class EvidenceReporter : IDisposable
{
    /// <summary>Proofs that wait; one for each validator is enough, others are in the archive.</summary>
    private const int MaximumPending = ValidatorSet.MaximumValidators;

    /// <summary>Rounds between the turns of two validators, and between two tries of one.</summary>
    private const int RoundsBetween = 3;

    private const ulong GasLimit = 500_000;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<Address, (Evidence Evidence, int Rounds)> _pending = [];
    private readonly Node _node;
    private readonly ulong _chainId;
    private readonly Func<Epoch?> _epoch;
    private readonly byte[] _key;
    private readonly Address _self;
    private readonly ITimer _timer;

    /// <param name="node">What it reads, and submits through.</param>
    /// <param name="epoch">The newest epoch, once it is known.</param>
    /// <param name="key">Signs the reports.</param>
    /// <param name="clock">The rounds' time.</param>
    internal EvidenceReporter(Node node, Func<Epoch?> epoch, byte[] key, TimeProvider clock)
    {
        (_node, _epoch, _key, _self) = (node, epoch, key, Secp256k1.AddressOf(key));
        _chainId = node.Chain.ChainId;
        _timer = clock.CreateTimer(_ => Check(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called before each round: looks whether the head moved, where that does not happen by itself.</summary>
    internal Action BeforeRound { get; init; } = () => { };

    /// <summary>Takes up what is stored.</summary>
    internal void Start(IEnumerable<Evidence> stored)
    {
        foreach (var evidence in stored)
        {
            Found(evidence);
        }
    }

    /// <summary>Takes a proof that is checked and stored; others than equivocation are not punished.</summary>
    internal void Found(Evidence evidence)
    {
        if (!evidence.IsSlashable || !TryAccused(evidence, out var accused))
        {
            return;
        }

        lock (_gate)
        {
            if (_pending.Count < MaximumPending && _pending.TryAdd(accused, (evidence, 0)))
            {
                _timer.Change(TimeSpan.Zero, Round);
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Who signed: the address that its signature recovers to.</summary>
    private bool TryAccused(Evidence evidence, out Address accused)
    {
        accused = default;
        var (digest, signature) = evidence.SignedFirst(_chainId);
        return signature.Length == Limits.SignatureBytes && Secp256k1.TryRecover(
            digest, UInt256.FromBigEndian(signature.AsSpan(0, 32)), UInt256.FromBigEndian(signature.AsSpan(32, 32)),
            signature[64], out accused);
    }

    private void Check()
    {
        try
        {
            BeforeRound();
            CheckPending();
        }
        catch (StoreException failure)
        {
            _node.Log($"proofs of faults wait for the next round: {failure.Message}");
        }
    }

    private void CheckPending()
    {
        lock (_gate)
        {
            foreach (var (accused, (evidence, rounds)) in _pending.ToArray())
            {
                _pending[accused] = (evidence, rounds + 1);
                var head = _node.Chain.Head;
                if (_node.Chain.StateAt(head.Number).State is not { } state)
                {
                    continue;
                }

                if (!ValidatorRegistry.IsSlashable(state, accused))
                {
                    _pending.Remove(accused);
                    _node.Log($"validator {accused} is punished, or holds no stake");
                }
                else if (rounds >= Turn() && (rounds - Turn()) % (8 * RoundsBetween) == 0)
                {
                    Report(accused, evidence, state);
                }
            }

            if (_pending.Count == 0)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Rounds that this validator leaves to those before it.</summary>
    private int Turn() => RoundsBetween * Math.Max(0, _epoch()?.Validators.IndexOf(_self) ?? 0);

    private void Report(in Address accused, Evidence evidence, IStateReader state)
    {
        var next = _node.Producer.Next;
        state.ReadAccount(_self, out var account);
        var tip = _node.Fees.SuggestTip();
        var nonce = Math.Max(account.Nonce, _node.Pool.NextNonce(_self) ?? 0);
        var trial = TransactionOf(evidence, nonce, UInt256.Zero, UInt256.Zero);
        trial.Sender = _self;
        var context = BlockContexts.Of(_node.Spec, _node.Chain.Head.Header, _node.Chain.BlockHashes);
        if (!_node.Calls.Run(trial, context, state, _node.Calls.Begin()).Succeeded)
        {
            _node.Log($"the proof against validator {accused} is kept, but the registry refuses it");
            return;
        }

        var transaction = TransactionOf(evidence, nonce, (next.BaseFee * new UInt256(2)) + tip, tip);
        var answer = _node.Ingest.Submit(TransactionSigner.Sign(transaction, _key));
        _node.Log(answer.Error is null
            ? $"validator {accused} signed both ways: reported in {answer.Hash}"
            : $"the proof against validator {accused} waits: {answer.Error}");
    }

    private Transaction TransactionOf(Evidence evidence, ulong nonce, in UInt256 fee, in UInt256 tip) => new()
    {
        Type = TransactionType.DynamicFee, ChainId = _chainId, GasLimit = GasLimit, Nonce = nonce,
        To = ValidatorRegistry.Address, Data = RegistryCalls.Slash(evidence)!, MaxFeePerGas = fee,
        MaxPriorityFeePerGas = tip,
    };
}
