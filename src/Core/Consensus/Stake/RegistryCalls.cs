using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Stake;

/// <summary>Call data for the validator registry.</summary>
public static class RegistryCalls
{
    private const string Attestation = "(bytes32,bytes32,bytes32)";

    private static readonly AbiFunction RegisterCall = AbiFunction.Parse("register(address,string,bytes)");
    private static readonly AbiFunction AddStakeCall = AbiFunction.Parse("addStake(address)");
    private static readonly AbiFunction SetEndpointCall = AbiFunction.Parse("setEndpoint(address,string)");
    private static readonly AbiFunction ResignCall = AbiFunction.Parse("resign(address)");
    private static readonly AbiFunction WithdrawCall = AbiFunction.Parse("withdraw(address)");
    private static readonly AbiFunction SlashVotesCall =
        AbiFunction.Parse("slashVotes(uint8,uint64,uint64,bytes32,bytes,bytes32,bytes)");

    private static readonly AbiFunction SlashAttestationsCall =
        AbiFunction.Parse($"slashAttestations(uint64,{Attestation},bytes,{Attestation},bytes)");

    /// <summary>Registers the signer's key for an owner, who must be the transaction's sender.</summary>
    public static byte[] Register(ulong chainId, IConsensusSigner key, in Address owner, string endpoint) =>
        RegisterCall.EncodeCall(key.Address, endpoint, key.Sign(Statements.Registration(chainId, owner)));

    public static byte[] AddStake(in Address key) => AddStakeCall.EncodeCall(key);

    public static byte[] SetEndpoint(in Address key, string endpoint) => SetEndpointCall.EncodeCall(key, endpoint);

    public static byte[] Resign(in Address key) => ResignCall.EncodeCall(key);

    public static byte[] Withdraw(in Address key) => WithdrawCall.EncodeCall(key);

    /// <summary>Reports a proof; null where it is none that the contract punishes.</summary>
    public static byte[]? Slash(Evidence evidence) => (evidence.Kind, evidence.First, evidence.Second) switch
    {
        (EvidenceKind.ConflictingVotes, Vote first, Vote second) => SlashVotesCall.EncodeCall(
            new UInt256((ulong)first.Phase), new UInt256(first.View), new UInt256(first.Sequence),
            first.Digest.ToArray(), first.Signature, second.Digest.ToArray(), second.Signature),
        (EvidenceKind.ConflictingCheckpoints, Checkpoint first, Checkpoint second) =>
            SlashAttestationsCall.EncodeCall(
                new UInt256(first.Statement.Sequence), Fields(first), first.Signature, Fields(second),
                second.Signature),
        _ => null,
    };

    private static IReadOnlyList<object> Fields(Checkpoint said) =>
    [
        said.Statement.BlockHash.ToArray(), said.Statement.BatchDigest.ToArray(), said.Statement.NextSet.ToArray(),
    ];
}
