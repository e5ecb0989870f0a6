using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State.Paged;

/// <summary>The first block's state as a change of the empty one.</summary>
internal static class GenesisTransition
{
    /// <summary>What the accounts, each address once, change; their code is new code.</summary>
    internal static StateTransition Of(IReadOnlyCollection<AllocatedAccount> accounts, StateTries tries)
    {
        var targets = new TrieTarget[accounts.Count];
        var slots = new List<SlotDiff>();
        var code = new Dictionary<Hash256, Code>();
        var index = 0;
        foreach (var account in accounts)
        {
            var start = slots.Count;
            foreach (var slot in account.Slots ?? new Dictionary<UInt256, UInt256>())
            {
                if (!slot.Value.IsZero)
                {
                    slots.Add(new SlotDiff(account.Address, slot.Key, UInt256.Zero, slot.Value));
                }
            }

            if (account.Code is { Length: > 0 } own)
            {
                code[own.Hash] = own;
            }

            var record = new AccountRecord(
                account.Nonce, account.Balance, TrieUpdater.EmptyRoot, account.Code?.Hash ?? Keccak256.OfEmpty);
            targets[index++] = new TrieTarget(
                account.Address, TrieUpdater.EmptyRoot, start, slots.Count - start, true, record);
        }

        var update = tries.Apply(
            TrieUpdater.EmptyRoot,
            targets,
            [.. slots.Select(diff => new KeyValuePair<UInt256, UInt256>(diff.Slot, diff.New))]);
        var diffs = targets.Select(target => new AccountDiff(target.Address, false, default, true, target.Record));
        return new StateTransition([.. diffs], [.. slots], code, update);
    }
}
