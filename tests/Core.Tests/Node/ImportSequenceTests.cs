using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>Blocks in a row, executed ahead of their roots, give what blocks one by one give.</summary>
public sealed class ImportSequenceTests
{
    private const int Count = 12;

    [Theory]
    [InlineData(Fork.Frontier)]
    [InlineData(Fork.Byzantium)]
    [InlineData(Fork.London)]
    [InlineData(Fork.Cancun)]
    public void A_row_ends_at_the_head_that_one_by_one_ends_at(Fork fork)
    {
        var (source, blocks) = Made(fork);
        var target = new ChainScenario(fork);
        var told = new List<ulong>();
        target.Chain.HeadChanged += change => told.AddRange(change.Added.Select(added => added.Block.Number));
        Assert.Equal(new SequenceResult(Count, null), target.Chain.ImportSequence(blocks));
        Assert.Equal(source.Chain.Head.Hash, target.Chain.Head.Hash);
        Assert.Equal(Enumerable.Range(1, Count).Select(number => (ulong)number), told);
        for (var number = 1UL; number <= Count; number++)
        {
            Assert.Equal(CountAt(source.Chain, number), CountAt(target.Chain, number));
            Assert.Equal(source.Chain.GetReceipts(number)!.Count, target.Chain.GetReceipts(number)!.Count);
        }

        target.Reopen();
        Assert.Equal(source.Chain.Head.Hash, target.Chain.Head.Hash);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(Count - 1)]
    public void A_wrong_root_refuses_its_block_and_everything_above(int wrong)
    {
        var (_, blocks) = Made(Fork.Cancun);
        Rebuild(blocks, wrong, header => header with { StateRoot = Hash256.Zero });
        var target = new ChainScenario(Fork.Cancun);
        var result = target.Chain.ImportSequence(blocks);
        Assert.Equal(wrong, result.Accepted);
        Assert.Equal(nameof(BlockImportRule.WrongStateRoot), result.Refusal!.Rule);
        Assert.Equal((ulong)wrong, target.Chain.Head.Number);
        Assert.Equal(target.Chain.Head.Header.StateRoot, RootAfterReopening(target));
    }

    [Fact]
    public void Wrong_receipts_and_a_wrong_header_are_refused_by_name()
    {
        foreach (var (rule, change) in new (string, Func<BlockHeader, BlockHeader>)[]
        {
            (nameof(BlockImportRule.WrongReceiptsRoot), header => header with { ReceiptsRoot = Hash256.Zero }),
            (nameof(BlockImportRule.WrongGasUsed), header => header with { GasUsed = header.GasUsed - 1 }),
            (nameof(HeaderError.WrongNumber), header => header with { Number = header.Number + 1 }),
        })
        {
            var (_, blocks) = Made(Fork.Cancun);
            Rebuild(blocks, 4, change);
            var target = new ChainScenario(Fork.Cancun);
            var result = target.Chain.ImportSequence(blocks);
            Assert.Equal((4, rule), (result.Accepted, result.Refusal!.Rule));
            Assert.Equal(4UL, target.Chain.Head.Number);
        }
    }

    [Fact]
    public void Known_blocks_at_the_start_are_passed_over_and_a_side_chain_in_between_takes_its_turn()
    {
        var (source, blocks) = Made(Fork.Cancun);
        var target = new ChainScenario(Fork.Cancun);
        target.Chain.ImportSequence(blocks.Take(3));
        var side = new ChainScenario(Fork.Cancun);
        side.Chain.ImportSequence(blocks.Take(5));
        var other = side.Produce(seconds: 20).Block.Block;
        var result = target.Chain.ImportSequence([.. blocks.Take(6), other, .. blocks.Skip(6)]);
        Assert.Null(result.Refusal);
        Assert.Equal(Count + 1, result.Accepted);
        Assert.Equal(source.Chain.Head.Hash, target.Chain.Head.Hash);
    }

    [Fact]
    public void A_source_that_fails_leaves_whole_blocks_and_a_chain_that_goes_on()
    {
        var (source, blocks) = Made(Fork.Cancun);
        var target = new ChainScenario(Fork.Cancun);
        Assert.Throws<IOException>(() => target.Chain.ImportSequence(Failing(blocks.Take(5))));
        Assert.Equal(5UL, target.Chain.Head.Number);
        Assert.Null(target.Chain.ImportSequence(blocks.Skip(5)).Refusal);
        Assert.Equal(source.Chain.Head.Hash, target.Chain.Head.Hash);
    }

    private static IEnumerable<Block> Failing(IEnumerable<Block> blocks)
    {
        foreach (var block in blocks)
        {
            yield return block;
        }

        throw new IOException("the file ends here");
    }

    /// <summary>A chain of blocks, and the blocks as they come from a file: without senders.</summary>
    private static (ChainScenario Source, List<Block> Blocks) Made(Fork fork)
    {
        var source = new ChainScenario(fork);
        var blocks = new List<Block>();
        for (var i = 0; i < Count; i++)
        {
            blocks.Add(Copy(source.Produce(value: (ulong)i + 1).Block.Block));
        }

        return (source, blocks);
    }

    private static Block Copy(Block block) => BlockCodec.Decode(BlockCodec.Encode(block)).OrThrow();

    /// <summary>Changes one header, and those above so that each names its parent.</summary>
    private static void Rebuild(List<Block> blocks, int index, Func<BlockHeader, BlockHeader> change)
    {
        blocks[index] = Copy(blocks[index] with { Header = change(blocks[index].Header) });
        for (var i = index + 1; i < blocks.Count; i++)
        {
            var parent = HeaderCodec.Hash(blocks[i - 1].Header);
            blocks[i] = Copy(blocks[i] with { Header = blocks[i].Header with { ParentHash = parent } });
        }
    }

    private static UInt256 CountAt(Chain chain, ulong number)
    {
        chain.StateAt(number).State!.ReadSlot(ChainScenario.Counter, 0, out var count);
        return count;
    }

    private static Hash256 RootAfterReopening(ChainScenario scenario)
    {
        scenario.Reopen();
        return scenario.Chain.Head.Header.StateRoot;
    }
}
