using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Roles.Consortium;
using SuperVm.Hosting.Tests.Consensus;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>Serverless validators whose set the registry changes, as in processes.</summary>
public sealed class ConsortiumTests
{
    private const ulong ChainId = ChainSpec.DevelopmentChainId;
    private static readonly RegistryParameters Short = new() { EpochLength = 4, UnbondingSeconds = 0 };

    [Fact]
    public async Task Who_registers_votes_from_the_next_border_on_and_who_resigned_does_not()
    {
        await using var world = new ConsortiumWorld(5, Short);
        await world.StartAsync();
        var user = ValidatorCluster.User(1);
        var joining = new Secp256k1Signer(ValidatorCluster.KeyOf(4));
        Assert.True(await world.IncludedAsync(await world.SendAsync(
            user.PrivateKey.ToArray(), ValidatorRegistry.Address,
            RegistryCalls.Register(ChainId, joining, user.Address, "http://validator4.invalid:1"),
            ValidatorCluster.Ether * new UInt256(20))));
        Assert.True(await world.IncludedAsync(await world.SendAsync(
            ValidatorCluster.KeyOf(1), ValidatorRegistry.Address,
            RegistryCalls.Resign(ValidatorCluster.AddressOf(1)), seat: 2)));
        Assert.Equal(0UL, world.Seats[0].Proofs.Newest!.Value.Number);

        await world.AdvanceToAsync(14);
        await world.UntilAsync(
            "all to reach epoch 3",
            () => world.Seats.TrueForAll(seat => seat.Chain.Chain.FinalizedNumber >= 12));
        var set = world.Seats[0].Proofs.Newest!.Value.Validators;
        Assert.Equal(20_000_000_000UL, set[set.IndexOf(joining.Address)].Power);
        Assert.Equal(-1, set.IndexOf(ValidatorCluster.AddressOf(1)));
        await world.UntilAsync("the new validator's log", () => world.Log.Any(line =>
            line.StartsWith("[4]", StringComparison.Ordinal) && line.Contains("this one among them")));
        Assert.Contains(world.Log, line => line.StartsWith("[1]", StringComparison.Ordinal)
            && line.Contains("this one not among them", StringComparison.Ordinal));

        RequireVerifiable(world.Seats[0].Proofs);
        RequireVerifiable(world.Seats[4].Proofs);
        foreach (var seat in world.Seats)
        {
            Assert.Equal(world.Seats[0].Chain.Chain.GetHeader(12)!.Hash, seat.Chain.Chain.GetHeader(12)!.Hash);
        }
    }

    [Fact]
    public async Task Orders_that_die_and_begin_anew_go_on_in_their_epoch()
    {
        await using var world = new ConsortiumWorld(4, Short);
        await world.StartAsync();
        for (ulong number = 1; number <= 10; number++)
        {
            await world.AdvanceToAsync(number);
            await world.Seats[(int)number % 4].BeginAsync();
        }

        await world.UntilAsync("epoch 2", () => world.Seats.TrueForAll(seat => seat.Proofs.Newest!.Value.Number >= 2));
        Assert.Single(world.Seats.Select(seat => seat.Chain.Chain.GetHeader(8)!.Hash).Distinct());
        RequireVerifiable(world.Seats[3].Proofs);
    }

    /// <summary>Every fail point that order and execution of one among several validators pass.</summary>
    public static TheoryData<string> Deaths() =>
    [
        .. FailPoint.All.Where(name =>
            name.StartsWith("order", StringComparison.Ordinal) || name.StartsWith("execute", StringComparison.Ordinal)),
    ];

    [Theory]
    [MemberData(nameof(Deaths))]
    public async Task Validators_that_die_at_any_fail_point_lose_nothing_and_agree(string failPoint)
    {
        const int Rounds = 8;
        await using var world = new ConsortiumWorld(4, Short);
        await world.StartAsync();
        for (var round = 0; round < Rounds; round++)
        {
            // In turn at the first pass and at a later one, so that who leads dies too.
            var (seat, deaths) = (world.Seats[round % 4], world.Seats[round % 4].Deaths.Count);
            seat.Arm(failPoint, round / 4 * 2);
            var sent = await world.SendAsync(
                ValidatorCluster.User(0).PrivateKey.ToArray(), Address.FromNumber(0xC0FFEE), value: UInt256.One,
                seat: round % 4);
            await world.UntilAsync("the receipt everywhere", () => world.Seats.TrueForAll(
                one => one.Chain.Chain.FindTransaction(sent) is not null));
            for (var number = world.Seats[0].Chain.Chain.Head.Number; seat.Deaths.Count == deaths;)
            {
                await world.AdvanceToAsync(++number);
                Assert.True(number < 100, $"{failPoint} is not reached");
            }
        }

        var blocks = world.Seats[0].Chain.Chain;
        var last = blocks.Head.Number;
        await world.UntilAsync("all to execute", () => world.Seats.TrueForAll(
            seat => seat.Chain.Chain.Head.Number >= last));
        Assert.Single(world.Seats.Select(seat => seat.Chain.Chain.GetHeader(last)!.Hash).Distinct());
        await world.UntilAsync("the last block to be final", () => blocks.FinalizedNumber == blocks.Head.Number);
        RequireVerifiable(world.Seats[0].Proofs);
        blocks.StateAt(last).State!.ReadAccount(Address.FromNumber(0xC0FFEE), out var receiver);
        Assert.Equal(
            Enumerable.Range(1, (int)last).Sum(number => blocks.GetBlock((ulong)number)!.Block.Transactions.Count),
            (int)(ulong)receiver.Balance);
    }

    [Fact]
    public async Task An_equivocator_is_slashed_through_a_validators_own_inbox_and_is_out_at_the_next_border()
    {
        const int Liar = 3;
        await using var world = new ConsortiumWorld(4, Short with { EpochLength = 8 }, Liar);
        await world.StartAsync();
        var (accused, chain) = (ValidatorCluster.AddressOf(Liar), world.Seats[0].Chain.Chain);
        await world.AdvanceToAsync(1);
        await world.UntilAsync(
            "the punishment",
            () => !ValidatorRegistry.IsSlashable(chain.StateAt(chain.Head.Number).State!, accused));
        Assert.Equal(
            ValidatorCluster.Ether * new UInt256(5),
            ValidatorRegistry.Find(chain.StateAt(chain.Head.Number).State!, accused)!.Stake);
        await world.AdvanceToAsync(10);
        await world.UntilAsync("the border", () => world.Seats[0].Proofs.Newest!.Value.Number == 1);
        Assert.Equal(-1, world.Seats[0].Proofs.Newest!.Value.Validators.IndexOf(accused));

        // A process that begins finds what another one kept, and that nothing is left to do.
        var before = Punished();
        await world.Seats[0].BeginAsync();
        await world.UntilAsync("no proof to wait", () => Punished() > before);

        int Punished() => world.Log.Count(line => line.StartsWith("[0]", StringComparison.Ordinal)
            && line.Contains($"validator {accused} is punished", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Thousands_of_transactions_at_once_are_ordered_by_all_each_once()
    {
        await using var world = new ConsortiumWorld(4, Short with { EpochLength = 0 });
        await world.StartAsync();
        var sent = await world.SendManyAsync(accounts: 8, each: 300);
        await world.UntilAsync("all receipts", () => world.Seats.TrueForAll(seat =>
            sent.All(hash => seat.Chain.Chain.FindTransaction(hash) is not null)));
        var head = world.Seats[0].Chain.Chain.Head;
        Assert.All(world.Seats, seat => Assert.Equal(head.Hash, seat.Chain.Chain.GetHeader(head.Number)?.Hash));
    }

    [Fact]
    public async Task Two_instances_of_every_order_at_once_make_one_chain()
    {
        await using var world = new ConsortiumWorld(4, Short);
        await world.StartAsync();
        foreach (var seat in world.Seats)
        {
            await seat.ScaleOutAsync();
        }

        await world.AdvanceToAsync(9);
        await world.UntilAsync("epoch 2", () => world.Seats.TrueForAll(seat => seat.Proofs.Newest!.Value.Number >= 2));
        Assert.Single(world.Seats.Select(seat => seat.Chain.Chain.GetHeader(8)!.Hash).Distinct());
        RequireVerifiable(world.Seats[0].Proofs);
    }

    [Fact]
    public void A_letter_counts_once_though_letters_overtake_each_other()
    {
        var window = new LetterWindow();
        Assert.All((ulong[])[7, 5, 9, 6], number => Assert.True(window.Take(number)));
        Assert.All((ulong[])[7, 5, 9, 6], number => Assert.False(window.Take(number)));
        for (var number = 10UL; number < 10 + LetterWindow.Most; number++)
        {
            Assert.True(window.Take(number));
        }

        Assert.False(window.Take(8));
    }

    /// <summary>Whoever knows the genesis alone can follow the sets and check every epoch's certificates.</summary>
    private static void RequireVerifiable(CommittedProofs proofs)
    {
        var (epoch, verifier) = (proofs.Genesis, new Secp256k1Verifier());
        while (proofs.Step(epoch.Last) is { } step)
        {
            for (var number = epoch.First; number <= epoch.Last; number++)
            {
                Assert.True(proofs.Commit(number)!.Verify(ChainId, epoch, verifier));
            }

            epoch = step.Apply(epoch, ChainId, proofs.Parameters.EpochLength, verifier)!;
            Assert.NotNull(epoch);
        }

        Assert.Equal(proofs.Newest!.Value.Number, epoch.Number);
        Assert.Equal(proofs.Newest.Value.Validators.Hash, epoch.Validators.Hash);
    }
}
