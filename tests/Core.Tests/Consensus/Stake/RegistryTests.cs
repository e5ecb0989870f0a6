using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Tests.Evm;

namespace SuperVm.Core.Tests.Consensus.Stake;

public sealed class RegistryTests
{
    private static readonly UInt256 Ether = RegistryWorld.Ether;

    [Fact]
    public void The_program_reads_storage_where_the_compiler_puts_it()
    {
        using var artefact = RegistryLayout.ReadArtefact();
        var layout = artefact.RootElement.GetProperty("layout");
        var members = artefact.RootElement.GetProperty("members");
        Assert.Equal((0, 0), Place(layout, "minimumStake"));
        Assert.Equal((0, 16), Place(layout, "unbondingSeconds"));
        Assert.Equal((0, 24), Place(layout, "epochLength"));
        Assert.Equal((1, 0), Place(layout, "capacity"));
        Assert.Equal((1, 2), Place(layout, "seats"));
        Assert.Equal((1, 4), Place(layout, "kind"));
        Assert.Equal((1, 5), Place(layout, "workBits"));
        Assert.Equal(((int)RegistryLayout.Keys, 0), Place(layout, "_keys"));
        Assert.Equal(((int)RegistryLayout.Validators, 0), Place(layout, "_validators"));
        Assert.Equal((0, 0), Place(members, "owner"));
        Assert.Equal((0, 20), Place(members, "state"));
        Assert.Equal((0, 21), Place(members, "place"));
        Assert.Equal(((int)RegistryLayout.StakeMember, 0), Place(members, "stake"));
        Assert.Equal(((int)RegistryLayout.EndpointMember, 0), Place(members, "endpoint"));

        static (int Slot, int Offset) Place(System.Text.Json.JsonElement fields, string name) =>
            (fields.GetProperty(name)[0].GetInt32(), fields.GetProperty(name)[1].GetInt32());
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://short:1")]
    [InlineData("http://a-name-of-exactly-31-bytes:1")]
    [InlineData("https://validator.example.org:65535/with/a/path/that/is/longer/than/two/words/of/storage/x")]
    public void What_genesis_writes_is_read_back_by_the_program_and_by_the_contract(string endpoint)
    {
        var parameters = new RegistryParameters
        {
            MinimumStake = Ether, UnbondingSeconds = 77, EpochLength = 9, Capacity = 6, Seats = 5,
            Kind = ConsensusKind.ProofOfStake, WorkBits = 3,
        };
        RegisteredValidator[] validators =
        [
            new(RegistryWorld.KeyOf(0).Address, RegistryWorld.OwnerOf(0), Ether, endpoint),
            new(RegistryWorld.KeyOf(1).Address, RegistryWorld.OwnerOf(1), Ether * new UInt256(3), "http://x"),
        ];
        var genesis = new Genesis
        {
            Spec = ChainSpec.AllAtZero(Fork.Osaka, 1),
            Alloc = new Dictionary<Address, GenesisAccount>
            {
                [ValidatorRegistry.Address] = ValidatorRegistry.Account(parameters, validators),
            },
        };
        var read = ValidatorRegistry.Read(genesis)!;
        Assert.Equal(parameters, read.Parameters);
        Assert.Equal(validators, read.Validators);

        var world = new RegistryWorld();
        Assert.True(world.Send(RegistryWorld.OwnerOf(0), AbiFunction.Parse("setEndpoint(address,string)")
            .EncodeCall(validators[0].Key, endpoint)));
        Assert.Equal(endpoint, world.Registry.Validators[0].Endpoint);
        Assert.True(world.Send(RegistryWorld.Reporter, AbiFunction.Parse("validators()").EncodeCall()));
    }

    [Fact]
    public void A_validator_registers_with_its_stake_and_the_key_s_consent()
    {
        var world = new RegistryWorld();
        Assert.True(world.Register(4, Ether * new UInt256(7)));
        var registered = world.Registry.Validators[^1];
        Assert.Equal(
            new RegisteredValidator(
                RegistryWorld.KeyOf(4).Address, RegistryWorld.OwnerOf(4), Ether * new UInt256(7),
                "http://validator4:9000"),
            registered);
        var set = world.Registry.NextSet()!;
        Assert.Equal(5, set.Count);
        Assert.Equal(7_000_000_000UL, set[set.IndexOf(registered.Key)].Power);
        Assert.Equal(set.Validators.Select(one => one.Address).Order(), set.Validators.Select(one => one.Address));
    }

    [Fact]
    public void What_is_no_registration_is_refused()
    {
        var world = new RegistryWorld();
        var owner = RegistryWorld.OwnerOf(4);
        var call = RegistryWorld.Registration(4);
        world.Refuses("StakeTooLow(uint256)", owner, call);
        world.Refuses("StakeTooLow(uint256)", owner, call, Ether - UInt256.One);
        // The key consented to this owner only.
        world.Refuses("NoProofOfPossession()", RegistryWorld.OwnerOf(5), call, Ether);
        var tampered = call.ToArray();
        tampered[^40] ^= 1;
        Assert.False(world.Send(owner, tampered, Ether));
        var other = RegistryCalls.Register(RegistryWorld.ChainId + 1, RegistryWorld.KeyOf(4), owner, "");
        world.Refuses("NoProofOfPossession()", owner, other, Ether);
        world.Refuses("EndpointTooLong()", owner, RegistryWorld.Registration(4, new string('x', 129)), Ether);
        Assert.True(world.Send(owner, call, Ether));
        world.Refuses("KeyInUse(uint8)", owner, call, Ether);
        Assert.Equal(5, world.Registry.Validators.Count);
    }

    [Fact]
    public void Stakes_beyond_128_bits_are_refused()
    {
        var world = new RegistryWorld();
        var owner = RegistryWorld.OwnerOf(4);
        world.Fund(owner, UInt256.One << 200);
        world.Refuses("StakeTooHigh()", owner, RegistryWorld.Registration(4), UInt256.One << 128);
        Assert.True(world.Send(owner, RegistryWorld.Registration(4), (UInt256.One << 128) - UInt256.One));
        world.Refuses("StakeTooHigh()", owner, RegistryCalls.AddStake(RegistryWorld.KeyOf(4).Address), UInt256.One);
        var set = world.Registry.NextSet()!;
        Assert.True(set.TotalPower <= ValidatorSet.MaximumTotalPower);
        Assert.All(set.Validators, one => Assert.True(one.Power > 0));
    }

    [Fact]
    public void Only_the_owner_adds_stake()
    {
        var world = new RegistryWorld();
        var key = RegistryWorld.KeyOf(1).Address;
        world.Refuses("NotOwner()", RegistryWorld.OwnerOf(2), RegistryCalls.AddStake(key), Ether);
        Assert.True(world.Send(RegistryWorld.OwnerOf(1), RegistryCalls.AddStake(key), Ether));
        Assert.Equal(Ether * new UInt256(4), world.Registry.Validators[1].Stake);
    }

    [Fact]
    public void A_full_registry_pushes_out_its_weakest_for_more_stake_only()
    {
        var world = new RegistryWorld(new RegistryParameters { Capacity = 4, Seats = 4 });
        world.Refuses(
            "StakeTooLow(uint256)", RegistryWorld.OwnerOf(4), RegistryWorld.Registration(4), Ether * new UInt256(2));
        Assert.True(world.Register(4, Ether * new UInt256(2) + UInt256.One));
        Assert.Equal(4, world.Registry.Validators.Count);
        Assert.DoesNotContain(RegistryWorld.KeyOf(0).Address, world.Registry.Validators.Select(one => one.Key));
        (world.Number, world.Timestamp) = (10_000, 10_000_000);
        Assert.True(world.Send(RegistryWorld.OwnerOf(0), RegistryCalls.Withdraw(RegistryWorld.KeyOf(0).Address)));
    }

    [Fact]
    public void The_largest_registry_is_read_and_changed_within_a_block_s_gas()
    {
        var world = new RegistryWorld();
        for (var i = 4; i < ValidatorSet.MaximumValidators; i++)
        {
            var (key, owner) = (TestCluster.KeyOf(i + 1), Address.FromNumber(0x5000 + (ulong)i));
            world.Fund(owner);
            Assert.True(world.Send(owner, RegistryCalls.Register(RegistryWorld.ChainId, key, owner, ""), Ether));
        }

        Assert.Equal(ValidatorSet.MaximumValidators, world.Registry.NextSet()!.Count);
        var last = Address.FromNumber(0x9000);
        world.Fund(last);
        Assert.True(world.Send(
            last, RegistryCalls.Register(RegistryWorld.ChainId, TestCluster.KeyOf(200), last, ""),
            Ether * new UInt256(2)));
        Assert.True(world.GasUsed < 1_500_000, $"{world.GasUsed} gas");
        Assert.Equal(ValidatorSet.MaximumValidators, world.Registry.Validators.Count);
    }

    [Fact]
    public void Seats_go_to_those_with_most_stake()
    {
        var world = new RegistryWorld(new RegistryParameters { Seats = 2 });
        var set = world.Registry.NextSet()!;
        Assert.Equal(
            new[] { RegistryWorld.KeyOf(2).Address, RegistryWorld.KeyOf(3).Address }.Order(),
            set.Validators.Select(one => one.Address));
    }

    [Theory]
    [InlineData(ConsensusKind.SingleOperator)]
    [InlineData(ConsensusKind.ProofOfAuthority)]
    public void Authorities_are_those_of_genesis(ConsensusKind kind)
    {
        var world = new RegistryWorld(new RegistryParameters { Kind = kind });
        world.Refuses("ClosedSet()", RegistryWorld.OwnerOf(4), RegistryWorld.Registration(4), Ether);
        Assert.Equal(
            RegistryWorld.FirstValidators.Select(one => one.Key), world.Registry.Validators.Select(one => one.Key));
    }

    [Fact]
    public void Who_resigns_is_out_and_is_paid_once_after_the_delay_and_two_epochs()
    {
        var world = new RegistryWorld(new RegistryParameters { UnbondingSeconds = 500, EpochLength = 10 });
        var (key, owner) = (RegistryWorld.KeyOf(2).Address, RegistryWorld.OwnerOf(2));
        world.Refuses("NothingToWithdraw()", owner, RegistryCalls.Withdraw(key));
        world.Refuses("NotOwner()", RegistryWorld.OwnerOf(1), RegistryCalls.Resign(key));
        (world.Number, world.Timestamp) = (15, 1_000);
        Assert.True(world.Send(owner, RegistryCalls.Resign(key)));
        world.Refuses("NotActive()", owner, RegistryCalls.Resign(key));
        world.Refuses("NotActive()", owner, RegistryCalls.AddStake(key), Ether);
        Assert.Equal(3, world.Registry.Validators.Count);
        // In epoch 1 it still votes; epoch 2 can still report it.
        (world.Number, world.Timestamp) = (30, 2_000);
        world.Refuses("StillBonded(uint256,uint256)", owner, RegistryCalls.Withdraw(key));
        (world.Number, world.Timestamp) = (31, 1_499);
        world.Refuses("StillBonded(uint256,uint256)", owner, RegistryCalls.Withdraw(key));
        world.Timestamp = 1_500;
        world.Refuses("NotOwner()", RegistryWorld.OwnerOf(1), RegistryCalls.Withdraw(key));
        var before = world.BalanceOf(owner);
        Assert.True(world.Send(owner, RegistryCalls.Withdraw(key)));
        Assert.Equal(before + (Ether * new UInt256(4)), world.BalanceOf(owner));
        world.Refuses("NotOwner()", owner, RegistryCalls.Withdraw(key));
        Assert.True(world.Register(2, Ether));
    }

    [Fact]
    public void The_last_validator_cannot_resign()
    {
        var world = new RegistryWorld();
        for (var i = 0; i < 3; i++)
        {
            Assert.True(world.Send(RegistryWorld.OwnerOf(i), RegistryCalls.Resign(RegistryWorld.KeyOf(i).Address)));
        }

        world.Refuses(
            "LastValidator()", RegistryWorld.OwnerOf(3), RegistryCalls.Resign(RegistryWorld.KeyOf(3).Address));
        Assert.Equal(RegistryWorld.KeyOf(3).Address, world.Registry.NextSet()![0].Address);
    }

    [Fact]
    public void A_contract_that_calls_back_when_it_is_paid_is_paid_once()
    {
        var world = new RegistryWorld(new RegistryParameters { UnbondingSeconds = 0, EpochLength = 0 });
        var thief = Address.FromNumber(0x7417F);
        var key = RegistryWorld.KeyOf(5);
        var withdraw = RegistryCalls.Withdraw(key.Address);
        // Without input (as when it is paid) it withdraws again; with input it passes the call on.
        var code = new Assembler().Op(Opcode.CallDataSize).JumpIf("pass")
            .Memory(0, withdraw).Push(0UL).Push(0UL).Push((ulong)withdraw.Length).Push(0UL).Push(0UL)
            .Push(ValidatorRegistry.Address).Op(Opcode.Gas, Opcode.Call, Opcode.Stop)
            .Label("pass").Op(Opcode.CallDataSize).Push(0UL).Push(0UL).Op(Opcode.CallDataCopy)
            .Push(0UL).Push(0UL).Op(Opcode.CallDataSize).Push(0UL).Op(Opcode.CallValue)
            .Push(ValidatorRegistry.Address).Op(Opcode.Gas, Opcode.Call).JumpIf("good")
            .Push(0UL).Push(0UL).Op(Opcode.Revert).Label("good").Op(Opcode.Stop).ToCode();
        world.State.Set(new(thief, 1, UInt256.Zero, new SuperVm.Core.State.Code(code), null));
        var owner = RegistryWorld.OwnerOf(5);
        var register = RegistryCalls.Register(RegistryWorld.ChainId, key, thief, "");
        Assert.True(world.Send(owner, register, Ether, thief));
        Assert.True(world.Send(owner, RegistryCalls.Resign(key.Address), default, thief));
        var held = world.BalanceOf(ValidatorRegistry.Address);
        Assert.True(world.Send(owner, withdraw, default, thief));
        Assert.Equal(held - Ether, world.BalanceOf(ValidatorRegistry.Address));
        Assert.Equal(Ether, world.BalanceOf(thief));
    }
}
