using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Nodes;

/// <summary>Finds the addresses and slots that a call touches (eth_createAccessList).</summary>
/// <remarks>
/// A call may touch other places once its list makes some of them cheaper, so it is run again with what was found
/// until nothing new comes. Sender, recipient and precompiles are warm anyway: they stand in the list only with slots.
/// </remarks>
internal sealed class AccessListFinder(
    CallRunner calls, BlockContext block, IStateReader state, Action<IExecutionEngine>? prepare = null)
{
    private const int MaximumRounds = 8;

    internal (List<AccessListEntry> List, Transaction Transaction, CallOutcome Outcome) Find(
        Func<List<AccessListEntry>, Transaction> withList)
    {
        var list = new List<AccessListEntry>();
        var deadline = calls.Begin();
        for (var round = 1; ; round++)
        {
            var transaction = withList(list);
            var watcher = new Watcher(transaction, block.Rules);
            var outcome = calls.Run(
                transaction, block, state, deadline, engine =>
                {
                    prepare?.Invoke(engine);
                    ((EvmEngine)engine).Tracer = watcher;
                });
            var found = watcher.List();
            if (outcome.TimedOut || outcome.Error != TransactionError.None || round == MaximumRounds
                || IsSame(found, list))
            {
                return (list, transaction, outcome);
            }

            list = found;
        }
    }

    private static bool IsSame(List<AccessListEntry> a, List<AccessListEntry> b) =>
        a.Count == b.Count && a.Zip(b).All(
            pair => pair.First.Address == pair.Second.Address && pair.First.Slots.SequenceEqual(pair.Second.Slots));

    private sealed class Watcher(Transaction transaction, ForkRules rules) : IEvmTracer
    {
        private readonly SortedDictionary<Address, SortedSet<UInt256>> _touched = [];

        public void OnStep(in EvmStep step)
        {
            var depth = step.Stack.Length;
            switch (step.Opcode)
            {
                case Opcode.SLoad or Opcode.SStore when depth >= 1:
                    SlotsOf(step.Contract).Add(step.Stack[^1]);
                    break;
                case Opcode.Balance or Opcode.ExtCodeSize or Opcode.ExtCodeCopy or Opcode.ExtCodeHash
                    or Opcode.SelfDestruct when depth >= 1:
                    Touch(Address.FromWord(step.Stack[^1]));
                    break;
                case Opcode.Call or Opcode.CallCode or Opcode.DelegateCall or Opcode.StaticCall when depth >= 2:
                    Touch(Address.FromWord(step.Stack[^2]));
                    break;
            }
        }

        public void OnEnter(in Message message)
        {
        }

        public void OnExit(in ExecutionResult result)
        {
        }

        public void OnSelfDestruct(in Address contract, in Address beneficiary, in UInt256 balance)
        {
        }

        internal List<AccessListEntry> List() =>
            [.. _touched.Select(entry => new AccessListEntry(entry.Key, [.. entry.Value]))];

        private void Touch(in Address address)
        {
            if (address != transaction.Sender && address != transaction.To && !rules.IsPrecompile(address))
            {
                SlotsOf(address);
            }
        }

        private SortedSet<UInt256> SlotsOf(in Address address)
        {
            if (!_touched.TryGetValue(address, out var slots))
            {
                _touched.Add(address, slots = []);
            }

            return slots;
        }
    }
}
