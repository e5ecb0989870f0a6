using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Node;

/// <summary>A block with what proves it final, as anyone may bring it.</summary>
/// <param name="Block">The block's RLP.</param>
/// <param name="Attestation">
/// RLP of a quorum's <see cref="CheckpointCertificate"/>; null where only a later block's vouches for it.
/// </param>
/// <param name="Commit">RLP of the batch's <see cref="QuorumCertificate"/>; null where it is left out.</param>
public sealed record BlockProof(byte[] Block, byte[]? Attestation, byte[]? Commit);

/// <summary>What a light verification found: the block, or the first thing that does not hold.</summary>
public readonly record struct LightAnswer(ChainHeader? Header, string? Error)
{
    public bool Holds => Error is null;

    internal static LightAnswer Refused(string error) => new(null, error);
}

/// <summary>
/// Checks that blocks of a chain that validators order are final, with nothing but the genesis: no state, no execution.
/// </summary>
/// <remarks>
/// <code>
///   genesis ─▶ set of epoch 0 ─ border's attestation names the next set ─▶ set of epoch 1 ─▶ …
///   block ─▶ its hash is what a quorum of its epoch attests; its extra data is the batch that a quorum committed;
///            its transactions are those of its header; its parent is the block before
/// </code>
/// A quorum holds more than two thirds of an epoch's power. So what holds here is what the honest executed, as long as
/// less than a third of each epoch's power lied.
/// </remarks>
public sealed class LightVerifier
{
    /// <summary>Blocks without an attestation of their own that wait for a later one's.</summary>
    public const int MaximumWaiting = 4_096;

    private readonly ChainSpec _spec;
    private readonly ulong _epochLength;
    private readonly ISignatureVerifier _verifier;
    private readonly Hash256 _genesis;
    private readonly List<Epoch> _epochs;
    private readonly List<EpochProof> _steps = [];
    private ChainHeader? _last;
    private int _waiting;

    private LightVerifier(
        ChainSpec spec, Hash256 genesis, ulong epochLength, Epoch first, ISignatureVerifier verifier) =>
        (_spec, _genesis, _epochLength, _epochs, _verifier) = (spec, genesis, epochLength, [first], verifier);

    /// <summary>The newest epoch whose validators are known.</summary>
    public Epoch Epoch => _epochs[^1];

    /// <summary>The hash of block 0.</summary>
    public Hash256 GenesisHash => _genesis;

    /// <summary>Whether every block that was shown is vouched for: the last one is attested itself.</summary>
    public bool IsComplete => _waiting == 0;

    /// <summary>A verifier that trusts a genesis.</summary>
    /// <param name="genesis">The chain's beginning.</param>
    /// <param name="fixedSet">The set of a chain whose genesis holds no registry; ignored where it holds one.</param>
    /// <param name="verifier">Checks signatures.</param>
    /// <exception cref="ArgumentException">There is neither a registry nor a set.</exception>
    public static LightVerifier Of(Genesis genesis, ValidatorSet? fixedSet, ISignatureVerifier verifier)
    {
        var registry = ValidatorRegistry.Read(genesis);
        var set = registry?.NextSet() ?? fixedSet
            ?? throw new ArgumentException("The genesis holds no validators, and none are given.");
        var accounts = genesis.Alloc.Select(pair => new AllocatedAccount(
            pair.Key, pair.Value.Nonce, pair.Value.Balance,
            pair.Value.Code.Length == 0 ? null : new Code(pair.Value.Code), pair.Value.Storage)).ToArray();
        var hash = HeaderCodec.Hash(genesis.HeaderOver(StateRoot.Of(accounts)));
        var length = registry?.Parameters.EpochLength ?? 0;
        var kind = registry?.Parameters.Kind ?? default;
        return new LightVerifier(
            genesis.Spec, hash, length, Epoch.Genesis(set, hash, length, kind), verifier);
    }

    /// <summary>The epoch of a block.</summary>
    public ulong EpochOf(ulong number) => _epochLength == 0 ? 0 : (number - 1) / _epochLength;

    /// <summary>Takes the step to the next epoch; the reason where it does not hold.</summary>
    public string? TakeEpoch(byte[] proof)
    {
        EpochProof read;
        try
        {
            var reader = new RlpReader(proof);
            read = EpochProof.Read(ref reader);
            reader.RequireEnd();
        }
        catch (RlpException damage)
        {
            return $"the step to epoch {Epoch.Number + 1} is malformed: {damage.Message}";
        }

        if (_epochLength == 0)
        {
            return "this chain's validators never change";
        }

        if (read.Border.Statement.Sequence != Epoch.Last)
        {
            return $"epoch {Epoch.Number} ends at block {Epoch.Last}, the step is of {read.Border.Statement.Sequence}";
        }

        if (read.Border.Statement.NextSet != read.Validators.Hash)
        {
            return $"the set of epoch {Epoch.Number + 1} is not the one that epoch {Epoch.Number} attested";
        }

        if (read.Apply(Epoch, _spec.ChainId, _epochLength, _verifier) is not { } next)
        {
            return $"no quorum of epoch {Epoch.Number} signed its last block's attestation";
        }

        _epochs.Add(next);
        _steps.Add(read);
        return null;
    }

    /// <summary>
    /// Checks a block: by itself, or, after others, as the next one. Where it brings no attestation a later block's
    /// vouches for it (<see cref="IsComplete"/>).
    /// </summary>
    public LightAnswer Take(BlockProof proof)
    {
        var decoded = BlockCodec.Decode(proof.Block);
        if (!decoded.Succeeded)
        {
            return LightAnswer.Refused($"the block is malformed: {decoded.Error}");
        }

        var block = decoded.Value;
        var number = block.Header.Number;
        var header = new ChainHeader(block.Header, HeaderCodec.Hash(block.Header));
        if (number == 0)
        {
            return header.Hash == _genesis
                ? new LightAnswer(_last = header, null)
                : LightAnswer.Refused($"block 0 is {header.Hash}, the genesis gives {_genesis}");
        }

        if (EpochOf(number) > Epoch.Number)
        {
            return LightAnswer.Refused($"block {number} is of epoch {EpochOf(number)}, whose validators are not known");
        }

        var error = Body(block, proof.Block.Length) ?? Link(header) ?? Attestation(header, proof.Attestation)
            ?? Commit(header, proof.Commit);
        if (error is null)
        {
            _waiting = proof.Attestation is null ? _waiting + 1 : 0;
            error = _waiting > MaximumWaiting ? $"no block up to {number} is attested for {_waiting} blocks" : null;
        }

        if (error is not null)
        {
            return LightAnswer.Refused($"block {number}: {error}");
        }

        return new LightAnswer(_last = header, null);
    }

    /// <summary>Whether transactions and withdrawals are the header's.</summary>
    private string? Body(Block block, int size)
    {
        var rules = _spec.RulesAt(block.Header.Number, block.Header.Timestamp, UInt256.MaxValue);
        var broken = BodyValidator.Validate(block, size, rules);
        if (broken != BodyError.None)
        {
            return $"its body is not its header's: {broken}";
        }

        if (Chain.TransactionsRoot(block.Transactions) != block.Header.TransactionsRoot)
        {
            return "its transactions are not those of its header";
        }

        return block.Withdrawals is { } paid && Chain.WithdrawalsRoot(paid) != block.Header.WithdrawalsRoot
            ? "its withdrawals are not those of its header"
            : null;
    }

    private string? Link(ChainHeader header)
    {
        var parent = _last is { } last ? (last.Number, last.Hash) : (0UL, _genesis);
        if (_last is null && header.Number != 1)
        {
            return null;
        }

        if (header.Number != parent.Item1 + 1)
        {
            return $"it does not follow block {parent.Item1}";
        }

        return header.Header.ParentHash == parent.Item2 ? null : $"its parent is not block {parent.Item1}";
    }

    private string? Attestation(ChainHeader header, byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        CheckpointCertificate certificate;
        try
        {
            var reader = new RlpReader(bytes);
            certificate = CheckpointCertificate.Read(ref reader);
            reader.RequireEnd();
        }
        catch (RlpException damage)
        {
            return $"its attestation is malformed: {damage.Message}";
        }

        var epoch = _epochs[(int)EpochOf(header.Number)];
        var statement = certificate.Statement;
        if (statement.Sequence != header.Number || statement.BlockHash != header.Hash)
        {
            return $"the attestation is of block {statement.Sequence} {statement.BlockHash}, this is {header.Hash}";
        }

        if (!header.Header.ExtraData.Span.SequenceEqual(statement.BatchDigest.Bytes))
        {
            return "it does not come from the batch that is attested";
        }

        var isBorder = header.Number == epoch.Last;
        if (statement.NextSet.IsZero == isBorder)
        {
            return isBorder
                ? "it ends an epoch, but its attestation names no next set"
                : "its attestation names a next set inside an epoch";
        }

        if (isBorder && epoch.Number < Epoch.Number
            && _steps[(int)epoch.Number].Border.Statement != statement)
        {
            return "its attestation is not the one that the next epoch began with";
        }

        return certificate.Verify(_spec.ChainId, epoch, _verifier)
            ? null
            : $"its attestation is not signed by a quorum of epoch {epoch.Number}";
    }

    private string? Commit(ChainHeader header, byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        QuorumCertificate certificate;
        try
        {
            var reader = new RlpReader(bytes);
            certificate = QuorumCertificate.Read(ref reader);
            reader.RequireEnd();
        }
        catch (RlpException damage)
        {
            return $"its commit certificate is malformed: {damage.Message}";
        }

        var epoch = _epochs[(int)EpochOf(header.Number)];
        if (certificate.Phase != VotePhase.Commit || certificate.Sequence != header.Number
            || !header.Header.ExtraData.Span.SequenceEqual(certificate.Digest.Bytes))
        {
            return "the commit certificate is of another batch";
        }

        return certificate.Verify(_spec.ChainId, epoch, _verifier)
            ? null
            : $"its commit certificate is not signed by a quorum of epoch {epoch.Number}";
    }
}
