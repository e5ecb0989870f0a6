using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.State;

namespace SuperVm.Proofs.Tests;

/// <summary>An exported contract, as solc compiled it, on the EVM.</summary>
internal sealed class VerifierContract : IStateReader, IBlockHashSource
{
    private const ulong GasLimit = 10_000_000;

    private static readonly Address At = Address.FromNumber(0xC0DE), Caller = Address.FromNumber(0xCA11);

    private readonly Code _code;
    private readonly byte[] _selector;
    private readonly BlockContext _block;

    internal VerifierContract(JsonElement judgement)
    {
        _code = new Code(Convert.FromHexString(judgement.GetProperty("bytecode").GetString()!));
        _selector = Convert.FromHexString(judgement.GetProperty("selector").GetString()!);
        _block = new BlockContext
        {
            Rules = ForkRules.Of(Fork.Osaka), ChainId = 1, Number = 1, GasLimit = GasLimit, BlockHashes = this,
        };
    }

    /// <summary>Calls verifyProof; a revert counts as no.</summary>
    internal bool Accepts(Proof proof, UInt256[] publics)
    {
        var input = new List<byte>(_selector);
        foreach (var value in (UInt256[])
            [
                proof.A.X.ToUInt256(), proof.A.Y.ToUInt256(), proof.B.X.C1.ToUInt256(), proof.B.X.C0.ToUInt256(),
                proof.B.Y.C1.ToUInt256(), proof.B.Y.C0.ToUInt256(), proof.C.X.ToUInt256(), proof.C.Y.ToUInt256(),
                .. publics.Length == 0 ? [UInt256.Zero] : publics,
            ])
        {
            var word = new byte[32];
            value.WriteBigEndian(word);
            input.AddRange(word);
        }

        var state = new WorldState();
        state.Reset(this, _block.Rules);
        var result = new EvmEngine().Execute(
            new Message
            {
                Kind = MessageKind.Call, Caller = Caller, Recipient = At, CodeAddress = At, Gas = GasLimit,
                Input = input.ToArray(),
            },
            new TransactionContext { Origin = Caller, BlobHashes = [] }, _block, state);
        return result.Succeeded && result.Output.Length == 32 && result.Output.Span[31] == 1;
    }

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        account = address == At ? new Account(1, UInt256.Zero, _code.Hash, false) : default;
        return address == At ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        return ReadStatus.Absent;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
    {
        code = codeHash == _code.Hash ? _code : null;
        return code is null ? ReadStatus.Absent : ReadStatus.Found;
    }

    public Hash256 HashOf(ulong number) => Hash256.Zero;
}
