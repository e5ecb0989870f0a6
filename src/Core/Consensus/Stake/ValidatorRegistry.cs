using System.Diagnostics.CodeAnalysis;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using Utf8 = System.Text.UTF8Encoding;

namespace SuperVm.Core.Consensus.Stake;

/// <summary>What the validator registry of a chain fixes from genesis on.</summary>
public sealed record RegistryParameters
{
    /// <summary>Wei that a validator brings at least.</summary>
    public UInt256 MinimumStake { get; init; } = new(1_000_000_000_000_000_000);

    /// <summary>Seconds between leaving and withdrawing.</summary>
    public ulong UnbondingSeconds { get; init; } = 7 * 24 * 3600;

    /// <summary>Batches of an epoch; 0 = the set of genesis stays.</summary>
    public ulong EpochLength { get; init; } = 1024;

    /// <summary>Validators that may be registered at once.</summary>
    public ushort Capacity { get; init; } = ValidatorSet.MaximumValidators;

    /// <summary>Validators that vote in an epoch at most.</summary>
    public ushort Seats { get; init; } = ValidatorSet.MaximumValidators;

    /// <summary>How the set and its leaders come about.</summary>
    public ConsensusKind Kind { get; init; } = ConsensusKind.Pbft;

    /// <summary>Leading zero bits of a proposal's proof of work; only where the kind asks for one.</summary>
    public byte WorkBits { get; init; }
}

/// <summary>A validator as the registry has it.</summary>
/// <param name="Key">The address of its consensus key.</param>
/// <param name="Owner">The account that may add stake, resign and withdraw.</param>
/// <param name="Stake">Wei.</param>
/// <param name="Endpoint">URL of its consensus port; empty where none is told.</param>
public sealed record RegisteredValidator(Address Key, Address Owner, UInt256 Stake, string Endpoint);

/// <summary>
/// The validator contract (<c>contracts/ValidatorRegistry.sol</c>): written into genesis, and read as storage, without
/// executing anything, at the last block of every epoch.
/// </summary>
/// <remarks>All validators read the same: the state root of the block commits to it.</remarks>
public sealed class ValidatorRegistry
{
    /// <summary>The longest endpoint; the contract's own limit.</summary>
    public const int MaximumEndpointBytes = 128;

    /// <summary>Wei of one unit of voting power.</summary>
    public const ulong PowerUnit = 1_000_000_000;

    private ValidatorRegistry(RegistryParameters parameters, IReadOnlyList<RegisteredValidator> validators) =>
        (Parameters, Validators) = (parameters, validators);

    /// <summary>Where the contract stands on every chain that has one.</summary>
    public static Address Address { get; } = Address.Parse("53564d0000000000000000000000000000000001");

    public RegistryParameters Parameters { get; }

    /// <summary>Who votes from the next epoch on, in the registry's order.</summary>
    public IReadOnlyList<RegisteredValidator> Validators { get; }

    /// <summary>The contract as genesis has it: parameters, first validators and their stakes.</summary>
    /// <exception cref="ArgumentException">No validators, too many, one twice, or a value out of range.</exception>
    public static GenesisAccount Account(
        RegistryParameters parameters, IReadOnlyList<RegisteredValidator> validators)
    {
        if (parameters.Capacity is 0 or > ValidatorSet.MaximumValidators || parameters.Seats is 0
            || parameters.Seats > parameters.Capacity || parameters.WorkBits > ProofOfWorkRule.MaximumBits)
        {
            throw new ArgumentException("The registry's seats, capacity or work are out of range.");
        }

        if (validators.Count == 0 || validators.Count > parameters.Capacity
            || validators.DistinctBy(one => one.Key).Count() != validators.Count)
        {
            throw new ArgumentException("The registry has 1 validator to its capacity, each once.");
        }

        var slots = new Dictionary<UInt256, UInt256>
        {
            [new UInt256(RegistryLayout.FirstParameters)] = RegistryLayout.Put(parameters.MinimumStake, 0)
                | RegistryLayout.Put(parameters.UnbondingSeconds, 16) | RegistryLayout.Put(parameters.EpochLength, 24),
            [new UInt256(RegistryLayout.SecondParameters)] = RegistryLayout.Put(parameters.Capacity, 0)
                | RegistryLayout.Put(parameters.Seats, 2) | RegistryLayout.Put((ulong)parameters.Kind, 4)
                | RegistryLayout.Put(parameters.WorkBits, 5),
            [new UInt256(RegistryLayout.Keys)] = new UInt256((ulong)validators.Count),
        };
        var total = UInt256.Zero;
        for (var i = 0; i < validators.Count; i++)
        {
            Write(slots, validators[i], (ulong)i);
            total += validators[i].Stake;
        }

        var present = slots.Where(slot => !slot.Value.IsZero).ToDictionary(slot => slot.Key, slot => slot.Value);
        return new GenesisAccount(total, 1, RegistryLayout.Code, present);
    }

    /// <summary>The registry in a state; null where the chain has none, or one of another code.</summary>
    public static ValidatorRegistry? Read(IStateReader state)
    {
        state.ReadAccount(Address, out var account);
        return account.HasCode && account.CodeHash == CodeHash
            ? Read(Reader(state))
            : null;
    }

    /// <summary>The registry that a genesis begins with; null where it has none.</summary>
    public static ValidatorRegistry? Read(Genesis genesis) =>
        genesis.Alloc.TryGetValue(Address, out var account) && account.Code.AsSpan().SequenceEqual(RegistryLayout.Code)
            ? Read(slot => account.Storage.GetValueOrDefault(slot))
            : null;

    /// <summary>
    /// A validator by its key, also one that left and is still bound; null where the registry does not know it.
    /// </summary>
    public static RegisteredValidator? Find(IStateReader state, in Address key)
    {
        var read = Reader(state);
        return StateOf(read, key) == 0 ? null : Read(read, key);
    }

    /// <summary>Whether the key has stake that a proof of equivocation would cut.</summary>
    public static bool IsSlashable(IStateReader state, in Address key) => StateOf(Reader(state), key) is 1 or 2;

    /// <summary>The set of the next epoch; null where nobody is registered, so that the old set goes on.</summary>
    /// <remarks>
    /// Voting power is stake in gwei; where all together would exceed <see cref="ValidatorSet.MaximumTotalPower"/> it
    /// is halved until they do not, and nobody has less than one.
    /// </remarks>
    public ValidatorSet? NextSet()
    {
        if (Validators.Count == 0)
        {
            return null;
        }

        var unit = new UInt256(PowerUnit);
        var total = Validators.Aggregate(UInt256.Zero, (sum, one) => sum + (one.Stake / unit) + UInt256.One);
        var shift = Math.Max(0, total.BitLength - BitsOfTotalPower);
        var candidates = Validators
            .Select(one => new Candidate(one.Key, Math.Max(1, ((one.Stake / unit) >> shift).ToUInt64Saturating())))
            .ToList();
        return ValidatorSelection.Select(Parameters.Kind, candidates, minimumStake: 1, Parameters.Seats);
    }

    /// <summary>Where a validator's consensus port is; false where it tells none that is an HTTP URL.</summary>
    public static bool TryEndpoint(RegisteredValidator validator, [NotNullWhen(true)] out Uri? url) =>
        Uri.TryCreate(validator.Endpoint, UriKind.Absolute, out url)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    private const int BitsOfTotalPower = 60;

    private static readonly Hash256 CodeHash = new Code(RegistryLayout.Code).Hash;

    private static void Write(Dictionary<UInt256, UInt256> slots, RegisteredValidator validator, ulong index)
    {
        var endpoint = new Utf8().GetBytes(validator.Endpoint);
        if (endpoint.Length > MaximumEndpointBytes || validator.Stake.BitLength is 0 or > 127)
        {
            throw new ArgumentException($"The stake or the endpoint of {validator.Key} is out of range.");
        }

        const ulong Active = 1;
        slots[RegistryLayout.KeySlot(index)] = AddressWord(validator.Key);
        slots[RegistryLayout.ValidatorSlot(validator.Key, 0)] = AddressWord(validator.Owner)
            | RegistryLayout.Put(Active, 20) | RegistryLayout.Put(index + 1, 21);
        slots[RegistryLayout.ValidatorSlot(validator.Key, RegistryLayout.StakeMember)] = validator.Stake;
        var slot = RegistryLayout.ValidatorSlot(validator.Key, RegistryLayout.EndpointMember);
        if (endpoint.Length < 32)
        {
            Span<byte> word = stackalloc byte[32];
            word.Clear();
            endpoint.CopyTo(word);
            word[31] = (byte)(endpoint.Length * 2);
            slots[slot] = UInt256.FromBigEndian(word);
            return;
        }

        slots[slot] = new UInt256(((ulong)endpoint.Length * 2) + 1);
        var padded = new byte[(endpoint.Length + 31) / 32 * 32];
        endpoint.CopyTo(padded, 0);
        for (var at = 0; at < padded.Length; at += 32)
        {
            slots[RegistryLayout.TextSlot(slot, (ulong)at / 32)] = UInt256.FromBigEndian(padded.AsSpan(at, 32));
        }
    }

    private static ValidatorRegistry Read(Func<UInt256, UInt256> read)
    {
        var first = read(new UInt256(RegistryLayout.FirstParameters));
        var second = read(new UInt256(RegistryLayout.SecondParameters));
        var parameters = new RegistryParameters
        {
            MinimumStake = RegistryLayout.Field(first, 0, 16),
            UnbondingSeconds = (ulong)RegistryLayout.Field(first, 16, 8),
            EpochLength = (ulong)RegistryLayout.Field(first, 24, 8),
            Capacity = (ushort)(ulong)RegistryLayout.Field(second, 0, 2),
            Seats = (ushort)(ulong)RegistryLayout.Field(second, 2, 2),
            Kind = (ConsensusKind)(ulong)RegistryLayout.Field(second, 4, 1),
            WorkBits = (byte)(ulong)RegistryLayout.Field(second, 5, 1),
        };
        var count = Math.Min(
            read(new UInt256(RegistryLayout.Keys)).ToUInt64Saturating(), ValidatorSet.MaximumValidators);
        var validators = new List<RegisteredValidator>((int)count);
        for (ulong i = 0; i < count; i++)
        {
            validators.Add(Read(read, AddressOf(read(RegistryLayout.KeySlot(i)))));
        }

        return new ValidatorRegistry(parameters, validators);
    }

    private static RegisteredValidator Read(Func<UInt256, UInt256> read, in Address key) => new(
        key, AddressOf(read(RegistryLayout.ValidatorSlot(key, 0))),
        RegistryLayout.Field(read(RegistryLayout.ValidatorSlot(key, RegistryLayout.StakeMember)), 0, 16),
        Text(read, RegistryLayout.ValidatorSlot(key, RegistryLayout.EndpointMember)));

    private static ulong StateOf(Func<UInt256, UInt256> read, in Address key) =>
        (ulong)RegistryLayout.Field(read(RegistryLayout.ValidatorSlot(key, 0)), 20, 1);

    private static Func<UInt256, UInt256> Reader(IStateReader state) =>
        slot => state.ReadSlot(Address, slot, out var value) == ReadStatus.Found ? value : UInt256.Zero;

    private static string Text(Func<UInt256, UInt256> read, UInt256 slot)
    {
        var word = read(slot).ToBigEndian();
        if ((word[31] & 1) == 0)
        {
            return Decode(word.AsSpan(0, Math.Min(word[31] / 2, 31)));
        }

        var length = (int)Math.Min((read(slot) >> 1).ToUInt64Saturating(), MaximumEndpointBytes);
        var bytes = new byte[(length + 31) / 32 * 32];
        for (var at = 0; at < bytes.Length; at += 32)
        {
            read(RegistryLayout.TextSlot(slot, (ulong)at / 32)).WriteBigEndian(bytes.AsSpan(at));
        }

        return Decode(bytes.AsSpan(0, length));
    }

    /// <summary>Bytes that are no UTF-8 give replacement characters: the contract does not check them.</summary>
    private static string Decode(ReadOnlySpan<byte> bytes) => new Utf8().GetString(bytes);

    private static UInt256 AddressWord(in Address address) => UInt256.FromBigEndian(address.Bytes);

    private static Address AddressOf(in UInt256 word)
    {
        Span<byte> bytes = stackalloc byte[32];
        word.WriteBigEndian(bytes);
        return new Address(bytes[12..]);
    }
}
