using System.Buffers.Binary;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>How a machine stands in the registry; the states of <c>contracts/ValidatorRegistry.sol</c>.</summary>
internal enum SimStanding : byte
{
    None,
    Active,
    Leaving,
    Slashed,
}

/// <summary>One machine's entry: its stake, how it stands, and the epoch in which it left.</summary>
internal readonly record struct SimMember(ulong Stake, SimStanding Standing, ulong LeftEpoch);

/// <summary>
/// The validator registry of the simulated application: who votes with which stake from the next epoch on. Immutable:
/// every block has its own.
/// </summary>
/// <remarks>
/// The contract's rules in little. One more is the simulation's own: a call after which liars and broken machines would
/// hold a third of the next set's power changes nothing, because nothing is promised for such a set.
/// </remarks>
internal sealed class SimRegistry
{
    private readonly SimWorld _world;
    private readonly SimMember[] _members;

    private SimRegistry(SimWorld world, SimMember[] members) => (_world, _members) = (world, members);

    internal SimMember this[int node] => _members[node];

    internal int Count => _members.Length;

    /// <summary>The registry of the genesis: the founders with their stakes.</summary>
    internal static SimRegistry Genesis(SimPlan plan, IReadOnlyList<Address> addresses, ISignatureVerifier verifier) =>
        new(new SimWorld(plan, addresses, verifier), [.. Enumerable.Range(0, plan.Nodes).Select(node =>
            node < plan.Founders ? new SimMember(plan.Powers[node], SimStanding.Active, 0) : default)]);

    /// <summary>The next epoch's set, by the rule that the production code has for the kind.</summary>
    internal ValidatorSet NextSet() => ValidatorSelection.Select(
        _world.Plan.Parameters.Kind,
        [.. Voters().Select(node => new Candidate(_world.Addresses[node], _members[node].Stake))],
        minimumStake: 1, ValidatorSet.MaximumValidators);

    /// <summary>Whether a proof of equivocation would cut the machine's stake.</summary>
    internal bool IsSlashable(int node) => _members[node].Standing is SimStanding.Active or SimStanding.Leaving;

    /// <summary>Folds the registry into one number, for the block's hash.</summary>
    internal ulong Digest()
    {
        var digest = 0UL;
        foreach (var (stake, standing, left) in _members)
        {
            digest = SimRandom.Mix(digest ^ stake ^ ((ulong)standing << 40) ^ (left << 48));
        }

        return digest;
    }

    /// <summary>The registry after a call in a block of the epoch; this one where the call is refused.</summary>
    internal SimRegistry After(SimCall call, ulong epoch)
    {
        if (call.Node >= _members.Length)
        {
            return this;
        }

        var member = _members[call.Node];
        SimMember? next = call.Operation switch
        {
            SimOperation.Register when call.Amount > 0 && MayRegister(member, epoch) =>
                new SimMember(call.Amount, SimStanding.Active, 0),
            SimOperation.AddStake when member.Standing == SimStanding.Active =>
                member with { Stake = member.Stake + call.Amount },
            SimOperation.Resign when member.Standing == SimStanding.Active =>
                member with { Standing = SimStanding.Leaving, LeftEpoch = epoch },
            SimOperation.Slash when IsSlashable(call.Node) && Proves(call) =>
                new SimMember(member.Stake / 2, SimStanding.Slashed, epoch),
            _ => null,
        };
        if (next is null)
        {
            return this;
        }

        SimMember[] members = [.. _members];
        members[call.Node] = next.Value;
        var after = new SimRegistry(_world, members);
        return call.Operation == SimOperation.Slash || after.IsWithinAssumptions() ? after : this;
    }

    /// <summary>Who left has its stake back after two epochs, and may come again; who was slashed may not.</summary>
    private static bool MayRegister(SimMember member, ulong epoch) => member.Standing == SimStanding.None
        || (member.Standing == SimStanding.Leaving && epoch >= member.LeftEpoch + 2);

    private IEnumerable<int> Voters() =>
        Enumerable.Range(0, _members.Length).Where(node => _members[node].Standing == SimStanding.Active);

    private bool IsWithinAssumptions()
    {
        if (!Voters().Any())
        {
            return false;
        }

        ulong faulty = 0;
        var set = NextSet();
        foreach (var node in Voters().Where(node => !_world.Plan.IsHonest(node)))
        {
            faulty += set[set.IndexOf(_world.Addresses[node])].Power;
        }

        return faulty * 3 < set.TotalPower;
    }

    /// <summary>Two statements that the machine signed, of one place, that say different things.</summary>
    private bool Proves(SimCall call)
    {
        var address = _world.Addresses[call.Node];
        var chain = _world.Plan.Parameters.ChainId;
        return SimCall.Statements(call.Proof) switch
        {
            (Vote a, Vote b) => a.Phase == b.Phase && a.View == b.View && a.Sequence == b.Sequence
                && a.Digest != b.Digest && _world.Verifier.Verify(address, a.Statement(chain), a.Signature)
                && _world.Verifier.Verify(address, b.Statement(chain), b.Signature),
            (Checkpoint a, Checkpoint b) => a.Statement.Sequence == b.Statement.Sequence && a.Statement != b.Statement
                && _world.Verifier.Verify(address, a.Digest(chain), a.Signature)
                && _world.Verifier.Verify(address, b.Digest(chain), b.Signature),
            _ => false,
        };
    }

    /// <summary>What all registries of a run share.</summary>
    private sealed record SimWorld(SimPlan Plan, IReadOnlyList<Address> Addresses, ISignatureVerifier Verifier);
}

/// <summary>What a call to the registry does.</summary>
internal enum SimOperation : byte
{
    Register = 1,
    AddStake = 2,
    Resign = 3,
    Slash = 4,
}

/// <summary>A call to the registry, as a transaction carries it.</summary>
/// <param name="Operation">What it does.</param>
/// <param name="Node">The machine that it is about.</param>
/// <param name="Amount">Stake.</param>
/// <param name="Proof">Encoded evidence, where the operation is to slash.</param>
internal readonly record struct SimCall(SimOperation Operation, int Node, ulong Amount, byte[] Proof)
{
    private const int HeaderBytes = 3 + 1 + 1 + 8 + 8;

    private static ReadOnlySpan<byte> Mark => "reg"u8;

    /// <summary>The transaction; the salt tells equal calls apart.</summary>
    internal byte[] ToTransaction(ulong salt)
    {
        var body = new byte[HeaderBytes + Proof.Length];
        Mark.CopyTo(body);
        (body[3], body[4]) = ((byte)Operation, (byte)Node);
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(5), Amount);
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(13), salt);
        Proof.CopyTo(body, HeaderBytes);
        return SimTransactions.WithCheck(body);
    }

    /// <summary>The call in a transaction; null where it is none.</summary>
    internal static SimCall? Of(byte[] transaction)
    {
        var body = SimTransactions.WithoutCheck(transaction);
        return body.Length >= HeaderBytes && body[..3].SequenceEqual(Mark)
            ? new SimCall(
                (SimOperation)body[3], body[4], BinaryPrimitives.ReadUInt64LittleEndian(body[5..]),
                body[HeaderBytes..].ToArray())
            : null;
    }

    /// <summary>The two statements of an encoded evidence; nulls where it is none.</summary>
    internal static (ConsensusMessage? First, ConsensusMessage? Second) Statements(byte[] proof)
    {
        try
        {
            var evidence = Evidence.Decode(proof);
            return (evidence.First, evidence.Second);
        }
        catch (Core.Encoding.RlpException)
        {
            return default;
        }
    }
}

/// <summary>What became of the registry in a run.</summary>
/// <param name="Slashed">Validators whose stake was cut for equivocation.</param>
/// <param name="LeftOut">Of these the ones that a later epoch's set then was without.</param>
/// <param name="Joined">Machines that registered.</param>
/// <param name="Resigned">Validators that resigned.</param>
/// <param name="Raised">Times that stake was added.</param>
/// <param name="NewSets">Epochs whose set is another one than the epoch's before.</param>
public sealed record SimStakes(int Slashed, int LeftOut, int Joined, int Resigned, int Raised, int NewSets)
{
    internal static SimStakes None { get; } = new(0, 0, 0, 0, 0, 0);
}
