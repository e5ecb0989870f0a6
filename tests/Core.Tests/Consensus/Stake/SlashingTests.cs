using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus.Stake;

public sealed class SlashingTests
{
    private static readonly UInt256 Ether = RegistryWorld.Ether;
    private static readonly Address Reporter = RegistryWorld.Reporter;

    [Theory]
    [InlineData(VotePhase.Prepare)]
    [InlineData(VotePhase.Commit)]
    public void Two_votes_for_one_place_cost_half_of_the_stake_and_the_seat(VotePhase phase)
    {
        var world = new RegistryWorld();
        var (held, before) = (world.BalanceOf(ValidatorRegistry.Address), world.BalanceOf(Reporter));
        Assert.True(world.Send(Reporter, RegistryCalls.Slash(Votes(3, phase))!));
        var stake = Ether * new UInt256(5);
        var penalty = stake / new UInt256(2);
        var reward = penalty / new UInt256(20);
        Assert.Equal(before + reward, world.BalanceOf(Reporter));
        Assert.Equal(held - reward, world.BalanceOf(ValidatorRegistry.Address));
        Assert.DoesNotContain(RegistryWorld.KeyOf(3).Address, world.Registry.Validators.Select(one => one.Key));
        world.Refuses("NotSlashable(uint8)", Reporter, RegistryCalls.Slash(Votes(3, phase))!);
        world.Refuses("NotSlashable(uint8)", Reporter, RegistryCalls.Slash(Attestations(3))!);
    }

    [Fact]
    public void Two_attestations_of_one_place_are_punished_too()
    {
        var world = new RegistryWorld();
        Assert.True(world.Send(Reporter, RegistryCalls.Slash(Attestations(0))!));
        Assert.Equal(3, world.Registry.Validators.Count);
    }

    [Fact]
    public void The_rest_of_a_punished_stake_is_paid_out_after_the_delay_and_the_key_is_barred()
    {
        var world = new RegistryWorld(new RegistryParameters { UnbondingSeconds = 10, EpochLength = 10 });
        Assert.True(world.Send(Reporter, RegistryCalls.Slash(Votes(0))!));
        var (key, owner) = (RegistryWorld.KeyOf(0).Address, RegistryWorld.OwnerOf(0));
        world.Refuses("StillBonded(uint256,uint256)", owner, RegistryCalls.Withdraw(key));
        (world.Number, world.Timestamp) = (21, 1_010);
        var before = world.BalanceOf(owner);
        Assert.True(world.Send(owner, RegistryCalls.Withdraw(key)));
        Assert.Equal(before + Ether, world.BalanceOf(owner));
        world.Refuses("NothingToWithdraw()", owner, RegistryCalls.Withdraw(key));
        world.Refuses("KeyInUse(uint8)", owner, RegistryWorld.Registration(0), Ether);
    }

    [Fact]
    public void Who_resigned_is_punished_as_long_as_its_stake_is_bound()
    {
        var world = new RegistryWorld(new RegistryParameters { UnbondingSeconds = 10, EpochLength = 0 });
        var (key, owner) = (RegistryWorld.KeyOf(1).Address, RegistryWorld.OwnerOf(1));
        Assert.True(world.Send(owner, RegistryCalls.Resign(key)));
        Assert.True(world.Send(Reporter, RegistryCalls.Slash(Votes(1))!));
        world.Timestamp += 10;
        var before = world.BalanceOf(owner);
        Assert.True(world.Send(owner, RegistryCalls.Withdraw(key)));
        Assert.Equal(before + (Ether * new UInt256(3) / new UInt256(2)), world.BalanceOf(owner));
    }

    [Fact]
    public void What_proves_nothing_is_refused()
    {
        var world = new RegistryWorld();
        var proof = Votes(2);
        var (first, second) = ((Vote)proof.First, (Vote)proof.Second!);
        world.Refuses("NoConflict()", Reporter, RegistryCalls.Slash(proof with { Second = first })!);
        var other = Votes(3);
        Refused(proof with { Second = other.Second });
        Refused(proof with { Second = second with { Sequence = 8 }, First = first with { Sequence = 8 } });
        Refused(proof with { Second = second with { Signature = second.Signature[..64] } });
        Refused(proof with { Second = second with { Signature = HighS(second.Signature) } });
        const VotePhase Unknown = (VotePhase)3;
        Refused(proof with { First = first with { Phase = Unknown }, Second = second with { Phase = Unknown } });
        var outsider = Votes(7);
        world.Refuses("NotSlashable(uint8)", Reporter, RegistryCalls.Slash(outsider)!);
        Assert.Equal(4, world.Registry.Validators.Count);
        Assert.Null(RegistryCalls.Slash(
            new Evidence(EvidenceKind.DivergentBlock, 0, Attestations(1).First, null, null)));

        void Refused(Evidence evidence)
        {
            Assert.False(world.Send(Reporter, RegistryCalls.Slash(evidence)!));
            Assert.Equal(UInt256.Zero, world.BalanceOf(Reporter) - (Ether * new UInt256(1_000)));
        }
    }

    [Fact]
    public void Where_the_last_validator_is_punished_nobody_is_registered_and_the_set_goes_on()
    {
        var world = new RegistryWorld();
        for (var i = 0; i < 4; i++)
        {
            Assert.True(world.Send(Reporter, RegistryCalls.Slash(Votes(i))!));
        }

        Assert.Null(world.Registry.NextSet());
        Assert.True(world.Register(4, Ether));
        Assert.Equal(1, world.Registry.NextSet()!.Count);
    }

    private static Evidence Votes(int number, VotePhase phase = VotePhase.Commit)
    {
        Vote Of(string batch)
        {
            var digest = Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes(batch));
            var view = ViewLabel.Of(1, 2);
            var statement = Statements.Vote(RegistryWorld.ChainId, phase, view, 7, digest);
            return new Vote(phase, view, 7, digest, 0, RegistryWorld.KeyOf(number).Sign(statement));
        }

        return new Evidence(EvidenceKind.ConflictingVotes, 1, Of("a"), Of("b"), null);
    }

    private static Evidence Attestations(int number)
    {
        Checkpoint Of(string block)
        {
            var hash = Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes(block));
            var statement = new CheckpointStatement(7, hash, Keccak256.Hash("batch"u8), Hash256.Zero);
            var digest = Statements.Checkpoint(RegistryWorld.ChainId, statement);
            return new Checkpoint(statement, 0, RegistryWorld.KeyOf(number).Sign(digest));
        }

        return new Evidence(EvidenceKind.ConflictingCheckpoints, 0, Of("a"), Of("b"), null);
    }

    /// <summary>The other signature that holds for the same digest: n - s, with the other parity.</summary>
    private static byte[] HighS(byte[] signature)
    {
        var order = UInt256.Parse("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
        var high = signature.ToArray();
        (order - UInt256.FromBigEndian(signature.AsSpan(32, 32))).WriteBigEndian(high.AsSpan(32));
        high[64] ^= 1;
        return high;
    }
}
