using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>The roles' chain as one process has it: what the cloud's must equal, batch for batch.</summary>
internal sealed class SingleProcessChain : IRoleChain, IDisposable
{
    private readonly MemoryKeyValueStore _store = new();
    private readonly Chain _chain;

    internal SingleProcessChain(Genesis genesis) => _chain = Core.Node.Chain.Open(_store, genesis);

    public IChain Chain => _chain;

    internal Dictionary<Hash256, string> Dropped { get; } = [];

    public Task<bool> RefreshAsync(TimeSpan maximumAge, CancellationToken cancellation) => Task.FromResult(false);

    public async Task<RoleBlock?> ProduceAsync(
        ulong number, BlockAttributes attributes, IReadOnlyList<Transaction> candidates,
        Func<ProducedBlock, CancellationToken, Task> beforeHead, CancellationToken cancellation)
    {
        if (_chain.GetBlock(number) is { } known)
        {
            return new(known, null);
        }

        await beforeHead(_chain.Build(attributes, candidates), cancellation);
        var made = _chain.Produce(attributes, candidates);
        return new(made.Block, made);
    }

    public Task RecordDroppedAsync(
        IReadOnlyList<(Hash256 Transaction, string Reason)> dropped, CancellationToken cancellation)
    {
        foreach (var (transaction, reason) in dropped)
        {
            Dropped[transaction] = reason;
        }

        return Task.CompletedTask;
    }

    public Task<string?> FindDroppedAsync(Hash256 transaction, CancellationToken cancellation) =>
        Task.FromResult(Dropped.GetValueOrDefault(transaction));

    public Task SetFinalityAsync(ulong number, CancellationToken cancellation)
    {
        _chain.SetFinality(number, number);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _chain.Dispose();
        _store.Dispose();
    }
}
