using System.Diagnostics.CodeAnalysis;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>One validator of an epoch: the address of its key and its voting power (stake in whole units).</summary>
public readonly record struct Validator(Address Address, ulong Power);

/// <summary>The validators of one epoch in a fixed order, with the quorum rules over their voting power.</summary>
/// <remarks>
/// Quorum: power strictly above two thirds of the total. Two quorums share more than one third of the power, so at
/// least one honest validator as long as the faulty ones hold at most one third. Weak quorum: power above one third,
/// so at least one honest validator. With equal powers and n = 3f+1 these are 2f+1 and f+1 of Castro and Liskov.
/// </remarks>
public sealed class ValidatorSet
{
    /// <summary>The most validators an epoch may have; bounds every certificate.</summary>
    public const int MaximumValidators = 128;

    /// <summary>The most voting power that one epoch's validators may have together.</summary>
    public const ulong MaximumTotalPower = 1UL << 61;

    private readonly Validator[] _validators;
    private readonly Dictionary<Address, int> _indexes;

    /// <exception cref="ArgumentException">No validators, too many, a power of zero, or an address twice.</exception>
    public ValidatorSet(IReadOnlyList<Validator> validators)
    {
        if (validators.Count is 0 or > MaximumValidators)
        {
            throw new ArgumentException($"A validator set has 1 to {MaximumValidators} validators.");
        }

        _validators = [.. validators];
        _indexes = new Dictionary<Address, int>(_validators.Length);
        for (var i = 0; i < _validators.Length; i++)
        {
            var (address, power) = _validators[i];
            if (power == 0 || power > MaximumTotalPower - TotalPower || !_indexes.TryAdd(address, i))
            {
                throw new ArgumentException("Powers are positive and bounded, and addresses differ.");
            }

            TotalPower += power;
        }

        var writer = new RlpWriter(_validators.Length * 32);
        Write(writer);
        Hash = Keccak256.Hash(writer.Written);
    }

    public int Count => _validators.Length;

    public ulong TotalPower { get; }

    /// <summary>Keccak-256 of the set's RLP; what a border checkpoint attests.</summary>
    public Hash256 Hash { get; }

    public Validator this[int index] => _validators[index];

    public IReadOnlyList<Validator> Validators => _validators;

    /// <summary>The validator's place in the set, or -1.</summary>
    public int IndexOf(in Address address) => _indexes.TryGetValue(address, out var index) ? index : -1;

    /// <summary>Strictly above two thirds of the total power.</summary>
    public bool IsQuorum(ulong power) => (UInt128)power * 3 > (UInt128)TotalPower * 2;

    /// <summary>Strictly above one third of the total power.</summary>
    public bool IsWeakQuorum(ulong power) => (UInt128)power * 3 > TotalPower;

    public void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        foreach (var (address, power) in _validators)
        {
            writer.WriteAddress(address);
            writer.WriteUInt64(power);
        }

        writer.EndList(list);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="RlpException">Not a valid set.</exception>
    public static ValidatorSet Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var validators = new List<Validator>();
        while (!list.AtEnd && validators.Count <= MaximumValidators)
        {
            validators.Add(new Validator(list.ReadAddress(), list.ReadUInt64()));
        }

        try
        {
            return new ValidatorSet(validators);
        }
        catch (ArgumentException broken)
        {
            throw new RlpException(broken.Message);
        }
    }

    /// <summary>
    /// The set without exceptions: false where <see cref="ValidatorSet(IReadOnlyList{Validator})"/> throws.
    /// </summary>
    public static bool TryCreate(IReadOnlyList<Validator> validators, [NotNullWhen(true)] out ValidatorSet? set)
    {
        try
        {
            set = new ValidatorSet(validators);
            return true;
        }
        catch (ArgumentException)
        {
            set = null;
            return false;
        }
    }
}
