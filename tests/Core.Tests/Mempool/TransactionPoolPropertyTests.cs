using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using static SuperVm.Core.Tests.Mempool.PoolSamples;

namespace SuperVm.Core.Tests.Mempool;

/// <summary>The pool beside a list that is searched and sorted anew at every step.</summary>
public sealed class TransactionPoolPropertyTests
{
    private const int Senders = 4;

    private static readonly MempoolOptions Options = new()
    {
        MaximumCount = 12, MaximumPerSender = 6, MaximumQueuedPerSender = 3,
    };

    [Fact]
    public void The_pool_answers_and_selects_as_a_naive_list_does() =>
        Prop.ForAll(ArbMap.Default.GeneratorFor<int>().ToArbitrary(), Run)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static void Run(int seed)
    {
        var random = new Random(seed);
        var nonces = new ulong[Senders];
        var balances = new ulong[Senders];
        for (var i = 0; i < Senders; i++)
        {
            balances[i] = (ulong)random.Next(2_000_000, 20_000_000);
        }

        var pool = new TransactionPool(Options, new StandingClock(), State(nonces, balances));
        var oracle = new NaivePool(Options, nonces, balances);
        for (var step = 0; step < 120; step++)
        {
            if (random.Next(8) > 0)
            {
                var cap = (ulong)random.Next(1, 40);
                var sender = random.Next(Senders);
                var nonce = nonces[sender] + (ulong)random.Next(-1, 6);
                if (nonce == ulong.MaxValue)
                {
                    continue;
                }

                var transaction = Transfer(
                    sender, nonce, cap, (ulong)random.Next(1, (int)cap + 1), (ulong)random.Next(3));
                Assert.Equal(oracle.Add(transaction, sender), pool.Add(transaction).Status);
            }
            else
            {
                var selection = new PoolSelection
                {
                    BaseFee = (ulong)random.Next(10), GasLimit = 21_000UL * (ulong)random.Next(1, 8),
                    MaximumCount = random.Next(1, 8),
                };
                var expected = oracle.Select(selection);
                var block = pool.Select(selection);
                Assert.Equal(expected.Select(entry => entry.Hash), block.Select(entry => entry.Hash));
                foreach (var transaction in block)
                {
                    var sender = NaivePool.Number(transaction);
                    nonces[sender]++;
                    balances[sender] -= Math.Min(balances[sender], (ulong)(transaction.MaxFeePerGas * 21_000));
                }

                oracle.OnHead(block);
                pool.OnHead(State(nonces, balances), block, []);
            }

            Assert.Equal(oracle.Hashes(), pool.Content().Select(item => item.Transaction.Hash).Order());
            Assert.Equal(oracle.PendingCount(), pool.Counts().Pending);
        }
    }

    private static AccountTable State(ulong[] nonces, ulong[] balances)
    {
        var state = new AccountTable();
        for (var i = 0; i < Senders; i++)
        {
            state.Set(Sender(i), nonces[i], balances[i]);
        }

        return state;
    }

    /// <summary>One list in order of arrival; nonces and balances are the test's own, read live.</summary>
    private sealed class NaivePool(MempoolOptions options, ulong[] nonces, ulong[] balances)
    {
        private List<Transaction> _all = [];

        internal static int Number(Transaction transaction) =>
            Enumerable.Range(0, Senders).First(i => Sender(i) == transaction.Sender);

        internal IEnumerable<Hash256> Hashes() => _all.Select(entry => entry.Hash).Order();

        internal int PendingCount() => _all.Count(IsPending);

        internal PoolStatus Add(Transaction transaction, int sender)
        {
            if (_all.Any(entry => entry.Hash == transaction.Hash))
            {
                return PoolStatus.AlreadyKnown;
            }

            if (transaction.Nonce < nonces[sender])
            {
                return PoolStatus.NonceTooLow;
            }

            var own = _all.Where(entry => entry.Sender == transaction.Sender).ToList();
            var old = own.Find(entry => entry.Nonce == transaction.Nonce);
            if (old is not null && !(Rises(old.MaxFeePerGas, transaction.MaxFeePerGas)
                && Rises(old.MaxPriorityFeePerGas, transaction.MaxPriorityFeePerGas)))
            {
                return PoolStatus.ReplacementUnderpriced;
            }

            var queues = Enumerable.Range((int)nonces[sender], (int)(transaction.Nonce - nonces[sender]))
                .Any(nonce => own.All(entry => entry.Nonce != (ulong)nonce));
            if (old is null && (own.Count >= options.MaximumPerSender
                || (queues && own.Count(entry => !IsPending(entry)) >= options.MaximumQueuedPerSender)))
            {
                return PoolStatus.SenderLimit;
            }

            if (own.Where(entry => entry != old).Append(transaction).Aggregate(UInt256.Zero, (sum, entry) => sum
                + (entry.MaxFeePerGas * entry.GasLimit) + entry.Value) > balances[sender])
            {
                return PoolStatus.InsufficientFunds;
            }

            if (old is null && _all.Count == options.MaximumCount && !TryEvict(transaction))
            {
                return PoolStatus.Underpriced;
            }

            _all = [.. _all.Where(entry => entry != old), transaction];
            return IsPending(transaction) ? PoolStatus.Pending : PoolStatus.Queued;
        }

        internal List<Transaction> Select(PoolSelection selection)
        {
            var selected = new List<Transaction>();
            var gas = 0UL;
            while (selected.Count < selection.MaximumCount && gas < selection.GasLimit)
            {
                var heads = Enumerable.Range(0, Senders).Select(sender => _all.Find(entry => Number(entry) == sender
                    && entry.Nonce == nonces[sender] + (ulong)selected.Count(chosen => Number(chosen) == sender)));
                var next = heads.Where(head => head is not null && head.MaxFeePerGas >= selection.BaseFee)
                    .OrderByDescending(head => head!.EffectiveGasPrice(selection.BaseFee))
                    .ThenBy(head => _all.IndexOf(head!)).FirstOrDefault();
                if (next is null)
                {
                    break;
                }

                selected.Add(next);
                gas += next.GasLimit;
            }

            return selected;
        }

        /// <summary>
        /// After a block: used nonces leave, and of its senders what the balance alone no longer covers.
        /// </summary>
        internal void OnHead(List<Transaction> block)
        {
            var senders = block.Select(Number).ToHashSet();
            _all.RemoveAll(entry => entry.Nonce < nonces[Number(entry)]);
            _all.RemoveAll(entry => senders.Contains(Number(entry))
                && (entry.MaxFeePerGas * entry.GasLimit) + entry.Value > balances[Number(entry)]);
        }

        private bool TryEvict(Transaction newcomer)
        {
            var victim = _all.OrderBy(entry => entry.MaxFeePerGas).ThenBy(entry => entry.MaxPriorityFeePerGas)
                .ThenByDescending(entry => _all.IndexOf(entry)).First();
            var higher = newcomer.MaxFeePerGas > victim.MaxFeePerGas
                || (newcomer.MaxFeePerGas == victim.MaxFeePerGas
                    && newcomer.MaxPriorityFeePerGas > victim.MaxPriorityFeePerGas);
            var ownPredecessor = victim.Sender == newcomer.Sender && victim.Nonce < newcomer.Nonce;
            return higher && !ownPredecessor && _all.Remove(victim);
        }

        private bool IsPending(Transaction transaction) =>
            Enumerable.Range(0, (int)(transaction.Nonce - nonces[Number(transaction)] + 1)).All(offset => _all.Any(
                entry => entry.Sender == transaction.Sender
                    && entry.Nonce == nonces[Number(transaction)] + (ulong)offset));

        private static bool Rises(UInt256 old, UInt256 next) => next * 100 >= old * 110;
    }
}
