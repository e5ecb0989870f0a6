using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench;

/// <summary>256-bit arithmetic, operations a second on one thread, by the size of the operands.</summary>
internal sealed class WordBenchmark : IBenchmark
{
    private const int Words = 1024;
    private const int Rounds = 1000;

    private delegate UInt256 Operation(in UInt256 a, in UInt256 b, in UInt256 m);

    public string Name => "word";

    public string Description => "256-bit arithmetic by operand size, operations a second on one thread";

    public Task RunAsync(BenchContext context)
    {
        Measure(context, "add", 4, 4, (in a, in b, in _) => a + b);
        Measure(context, "less", 4, 4, (in a, in b, in _) => a < b ? a : b);
        Measure(context, "shift", 4, 1, (in a, in b, in _) => a << (int)(b.U0 & 255));
        Measure(context, "mul", 1, 1, (in a, in b, in _) => a * b);
        Measure(context, "mul", 4, 4, (in a, in b, in _) => a * b);
        for (var divisor = 1; divisor <= 4; divisor++)
        {
            Measure(context, "div", 4, divisor, (in a, in b, in _) => a / b);
        }

        Measure(context, "div", 2, 1, (in a, in b, in _) => a / b);
        Measure(context, "sdiv", 4, 2, (in a, in b, in _) => UInt256.SignedDivide(a, b));
        Measure(context, "addmod", 4, 4, (in a, in b, in m) => UInt256.AddMod(a, b, m));
        Measure(context, "mulmod", 4, 4, (in a, in b, in m) => UInt256.MulMod(a, b, m));
        Measure(context, "mulmod", 2, 2, (in a, in b, in m) => UInt256.MulMod(a, b, m));
        Measure(context, "exp", 4, 1, (in a, in b, in _) => UInt256.Exp(a, b));
        return Task.CompletedTask;
    }

    private static void Measure(BenchContext context, string name, int limbsA, int limbsB, Operation operation)
    {
        var random = new Random(7);
        var a = Draw(random, limbsA);
        var b = Draw(random, limbsB);
        var m = Draw(random, 4);
        var results = new UInt256[Words];
        context.Measure($"{name}_{limbsA * 64}_{limbsB * 64}", "1/s", (double)Words * Rounds, () =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                for (var i = 0; i < Words; i++)
                {
                    results[i] = operation(a[i], b[i], m[i]);
                }
            }
        });
    }

    private static UInt256[] Draw(Random random, int limbs)
    {
        var words = new UInt256[Words];
        for (var i = 0; i < Words; i++)
        {
            words[i] = new UInt256(
                Limb(random), limbs > 1 ? Limb(random) : 0, limbs > 2 ? Limb(random) : 0, limbs > 3 ? Limb(random) : 0);
        }

        return words;
    }

    private static ulong Limb(Random random) => ((ulong)random.NextInt64() << 1) | 1;
}
