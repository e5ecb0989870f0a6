using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.State.Trie;

namespace SuperVm.Conformance;

/// <summary>
/// Main net blocks with the part of their pre-state that they read: gas, bloom and receipts root must agree.
/// </summary>
/// <remarks>
/// There is no post-state root to compare with. So a block that is executed in parallel is executed serially as well,
/// and every account, slot, code and receipt must be the same.
/// </remarks>
internal sealed class ReplayWorker(ConformanceOptions options) : IConformanceWorker
{
    private readonly BlockProcessor _processor = new(options.CreateEngine(), options.CreateRunner());

    private readonly BlockProcessor? _serial = options.IsSerial
        ? null
        : new(options.CreateEngine(), new SerialTransactionRunner(options.CreateEngine()));

    internal static bool Takes(string file) => Path.GetFileName(file) == "block.json";

    public void RunFile(string file, CaseReport cases)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".";
        var test = Path.GetFileName(folder);
        if (cases.Wants(test))
        {
            cases.Run(test, () => Check(file, cases));
        }
    }

    private string? Check(string file, CaseReport cases)
    {
        var replay = ReplayBlock.Load(file);
        var rules = replay.Input.Context.Rules;
        if (!cases.WantsFork(rules.Fork.ToString()))
        {
            return null;
        }

        var outcome = _processor.Execute(replay.Input, replay.State);
        return outcome.Error != BlockExecutionError.None
            ? $"refused: {outcome.Error} {outcome.LeftOut.FirstOrDefault().Error}"
            : Compare(replay.Block.Header, rules, outcome)
                ?? (_serial is null
                    ? null
                    : OutcomeDifference.Between(_serial.Execute(replay.Input, replay.State), outcome));
    }

    private static string? Compare(BlockHeader header, ForkRules rules, BlockOutcome outcome)
    {
        if (outcome.GasUsed != header.GasUsed)
        {
            return $"gas used {outcome.GasUsed}, expected {header.GasUsed}";
        }

        if (!outcome.LogsBloom.Equals(header.LogsBloom))
        {
            return "the logs bloom differs";
        }

        if (!rules.Eip658)
        {
            // Before Byzantium receipts hold state roots, which the pre-state is not enough for.
            return null;
        }

        var root = OrderedTrieRoot.Of(outcome.Receipts.Select(ReceiptCodec.Encode).ToList());
        return root == header.ReceiptsRoot ? null : $"receipts root {root}, expected {header.ReceiptsRoot}";
    }
}
