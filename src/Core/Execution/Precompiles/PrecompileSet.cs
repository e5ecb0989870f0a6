using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Precompiles;

/// <summary>The precompiled contracts of one set of fork rules, with that fork's prices.</summary>
public sealed class PrecompileSet
{
    /// <summary>The address of P-256 verification (EIP-7951), apart from the others.</summary>
    private const int P256Number = 0x100;

    private static readonly ConditionalWeakTable<ForkRules, PrecompileSet> Sets = [];

    /// <summary>By the number in the address's last two bytes.</summary>
    private readonly Precompile?[] _byNumber = new Precompile?[P256Number + 1];

    private PrecompileSet(ForkRules rules)
    {
        AddFrontier();
        if (rules.Eip196)
        {
            AddByzantium(rules);
        }

        if (rules.Eip152)
        {
            _byNumber[9] = new("blake2f", PrecompilePrices.Blake2f, HashPrecompiles.Blake2f);
        }

        if (rules.Eip2537)
        {
            AddBls();
        }

        if (rules.Eip4844)
        {
            _byNumber[10] = new("point evaluation", static _ => 50_000, CurvePrecompiles.PointEvaluation);
        }

        if (rules.Eip7951)
        {
            _byNumber[P256Number] = new("p256verify", static _ => 6_900, CurvePrecompiles.P256Verify);
        }
    }

    public static PrecompileSet For(ForkRules rules) => Sets.GetValue(rules, static key => new PrecompileSet(key));

    /// <summary>The precompiled contract at an address, if there is one.</summary>
    public bool TryGet(in Address address, [NotNullWhen(true)] out Precompile? precompile)
    {
        var word = address.ToWord();
        precompile = word.IsUInt64 && word.U0 <= P256Number ? _byNumber[(int)word.U0] : null;
        return precompile is not null;
    }

    private void AddFrontier()
    {
        _byNumber[1] = new("ecrecover", static _ => 3_000, CurvePrecompiles.EcRecover);
        _byNumber[2] = new("sha256", static input => PrecompilePrices.ByWord(input, 60, 12), HashPrecompiles.Sha256);
        _byNumber[3] = new(
            "ripemd160", static input => PrecompilePrices.ByWord(input, 600, 120), HashPrecompiles.Ripemd);
        _byNumber[4] = new(
            "identity", static input => PrecompilePrices.ByWord(input, 15, 3), static input => input.ToArray());
    }

    /// <summary>EIP-196, 197 and 198, with the prices of EIP-1108 and of EIP-2565 and 7883.</summary>
    private void AddByzantium(ForkRules rules)
    {
        var modexp = rules.Eip7883 ? PrecompilePrices.ModexpOsaka
            : rules.Eip2565 ? PrecompilePrices.ModexpBerlin
            : new PrecompilePrice(PrecompilePrices.ModexpByzantium);
        _byNumber[5] = new("modexp", modexp, rules.Eip7823 ? ModexpPrecompile.RunBounded : ModexpPrecompile.Run);
        var (add, multiply) = rules.Eip1108 ? (150UL, 6_000UL) : (500UL, 40_000UL);
        var (pairing, pair) = rules.Eip1108 ? (45_000UL, 34_000UL) : (100_000UL, 80_000UL);
        _byNumber[6] = new("bn254 addition", _ => add, CurvePrecompiles.Bn254Add);
        _byNumber[7] = new("bn254 multiplication", _ => multiply, CurvePrecompiles.Bn254Multiply);
        _byNumber[8] = new(
            "bn254 pairing",
            input => pairing + (pair * ((ulong)input.Length / CurvePrecompiles.Bn254PairBytes)),
            CurvePrecompiles.Bn254Pairing);
    }

    /// <summary>EIP-2537.</summary>
    private void AddBls()
    {
        _byNumber[11] = new("BLS12_G1ADD", static _ => 375, BlsPrecompiles.G1Add);
        _byNumber[12] = new("BLS12_G1MSM", PrecompilePrices.G1Msm, BlsPrecompiles.G1Msm);
        _byNumber[13] = new("BLS12_G2ADD", static _ => 600, BlsPrecompiles.G2Add);
        _byNumber[14] = new("BLS12_G2MSM", PrecompilePrices.G2Msm, BlsPrecompiles.G2Msm);
        _byNumber[15] = new(
            "BLS12_PAIRING_CHECK",
            static input => 37_700 + (32_600 * ((ulong)input.Length / BlsPrecompiles.PairBytes)),
            BlsPrecompiles.Pairing);
        _byNumber[16] = new("BLS12_MAP_FP_TO_G1", static _ => 5_500, BlsPrecompiles.MapToG1);
        _byNumber[17] = new("BLS12_MAP_FP2_TO_G2", static _ => 23_800, BlsPrecompiles.MapToG2);
    }
}
