using SuperVm.Core.Encoding;
using SuperVm.Core.Encoding.Abi;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Stake;

/// <summary>How a key stands in the registry; the contract's own numbers.</summary>
public enum RegistryStanding : byte
{
    /// <summary>Not registered, or withdrawn.</summary>
    None,

    /// <summary>Votes from the epoch after its registration on.</summary>
    Active,

    /// <summary>Resigned or pushed out; its stake is bound for a while.</summary>
    Leaving,

    /// <summary>Proven to have equivocated; barred for ever.</summary>
    Slashed,
}

/// <summary>A key's entry as the contract's <c>validator(key)</c> answers it.</summary>
/// <param name="Owner">The account that may add stake, resign and withdraw.</param>
/// <param name="Standing">How it stands.</param>
/// <param name="Stake">Wei.</param>
/// <param name="LeftEpoch">The epoch in which it left, where it did.</param>
/// <param name="Endpoint">URL of its consensus port.</param>
public sealed record RegistryEntry(
    Address Owner, RegistryStanding Standing, UInt256 Stake, ulong LeftEpoch, string Endpoint);

/// <summary>
/// What the registry answers to calls that only read, and what its refusals mean: for those who see the contract over
/// JSON-RPC and not its storage.
/// </summary>
public static class RegistryViews
{
    private static readonly AbiFunction ValidatorView = AbiFunction.Parse("validator(address)");
    private static readonly AbiFunction ValidatorsView = AbiFunction.Parse("validators()");
    private static readonly AbiFunction MinimumStakeView = AbiFunction.Parse("minimumStake()");
    private static readonly AbiFunction WithdrawableView = AbiFunction.Parse("withdrawableFrom(address)");

    private static readonly AbiFunction EntryAnswer =
        AbiFunction.Parse("entry((address,uint8,uint64,uint128,uint64,uint64,string))");

    private static readonly AbiFunction ListAnswer = AbiFunction.Parse("list(address[],uint256[])");
    private static readonly AbiFunction NumberAnswer = AbiFunction.Parse("number(uint256)");
    private static readonly AbiFunction PairAnswer = AbiFunction.Parse("pair(uint256,uint256)");

    private static readonly (AbiFunction Error, Func<IReadOnlyList<object>, string> Says)[] Refusals =
    [
        (AbiFunction.Parse("ClosedSet()"), _ => "this chain's kind of consensus has a closed set of validators"),
        (AbiFunction.Parse("StakeTooLow(uint256)"), said => $"the stake is too low: at least {said[0]} wei"),
        (AbiFunction.Parse("StakeTooHigh()"), _ => "the stake is too high"),
        (AbiFunction.Parse("KeyInUse(uint8)"), said => $"the key is in use already: {StandingOf(said[0])}"),
        (AbiFunction.Parse("NoProofOfPossession()"), _ => "the key's signature is not for this owner and chain"),
        (AbiFunction.Parse("EndpointTooLong()"), _ => $"the endpoint is longer than "
            + $"{ValidatorRegistry.MaximumEndpointBytes} bytes"),
        (AbiFunction.Parse("NotOwner()"), _ => "the account is not the validator's owner"),
        (AbiFunction.Parse("NotActive()"), _ => "the validator is not active"),
        (AbiFunction.Parse("LastValidator()"), _ => "it is the last validator"),
        (AbiFunction.Parse("NothingToWithdraw()"), _ => "there is nothing to withdraw: resign first"),
        (AbiFunction.Parse("StillBonded(uint256,uint256)"), said =>
            $"the stake is bound until {said[0]} (seconds since 1970) and epoch {said[1]}"),
        (AbiFunction.Parse("PaymentFailed()"), _ => "the owner does not take the payment"),
    ];

    public static byte[] Validator(in Address key) => ValidatorView.EncodeCall(key);

    public static byte[] Validators() => ValidatorsView.EncodeCall();

    public static byte[] MinimumStake() => MinimumStakeView.EncodeCall();

    public static byte[] WithdrawableFrom(in Address key) => WithdrawableView.EncodeCall(key);

    /// <summary>The answer to <see cref="Validator"/>; null where it is none.</summary>
    public static RegistryEntry? ReadValidator(ReadOnlySpan<byte> answer) =>
        Read(EntryAnswer, answer) is [IReadOnlyList<object> and [Address owner, UInt256 standing, _, UInt256 stake, _,
            UInt256 leftEpoch, string endpoint]]
            ? new RegistryEntry(owner, StandingOf(standing), stake, leftEpoch.ToUInt64Saturating(), endpoint)
            : null;

    /// <summary>The answer to <see cref="Validators"/>, keys with their stakes in wei; null where it is none.</summary>
    public static IReadOnlyList<(Address Key, UInt256 Stake)>? ReadValidators(ReadOnlySpan<byte> answer) =>
        Read(ListAnswer, answer) is [IReadOnlyList<object> keys, IReadOnlyList<object> stakes]
        && keys.Count == stakes.Count
            ? [.. keys.Zip(stakes, (key, stake) => ((Address)key, (UInt256)stake))]
            : null;

    /// <summary>The answer to <see cref="MinimumStake"/> in wei; null where it is none.</summary>
    public static UInt256? ReadNumber(ReadOnlySpan<byte> answer) =>
        Read(NumberAnswer, answer) is [UInt256 number] ? number : null;

    /// <summary>
    /// The answer to <see cref="WithdrawableFrom"/>: seconds since 1970, and the epoch; null where it is none.
    /// </summary>
    public static (UInt256 Time, UInt256 Epoch)? ReadWithdrawable(ReadOnlySpan<byte> answer) =>
        Read(PairAnswer, answer) is [UInt256 time, UInt256 epoch] ? (time, epoch) : null;

    /// <summary>Why the contract reverted, in words; null for data that is none of its errors.</summary>
    public static string? ReadRefusal(ReadOnlySpan<byte> revertData)
    {
        foreach (var (error, says) in Refusals)
        {
            if (error.DecodeCall(revertData) is { Succeeded: true, Value: { } said })
            {
                return says(said);
            }
        }

        return null;
    }

    private static IReadOnlyList<object>? Read(AbiFunction shape, ReadOnlySpan<byte> answer) =>
        AbiCodec.Decode(shape.Inputs, answer) is { Succeeded: true, Value: { } values } ? values : null;

    private static RegistryStanding StandingOf(object number) =>
        (RegistryStanding)(byte)Math.Min(((UInt256)number).ToUInt64Saturating(), byte.MaxValue);
}
