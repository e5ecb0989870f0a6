using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Puts what the execution reports into the order in which the replica takes it.</summary>
internal sealed class ReportOrder(IRoleChain chain, JournaledRunner runner, ConsensusParameters parameters)
{
    /// <summary>Batches that one group reports as executed.</summary>
    private const int MostReports = 256;

    /// <summary>
    /// What execution reports, in the batches' order and without a gap: queues keep no order, and a report stands for
    /// all batches before it. The replica takes a report only as the next one.
    /// </summary>
    /// <exception cref="StoreException">A block that was reported cannot be read here yet.</exception>
    /// <param name="events">All that happened.</param>
    /// <param name="nowMs">The time of reports that are made up for.</param>
    internal async Task<IReadOnlyList<ReplicaEvent>> InOrderAsync(List<ReplicaEvent> events, long nowMs)
    {
        if (events.OfType<BatchExecuted>().MaxBy(report => report.Sequence) is not { } last)
        {
            return events;
        }

        var standing = runner.Standing ?? await runner.StandingAsync(default);
        var known = events.OfType<BatchExecuted>().DistinctBy(report => report.Sequence)
            .ToDictionary(report => report.Sequence);
        events.RemoveAll(happened => happened is BatchExecuted);
        var most = Math.Min(last.Sequence, standing.Executed + MostReports);
        for (var sequence = standing.Executed + 1; sequence <= most; sequence++)
        {
            var isBorder = ConsensusGenesis.IsBorder(parameters, sequence);
            if (chain.Chain.Head.Number < sequence && (isBorder || !known.ContainsKey(sequence)))
            {
                await chain.RefreshAsync(TimeSpan.Zero, default);
            }

            if (sequence <= chain.Chain.Head.Number && (chain.Chain.GetHeader(sequence) is null
                || (isBorder && sequence < chain.Chain.OldestStateNumber)))
            {
                break; // a state above it was taken over, and the replica is about to go on from there
            }

            var report = known.GetValueOrDefault(sequence)
                ?? (chain.Chain.GetHeader(sequence) is { } block
                    ? new BatchExecuted(nowMs, sequence, block.Hash, null)
                    : throw new StoreException($"Block {sequence} was reported, and is not to be read here."));
            events.Add(isBorder ? report with { NextValidators = NextSetAfter(sequence, standing) } : report);
        }

        return events;
    }

    /// <exception cref="StoreException">The block cannot be read here yet.</exception>
    private ValidatorSet NextSetAfter(ulong border, ReplicaStanding standing) =>
        chain.Chain.Head.Number < border
            ? throw new StoreException($"Block {border} was reported, and is not to be read here.")
            : ConsensusGenesis.RegisteredAfter(chain.Chain, border) ?? standing.Epoch.Validators;
}
