using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Hosting.Proving;
using SuperVm.Local.Proofs;

namespace SuperVm.Cli.Bench.Proving;

/// <summary>Groth16 proofs of two sizes beside snarkjs, and the sums and transforms they are made of.</summary>
internal sealed class ProveBenchmark : IBenchmark
{
    private static readonly int[] Constraints = [65_500, 131_000];

    private readonly Option<string?> _snarkjs = new("--snarkjs")
    {
        Description = "Folder where snarkjs is installed; tests/Proofs of the repository where left out",
    };

    private readonly Option<int> _largest = new("--largest")
    {
        Description = "Sums and transforms of 2^16 points up to 2^N", DefaultValueFactory = _ => 20,
    };

    private readonly Option<bool> _proofsOnly = new("--proofs-only") { Description = "No sums and transforms alone" };

    public string Name => "prove";

    public string Description => "Groth16 proofs of 65,500 and 131,000 constraints beside snarkjs; sums, transforms";

    public IReadOnlyList<Option> Options => [_snarkjs, _largest, _proofsOnly];

    public async Task RunAsync(BenchContext context)
    {
        var backend = new CpuProofBackend();
        context.Progress.WriteLine($"  {backend.Name}");
        if (!context.Options.GetValue(_proofsOnly))
        {
            var largest = Math.Clamp(context.Options.GetValue(_largest), 16, 22);
            for (var log = 16; log <= largest; log++)
            {
                MeasureParts(context, backend, log);
            }
        }

        var folder = Directory.CreateTempSubdirectory("supervm-prove-");
        try
        {
            foreach (var constraints in Constraints)
            {
                await MeasureProofsAsync(context, backend, folder.FullName, constraints);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void MeasureParts(BenchContext context, CpuProofBackend backend, int log)
    {
        var count = 1 << log;
        var random = new Random(log);
        var scalars = new byte[count * PointSum.ScalarSize];
        random.NextBytes(scalars);
        for (var i = 0; i < count; i++)
        {
            scalars[(i * PointSum.ScalarSize) + 31] &= 0x1F; // below r
        }

        var ofG1 = new byte[count * PointSum.G1Size];
        Spread<Fq>(G1.Generator, count, (i, point) => SnarkPoints.Write(point, ofG1.AsSpan(i * PointSum.G1Size)));
        context.Measure($"msm_g1_2^{log}", "points/s", count, () => backend.Sum(
            [new PointSum("G1", CurveGroup.G1, ofG1, scalars)], null, context.Cancellation));
        var ofG2 = new byte[count * PointSum.G2Size];
        Spread(G2.Generator, count, (i, point) => SnarkPoints.Write(point, ofG2.AsSpan(i * PointSum.G2Size)));
        context.Measure($"msm_g2_2^{log}", "points/s", count, () => backend.Sum(
            [new PointSum("G2", CurveGroup.G2, ofG2, scalars)], null, context.Cancellation));

        var (a, b) = (new Fr[count], new Fr[count]);
        var result = new byte[count * Fr.Size];
        for (var i = 0; i < count; i++)
        {
            (a[i], b[i]) = (Fr.FromUInt64((ulong)random.NextInt64()), Fr.FromUInt64((ulong)random.NextInt64()));
        }

        const int transforms = 6;
        context.Measure(
            $"ntt_2^{log}", "points/s", (double)transforms * count, () => backend.Quotient(a, b, result));
    }

    /// <summary>Many different points: each is the last one's double, now and then plus the first.</summary>
    private static void Spread<TField>(
        in AffinePoint<TField> generator, int count, Action<int, AffinePoint<TField>> write)
        where TField : unmanaged, ICurveField<TField>
    {
        const int atOnce = 4096;
        var points = new JacobianPoint<TField>[atOnce];
        var affine = new AffinePoint<TField>[atOnce];
        var last = new JacobianPoint<TField>(generator);
        for (var start = 0; start < count; start += atOnce)
        {
            for (var i = 0; i < atOnce; i++)
            {
                JacobianPoint<TField>.Double(last, out last);
                if ((i & 1) != 0)
                {
                    JacobianPoint<TField>.Add(last, generator, out last);
                }

                points[i] = last;
            }

            JacobianPoint<TField>.ToAffine(points, affine);
            for (var i = 0; i < Math.Min(atOnce, count - start); i++)
            {
                write(start + i, affine[i]);
            }
        }
    }

    private async Task MeasureProofsAsync(
        BenchContext context, CpuProofBackend backend, string folder, int constraints)
    {
        var random = new SystemRandomSource();
        var name = constraints.ToString(CultureInfo.InvariantCulture);
        var (keyPath, witnessPath) = (Path.Combine(folder, $"{name}.zkey"), Path.Combine(folder, $"{name}.wtns"));
        await File.WriteAllBytesAsync(witnessPath, SquaringCircuit.Witness(constraints, 7), context.Cancellation);
        await using (var made = File.Create(keyPath))
        {
            var circuit = new R1cs(new MemorySource(SquaringCircuit.Circuit(constraints)));
            DevelopmentSetup.Write(circuit, random, made);
        }

        using var keyFile = MappedFile.Open(keyPath);
        using var witnessFile = MappedFile.Open(witnessPath);
        var (key, witness) = (new ProvingKey(keyFile), new Witness(witnessFile));
        var prover = new Prover(backend, random);
        var own = Times(context, () => prover.Prove(key, witness, cancellation: context.Cancellation));
        context.Report($"proof_{name}", "s", own);
        var proof = prover.Prove(key, witness);
        var publics = Prover.PublicsOf(key, witness);
        context.Measure($"verify_{name}", "1/s", 1, () => Verifier.Verify(key.VerificationKey, proof, publics));
        const int batch = 64;
        var proofs = Enumerable.Repeat(proof, batch).ToArray();
        var values = Enumerable.Repeat(publics, batch).ToArray();
        context.Measure($"verify_batch_{batch}_{name}", "1/s", batch, () => Verifier.VerifyBatch(
            key.VerificationKey, proofs, values, random));
        await MeasureProcessAsync(context, folder, name);
        if (await RunSnarkjsAsync(context, keyPath, witnessPath) is { } theirs)
        {
            context.Report($"snarkjs_{name}", "s", theirs);
            context.Report($"ratio_{name}", "x", theirs.Order().ElementAt(theirs.Length / 2)
                / own.Order().ElementAt(own.Length / 2));
        }
    }

    private static double[] Times(BenchContext context, Action body)
    {
        body();
        body();
        return [.. Enumerable.Range(0, context.Runs).Select(_ =>
        {
            var started = Stopwatch.GetTimestamp();
            body();
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        })];
    }

    /// <summary>`supervm prove` as a process of its own: its time from start to end and its peak memory.</summary>
    private static async Task MeasureProcessAsync(BenchContext context, string folder, string name)
    {
        var (seconds, megabytes) = (new double[context.Runs], new double[context.Runs]);
        for (var run = 0; run < context.Runs; run++)
        {
            var started = Stopwatch.GetTimestamp();
            var line = await RunAsync(
                context, "dotnet", folder,
                [typeof(ProveBenchmark).Assembly.Location, "prove", $"{name}.zkey", $"{name}.wtns", "--quiet"]);
            seconds[run] = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            megabytes[run] = double.Parse(
                words[Array.IndexOf(words, "MB") - 1], NumberStyles.Float, CultureInfo.InvariantCulture);
        }

        context.Report($"process_{name}", "s", seconds);
        context.Report($"peak_memory_{name}", "MB", megabytes);
    }

    private async Task<double[]?> RunSnarkjsAsync(BenchContext context, string key, string witness)
    {
        var folder = context.Options.GetValue(_snarkjs) ?? FindProofTests();
        if (folder is null || !Directory.Exists(Path.Combine(folder, "node_modules", "snarkjs")))
        {
            context.Progress.WriteLine("  snarkjs is not installed (npm ci in tests/Proofs): its times are left out");
            return null;
        }

        var output = await RunAsync(
            context, "node", folder,
            ["prove.mjs", key, witness, context.Runs.ToString(CultureInfo.InvariantCulture)]);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => double.Parse(line, NumberStyles.Float, CultureInfo.InvariantCulture))];
    }

    private static async Task<string> RunAsync(
        BenchContext context, string program, string folder, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException($"{program} does not start.");
        var output = await process.StandardOutput.ReadToEndAsync(context.Cancellation);
        await process.WaitForExitAsync(context.Cancellation);
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {arguments[0]} ended with {process.ExitCode}.");
    }

    private static string? FindProofTests()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
            {
                return Path.Combine(at.FullName, "tests", "Proofs");
            }
        }

        return null;
    }
}
