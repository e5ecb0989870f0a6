using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Parallel;

public sealed class MvccEngineTests
{
    public static TheoryData<int, int, int, bool, bool> Cases
    {
        get
        {
            var cases = new TheoryData<int, int, int, bool, bool>();
            foreach (var workers in (int[])[2, 4, 8])
            {
                foreach (var keys in (int[])[2, 5, 50])
                {
                    foreach (var validateAhead in (bool[])[false, true])
                    {
                        cases.Add(keys * 31, workers, keys, validateAhead, keys == 5);
                        cases.Add(keys * 77, workers, keys, validateAhead, keys != 5);
                    }
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_parallel_run_gives_the_state_of_a_serial_run(
        int seed, int workers, int keys, bool validateAhead, bool bloomFilter)
    {
        var batches = Enumerable.Range(0, 20).Select(i => RandomBatch(seed + i, keys)).ToArray();
        var random = new Random(seed);
        var options = new MvccOptions(
            workers, BloomFilter: bloomFilter, ValidateAhead: validateAhead,
            Interleaving: seed % 2 == 0 ? null : _ => YieldSometimes());
        Assert.Equal(Run(batches, new MvccOptions(1), keys), Run(batches, options, keys));

        void YieldSometimes()
        {
            if (Environment.TickCount64 % 3 == 0)
            {
                Thread.Yield();
            }
            else
            {
                Thread.SpinWait(20);
            }
        }
    }

    [Fact]
    public void A_savepoint_undoes_writes_and_additions_that_came_after_it()
    {
        var store = new MvccStore<int, Number>();
        store.Seed(1, new Number(10));
        var engine = new MvccEngine<int, Number>(store);
        MvccTransaction<int, Number> transaction = view =>
        {
            view.Add(1, new Number(5));
            var outer = view.Savepoint();
            view.Write(2, new Number(7));
            var inner = view.Savepoint();
            view.Add(1, new Number(100));
            view.RollBack(inner);
            Assert.Equal(15, view.Read(1).Value);
            view.Add(1, new Number(1));
            view.RollBack(outer);
        };
        engine.Execute([transaction], new MvccOptions(2));
        Assert.Equal(15, store.Read(1).Value);
        Assert.Equal(0, store.Read(2).Value);
    }

    [Fact]
    public void What_a_transaction_throws_reaches_the_caller()
    {
        var engine = new MvccEngine<int, Number>(new MvccStore<int, Number>());
        MvccTransaction<int, Number>[] batch = [_ => { }, _ => throw new InvalidDataException("bad")];
        Assert.Throws<InvalidDataException>(() => engine.Execute(batch, new MvccOptions(2)));
    }

    private static long[] Run(MvccTransaction<int, Number>[][] batches, MvccOptions options, int keys)
    {
        var store = new MvccStore<int, Number>();
        for (var i = 0; i < keys; i++)
        {
            store.Seed(i, new Number(1000));
        }

        var engine = new MvccEngine<int, Number>(store);
        foreach (var batch in batches)
        {
            engine.Execute(batch, options);
        }

        return [.. Enumerable.Range(0, keys + 3).Select(i => store.Read(i).Value)];
    }

    private static MvccTransaction<int, Number>[] RandomBatch(int seed, int keys)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 300).Select(_ => RandomTransaction(random, keys))];
    }

    /// <summary>
    /// Which keys are written depends on what is read, so that write sets change between incarnations.
    /// </summary>
    private static MvccTransaction<int, Number> RandomTransaction(Random random, int keys)
    {
        var (a, b, c) = (random.Next(keys), random.Next(keys), random.Next(keys));
        var amount = random.Next(1, 40);
        return random.Next(4) switch
        {
            0 => view => view.Add(a, new Number(amount)),
            1 => view =>
            {
                var value = view.Read(a);
                if (value.Value > amount)
                {
                    view.Write(a, new Number(value.Value - amount));
                    view.Add(value.Value % 2 == 0 ? b : c, new Number(amount));
                }
            },
            2 => view =>
            {
                var target = (int)(Math.Abs(view.Read(b).Value) % (keys + 3));
                view.Write(target, new Number(view.Read(c).Value ^ amount));
            },
            _ => view =>
            {
                view.Add(a, new Number(amount));
                var savepoint = view.Savepoint();
                view.Write(b, new Number((view.Read(a).Value * 3) % 5003));
                if (view.Read(c).Value % 3 == 0)
                {
                    view.RollBack(savepoint);
                }
            },
        };
    }

    internal readonly record struct Number(long Value) : IAddable<Number>
    {
        public static Number Add(in Number left, in Number right) => new(left.Value + right.Value);
    }
}
