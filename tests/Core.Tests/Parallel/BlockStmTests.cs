using SuperVm.Core.Parallel;

namespace SuperVm.Core.Tests.Parallel;

public sealed class BlockStmTests
{
    [Theory]
    [InlineData(false, 100)]
    [InlineData(true, BlockStmOptions.SampleSize)]
    public void A_run_that_executes_everything_again_is_given_up_where_it_may(bool mayGiveUp, int committed)
    {
        var client = new Stubborn(failures: 1);
        var scheduler = new BlockStm(client, 100, new BlockStmOptions(1, false, 32, MayGiveUp: mayGiveUp));
        scheduler.Run();
        Assert.Equal(committed, scheduler.Committed);
        Assert.Equal(Enumerable.Range(0, committed), client.Committed);
        Assert.Equal(mayGiveUp, scheduler.Statistics.GaveUp);
    }

    [Fact]
    public void A_run_without_conflicts_is_not_given_up()
    {
        var client = new Stubborn(failures: 0);
        var scheduler = new BlockStm(client, 100, new BlockStmOptions(2, false, 32, Batch: 4, MayGiveUp: true));
        scheduler.Run();
        Assert.Equal(100, scheduler.Committed);
        Assert.Equal(Enumerable.Range(0, 100), client.Committed);
    }

    /// <summary>Transactions whose first so many incarnations are found invalid.</summary>
    private sealed class Stubborn(int failures) : IBlockStmClient
    {
        private readonly int[] _validations = new int[100];

        internal List<int> Committed { get; } = [];

        public int KnownDependency(int transaction) => -1;

        public ExecutionStep Execute(int worker, int transaction) => ExecutionStep.Done;

        public bool Validate(int worker, int transaction) => _validations[transaction]++ >= failures;

        public void MarkEstimates(int transaction)
        {
        }

        public bool Commit(int worker, int transaction)
        {
            Committed.Add(transaction);
            return true;
        }

        public void AwaitLoad(int worker, int transaction) => throw new InvalidOperationException();

        public bool TryLoad(int worker) => false;

        public void Conclude(int worker)
        {
        }
    }
}
