using System.Globalization;
using System.Text;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Gpu;

/// <summary>Puts the kernels' texts together: OpenCL C has no templates, so prefixes are replaced here.</summary>
internal static class KernelSource
{
    /// <summary>2^256 - 2^32 - 977.</summary>
    internal static readonly UInt256 SecpPrime = UInt256.MaxValue - (UInt256)((1UL << 32) + 976);

    /// <summary>Keccak-256 and SHA-256.</summary>
    internal static string Hashes(bool unroll) => Prelude(unroll) + Text("hash.cl");

    /// <summary>Transforms over the scalar field of BN254.</summary>
    internal static string Transforms(bool unroll) =>
        Prelude(unroll) + Field("fr", Fr.Modulus) + Vector("fr") + Text("ntt.cl");

    /// <summary>Multi-scalar multiplication in BN254's first group.</summary>
    internal static string FirstGroup(bool unroll) =>
        Prelude(unroll) + Field("fq", Fq.Modulus) + Vector("fq") + Text("msm.cl") + Group("g1", "fq", "u256");

    /// <summary>Multi-scalar multiplication in BN254's second group.</summary>
    internal static string SecondGroup(bool unroll) => Prelude(unroll) + Field("fq", Fq.Modulus)
        + Text("quadratic.cl") + Text("msm.cl") + Group("g2", "fq2", "fq2");

    /// <summary>Key recovery on secp256k1.</summary>
    internal static string Recovery(bool unroll) => Prelude(unroll)
        + Field("sp", SecpPrime) + Field("sn", Secp256k1.Order) + Constant("SECP_ROOT", (SecpPrime >> 2) + UInt256.One)
        + Points("sg", "sp", "u256") + Text("recover.cl");

    private static string Prelude(bool unroll) =>
        (unroll ? "#define UNROLL _Pragma(\"unroll\")\n" : "#define UNROLL\n")
        + "typedef struct { uint v[8]; } u256;\n";

    private static string Group(string point, string field, string type) =>
        Points(point, field, type) + Replace(Text("bucket.cl"), point, field, type);

    private static string Points(string point, string field, string type) =>
        Replace(Text("point.cl"), point, field, type);

    private static string Replace(string text, string point, string field, string type) =>
        text.Replace("POINT_", point + "_").Replace("COORD_", field + "_").Replace("COORD", type);

    private static string Field(string prefix, in UInt256 modulus)
    {
        var r1 = (UInt256.MaxValue % modulus) + UInt256.One;
        var inverse = 1u;
        for (var i = 0; i < 5; i++)
        {
            inverse *= 2 - ((uint)modulus.U0 * inverse);
        }

        return Constant("FIELD_P", modulus).Replace("FIELD", prefix)
            + Constant("FIELD_R1", r1).Replace("FIELD", prefix)
            + Constant("FIELD_R2", UInt256.MulMod(r1, r1, modulus)).Replace("FIELD", prefix)
            + $"#define {prefix}_NINV 0x{0u - inverse:X8}u\n" + Text("field.cl").Replace("FIELD_", prefix + "_");
    }

    private static string Vector(string prefix) => Text("vector.cl").Replace("FIELD_", prefix + "_");

    private static string Constant(string name, in UInt256 value)
    {
        var words = new StringBuilder();
        for (var i = 0; i < 8; i++)
        {
            words.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ", ")}0x{(uint)(value >> (32 * i)).U0:X8}u");
        }

        return $"constant uint {name}[8] = {{ {words} }};\n";
    }

    private static string Text(string name)
    {
        using var stream = typeof(KernelSource).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The kernel text {name} is not in the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd() + "\n";
    }
}
