using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>Sends to other validators; best effort, in order for each peer where it can.</summary>
public interface IConsensusTransport
{
    /// <param name="to">The receivers.</param>
    /// <param name="message">The message.</param>
    /// <param name="encoded">Its bytes, where the runner has them already.</param>
    void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded);
}

/// <summary>Clock, timers and the jitter's randomness.</summary>
public interface IConsensusTimers
{
    /// <summary>Milliseconds since 1970.</summary>
    long NowMs { get; }

    /// <summary>
    /// Delivers <see cref="TimerExpired"/> after the delay plus a random share of the jitter; replaces a running
    /// timer of
    /// the same kind.
    /// </summary>
    void Set(TimerKind timer, ulong generation, int delayMs, int jitterMs);
}

/// <summary>The execution side.</summary>
public interface IBatchExecutor
{
    /// <summary>
    /// Executes the batch into a block and answers, now or later, with <see cref="BatchExecuted"/>. Batches come
    /// in order; one that is executed already answers with its block's hash again.
    /// </summary>
    void Execute(Batch batch);

    /// <summary>Fetches the state of an attested block and answers with <see cref="SnapshotInstalled"/>.</summary>
    void InstallSnapshot(InstallSnapshot wanted);
}

/// <summary>Told of what happened, after it is saved. For metrics, logs and the RPC side.</summary>
public interface IConsensusObserver
{
    void Happened(Effect effect);
}
