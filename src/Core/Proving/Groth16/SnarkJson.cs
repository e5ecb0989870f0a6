using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>snarkjs' JSON: proofs, public values, verification keys.</summary>
/// <remarks>
/// Numbers are decimal strings; points have three coordinates, the last of which is 1 (or the point is 0, 1, 0, at
/// infinity). A number that is not below the modulus, a point off its curve or outside of its group, a missing or
/// wrong field: refused with its name.
/// </remarks>
public static class SnarkJson
{
    /// <summary>Bytes of a document that are read.</summary>
    public const int MostBytes = 64 << 20;

    private const int MostDigits = 78;
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 8 };

    /// <summary>Reads a proof.</summary>
    /// <exception cref="ProofException">Whatever is wrong with it.</exception>
    public static Proof ReadProof(ReadOnlyMemory<byte> json) => Read(json, "proof", root =>
    {
        CheckKind(root, "proof");
        var b = PointOfG2(root, "pi_b", "proof");
        return new Proof(PointOfG1(root, "pi_a", "proof"), b, PointOfG1(root, "pi_c", "proof"));
    });

    /// <summary>Reads public values.</summary>
    /// <exception cref="ProofException">Whatever is wrong with them.</exception>
    public static UInt256[] ReadPublics(ReadOnlyMemory<byte> json) => Read(json, "public values", root =>
    {
        if (root.ValueKind != JsonValueKind.Array || root.GetArrayLength() > VerificationKey.MostPublics)
        {
            throw new ProofException(
                $"public values: not a list of at most {VerificationKey.MostPublics} decimal strings.");
        }

        return root.EnumerateArray()
            .Select((item, i) => Number(item, Fr.Modulus, "r", $"public values[{i}]")).ToArray();
    });

    /// <summary>Reads a verification key; whether its points are in the subgroup is checked too.</summary>
    /// <exception cref="ProofException">Whatever is wrong with it.</exception>
    public static VerificationKey ReadVerificationKey(ReadOnlyMemory<byte> json) => Read(json, "key", root =>
    {
        const string what = "verification key";
        CheckKind(root, what);
        var ic = Field(root, "IC", what);
        if (ic.ValueKind != JsonValueKind.Array)
        {
            throw new ProofException($"{what}: IC is not a list.");
        }

        if (ic.GetArrayLength() > VerificationKey.MostPublics + 1)
        {
            throw new ProofException($"{what}: IC has {ic.GetArrayLength()} points.");
        }

        var points = ic.EnumerateArray().Select((item, i) => ReadG1(item, $"{what}, IC[{i}]")).ToArray();
        var publics = Field(root, "nPublic", what);
        if (publics.ValueKind != JsonValueKind.Number || !publics.TryGetInt32(out var count)
            || count != points.Length - 1)
        {
            throw new ProofException($"{what}: nPublic is not one less than the points of IC, {points.Length}.");
        }

        return new VerificationKey(
            PointOfG1(root, "vk_alpha_1", what), PointOfG2(root, "vk_beta_2", what),
            PointOfG2(root, "vk_gamma_2", what), PointOfG2(root, "vk_delta_2", what), points);
    });

    /// <summary>A proof as snarkjs writes it.</summary>
    public static string Write(Proof proof) => Write(json =>
    {
        WritePoint(json, "pi_a", proof.A);
        WritePoint(json, "pi_b", proof.B);
        WritePoint(json, "pi_c", proof.C);
        WriteKind(json);
    });

    /// <summary>Public values as snarkjs writes them.</summary>
    public static string Write(ReadOnlySpan<UInt256> publics)
    {
        var text = new StringBuilder("[");
        for (var i = 0; i < publics.Length; i++)
        {
            text.Append(i == 0 ? "\n" : ",\n").Append(CultureInfo.InvariantCulture, $" \"{publics[i]}\"");
        }

        return text.Append("\n]").ToString();
    }

    /// <summary>A verification key as snarkjs reads it.</summary>
    public static string Write(VerificationKey key) => Write(json =>
    {
        WriteKind(json);
        json.WriteNumber("nPublic", key.Publics);
        WritePoint(json, "vk_alpha_1", key.Alpha1);
        WritePoint(json, "vk_beta_2", key.Beta2);
        WritePoint(json, "vk_gamma_2", key.Gamma2);
        WritePoint(json, "vk_delta_2", key.Delta2);
        json.WriteStartArray("IC");
        foreach (var point in key.Ic)
        {
            WritePoint(json, null, point);
        }

        json.WriteEndArray();
    });

    private static T Read<T>(ReadOnlyMemory<byte> json, string what, Func<JsonElement, T> read)
    {
        if (json.Length > MostBytes)
        {
            throw new ProofException($"{what}: {json.Length} bytes; at most {MostBytes} are read.");
        }

        try
        {
            using var document = JsonDocument.Parse(json, Depth);
            return read(document.RootElement);
        }
        catch (JsonException fault)
        {
            throw new ProofException($"{what}: not JSON ({fault.Message})");
        }
    }

    private static void CheckKind(JsonElement root, string what)
    {
        if (Text(Field(root, "protocol", what)) != "groth16")
        {
            throw new ProofException($"{what}: the protocol is not groth16.");
        }

        if (Text(Field(root, "curve", what)) is not ("bn128" or "bn254"))
        {
            throw new ProofException($"{what}: the curve is not bn128.");
        }
    }

    private static string? Text(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? element.GetString() : null;

    private static JsonElement Field(JsonElement root, string name, string what) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var field)
            ? field
            : throw new ProofException($"{what}: {name} is missing.");

    private static AffinePoint<Fq> PointOfG1(JsonElement root, string name, string what) =>
        ReadG1(Field(root, name, what), $"{what}, {name}");

    private static AffinePoint<Fq> ReadG1(JsonElement element, string what)
    {
        var parts = Parts(element, 3, what);
        AffinePoint<Fq> point = new(Coordinate(parts[0], what), Coordinate(parts[1], what));
        var z = Coordinate(parts[2], what);
        if (z.IsZero && point.X.IsZero && point.Y == Fq.One)
        {
            return AffinePoint<Fq>.Infinity;
        }

        return z == Fq.One && !point.IsInfinity && G1.IsOnCurve(point) ? point : throw NotOnCurve(what);
    }

    private static AffinePoint<Fq2> PointOfG2(JsonElement root, string name, string whole)
    {
        var what = $"{whole}, {name}";
        var parts = Parts(Field(root, name, whole), 3, what);
        AffinePoint<Fq2> point = new(Pair(parts[0], what), Pair(parts[1], what));
        var z = Pair(parts[2], what);
        if (z.IsZero && point.X.IsZero && point.Y == Fq2.One)
        {
            return AffinePoint<Fq2>.Infinity;
        }

        if (z != Fq2.One || point.IsInfinity || !G2.IsOnCurve(point))
        {
            throw NotOnCurve(what);
        }

        return G2.IsInSubgroup(point) ? point : throw new ProofException($"{what}: the point is not in the subgroup.");
    }

    private static ProofException NotOnCurve(string what) => new($"{what}: the point is not on the curve.");

    private static Fq2 Pair(JsonElement element, string what)
    {
        var parts = Parts(element, 2, what);
        return new Fq2(Coordinate(parts[0], what), Coordinate(parts[1], what));
    }

    private static Fq Coordinate(JsonElement element, string what)
    {
        _ = Fq.TryCreate(Number(element, Fq.Modulus, "p", what), out var value);
        return value;
    }

    private static JsonElement[] Parts(JsonElement element, int count, string what) =>
        element.ValueKind == JsonValueKind.Array && element.GetArrayLength() == count
            ? [.. element.EnumerateArray()]
            : throw new ProofException($"{what}: not a list of {count}.");

    private static UInt256 Number(JsonElement element, in UInt256 modulus, string name, string what)
    {
        if (!TryDigits(Text(element), out var digits) || !UInt256.TryParse(digits, out var value))
        {
            throw new ProofException($"{what}: not a decimal number in a string.");
        }

        return value < modulus ? value : throw new ProofException($"{what}: the number is not below {name}.");
    }

    private static bool TryDigits(string? text, [NotNullWhen(true)] out string? digits)
    {
        digits = text;
        return text is { Length: > 0 and <= MostDigits } && text.All(char.IsAsciiDigit);
    }

    private static string Write(Action<Utf8JsonWriter> fields)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, IndentSize = 1 }))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteKind(Utf8JsonWriter json)
    {
        json.WriteString("protocol", "groth16");
        json.WriteString("curve", "bn128");
    }

    private static void WritePoint(Utf8JsonWriter json, string? name, in AffinePoint<Fq> point)
    {
        StartArray(json, name);
        var infinite = point.IsInfinity;
        json.WriteStringValue(point.X.ToString());
        json.WriteStringValue(infinite ? "1" : point.Y.ToString());
        json.WriteStringValue(infinite ? "0" : "1");
        json.WriteEndArray();
    }

    private static void WritePoint(Utf8JsonWriter json, string name, in AffinePoint<Fq2> point)
    {
        StartArray(json, name);
        var infinite = point.IsInfinity;
        WritePair(json, point.X);
        WritePair(json, infinite ? Fq2.One : point.Y);
        WritePair(json, infinite ? Fq2.Zero : Fq2.One);
        json.WriteEndArray();
    }

    private static void WritePair(Utf8JsonWriter json, in Fq2 value)
    {
        json.WriteStartArray();
        json.WriteStringValue(value.C0.ToString());
        json.WriteStringValue(value.C1.ToString());
        json.WriteEndArray();
    }

    private static void StartArray(Utf8JsonWriter json, string? name)
    {
        if (name is null)
        {
            json.WriteStartArray();
        }
        else
        {
            json.WriteStartArray(name);
        }
    }
}
