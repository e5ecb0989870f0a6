using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.State;

public sealed class StateTransferTests
{
    private static readonly UInt256 Many = new(1_000_000_007);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(900)]
    public void A_state_that_is_taken_over_part_by_part_is_the_same_state(int accounts)
    {
        using var from = StoreOf(Accounts(accounts));
        using var export = StateStore.Open(from)!.Export();
        using var into = StoreOf([new AllocatedAccount(Address.FromNumber(1), 7, Many, null, null)]);
        var import = new StateImport(into, 33, export.Root);
        var parts = 0;
        while (!import.IsComplete)
        {
            // Begun anew as after a crash: what came is not asked for again.
            import = ++parts % 3 == 0 ? new StateImport(into, 33, export.Root) : import;
            Assert.Null(Next(import, export));
        }

        Assert.True(accounts < 100 || parts > 5);
        PutInPlace(into, import);
        var state = StateStore.Open(into)!;
        Assert.Equal((33UL, export.Root), (state.HeadNumber, state.HeadRoot));
        foreach (var account in Accounts(accounts))
        {
            Assert.Equal(ReadStatus.Found, state.Latest.ReadAccount(account.Address, out var read));
            Assert.Equal((account.Nonce, account.Balance), (read.Nonce, read.Balance));
            if (account.Code is { } code)
            {
                Assert.Equal(ReadStatus.Found, state.Latest.ReadCode(code.Hash, out var found));
                Assert.Equal(code.Bytes, found!.Bytes);
            }

            foreach (var (slot, value) in account.Slots ?? new Dictionary<UInt256, UInt256>())
            {
                state.Latest.ReadSlot(account.Address, slot, out var held);
                Assert.Equal(value, held);
            }
        }

        Assert.Equal(ReadStatus.Absent, state.Latest.ReadAccount(Address.FromNumber(1), out _));
        Assert.Equal(Contents(from), Contents(into));
    }

    [Fact]
    public void What_a_giver_makes_up_is_refused_and_leaves_no_trace()
    {
        using var from = StoreOf(Accounts(60));
        using var export = StateStore.Open(from)!.Export();
        using var into = new MemoryKeyValueStore();
        var import = new StateImport(into, 5, export.Root);
        var part = export.Read(import.Places, 4_000)!;
        var places = import.Places;
        var bent = part.Nodes[1].ToArray();
        bent[^1] ^= 1;
        Assert.Contains("does not have the hash", import.Take(part with { Nodes = [part.Nodes[0], bent] }));
        Assert.Contains("does not have the hash", import.Take(part with { Nodes = [.. part.Nodes.Reverse()] }));
        Assert.Contains("is empty", import.Take(new StateNodes([], [])));
        Assert.Contains("more keys", import.Take(part with { Keys = [.. part.Keys, new byte[20]] }));
        Assert.Contains("key of the leaf", import.Take(part with { Keys = [.. part.Keys.Skip(1)] }));
        Assert.Contains("key of the leaf", import.Take(part with { Keys = [.. part.Keys.Select(_ => new byte[20])] }));
        Assert.Equal(places, import.Places);
        Assert.Equal(0, import.Taken);
        Assert.Null(import.Take(part));
        Assert.Contains("not asked for", import.TakeCodes([new byte[] { 1, 2, 3 }]));
        Assert.Throws<InvalidOperationException>(() => import.Ready(into.CreateBatch()));
        Assert.Null(export.Read([import.Places[0] with { Hash = Hash256.Zero }], 4_000));
    }

    [Fact]
    public void A_transfer_of_another_state_begins_anew()
    {
        using var from = StoreOf(Accounts(60));
        using var export = StateStore.Open(from)!.Export();
        using var into = new MemoryKeyValueStore();
        var first = new StateImport(into, 5, export.Root);
        Assert.Null(Next(first, export));
        var other = new StateImport(into, 6, export.Root);
        Assert.Equal(export.Root, Assert.Single(other.Places).Hash);
    }

    [Fact]
    public void A_crash_while_a_state_moves_into_place_is_made_good_at_the_next_start()
    {
        using var from = StoreOf(Accounts(60));
        using var export = StateStore.Open(from)!.Export();
        using var into = StoreOf(Accounts(3));
        var import = new StateImport(into, 9, export.Root);
        while (!import.IsComplete)
        {
            Assert.Null(Next(import, export));
        }

        using (var write = into.CreateBatch())
        {
            import.Ready(write);
            // Half of the old state is gone, some of the new one there.
            write.DeleteRange(Column.Accounts, [], [0xFF, 0xFF]);
            write.Put(Column.Slots, [1, 2, 3], [4]);
            into.Write(write);
        }

        StateImport.Finish(into);
        StateImport.Finish(into);
        Assert.Equal(Contents(from), Contents(into));
        Assert.Equal(export.Root, StateStore.Open(into)!.HeadRoot);
    }

    private static string? Next(StateImport import, StateExport export) => import.Places.Count > 0
        ? import.Take(export.Read(import.Places, 3_000)!)
        : import.TakeCodes([.. import.Codes.Select(hash => export.Code(hash)!)]);

    private static void PutInPlace(IKeyValueStore store, StateImport import)
    {
        using (var write = store.CreateBatch())
        {
            import.Ready(write);
            store.Write(write);
        }

        StateImport.Finish(store);
    }

    private static MemoryKeyValueStore StoreOf(IReadOnlyCollection<AllocatedAccount> accounts)
    {
        var store = new MemoryKeyValueStore();
        using var write = store.CreateBatch();
        StateStore.WriteGenesis(accounts, write);
        store.Write(write);
        return store;
    }

    /// <summary>Accounts, some with code that others have too, some with few slots, one with many.</summary>
    private static List<AllocatedAccount> Accounts(int count)
    {
        var accounts = new List<AllocatedAccount>();
        for (var i = 0; i < count; i++)
        {
            var slots = i % 7 == 3
                ? Enumerable.Range(1, i == 3 ? 400 : i % 5).ToDictionary(
                    slot => new UInt256((ulong)slot) * Many, slot => new UInt256((ulong)slot) << (slot % 200))
                : null;
            var code = i % 5 == 0 ? new Code([0x60, (byte)(i % 3), 0x00]) : null;
            accounts.Add(new AllocatedAccount(
                Address.FromNumber(1000 + ((ulong)i * 7919)), (ulong)i, new UInt256((ulong)i) * Many, code, slots));
        }

        return accounts;
    }

    private static List<string> Contents(IKeyValueStore store)
    {
        var all = new List<string>();
        foreach (var column in (Column[])[Column.Accounts, Column.Slots, Column.Trie])
        {
            all.AddRange(store.Scan(column, Array.Empty<byte>())
                .Select(pair => $"{column} {Convert.ToHexString(pair.Key)} {Convert.ToHexString(pair.Value)}"));
        }

        return all;
    }
}
