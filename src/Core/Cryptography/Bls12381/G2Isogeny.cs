namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>
/// The 3-isogeny from y^2 = x^3 + 240 u x + 1012 (1 + u), on which the simplified SWU map works, to the curve of G2:
/// coefficients of RFC 9380, appendix E.3, lowest power first.
/// </summary>
internal static class G2Isogeny
{
    internal static readonly Fq2 A = new(Fq.Zero, Fq.FromNumber(240));

    internal static readonly Fq2 B = new(Fq.FromNumber(1012), Fq.FromNumber(1012));

    /// <summary>Of x, above the line.</summary>
    internal static readonly Fq2[] XNumerator =
    [
        Both("5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6"),
        new(
            Fq.Zero,
            Fq.FromHex(
                "11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71a")),
        new(
            Fq.FromHex(
                "11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71e"),
            Fq.FromHex(
                "8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38d")),
        new(
            Fq.FromHex(
                "171d6541fa38ccfaed6dea691f5fb614cb14b4e7f4e810aa22d6108f142b85757098e38d0f671c7188e2aaaaaaaa5ed1"),
            Fq.Zero),
    ];

    /// <summary>Of x, below the line: -72 u, 12 - 12 u, 1.</summary>
    internal static readonly Fq2[] XDenominator =
    [
        new(Fq.Zero, -Fq.FromNumber(72)), new(Fq.FromNumber(12), -Fq.FromNumber(12)), Fq2.One,
    ];

    /// <summary>Of y / y', above the line.</summary>
    internal static readonly Fq2[] YNumerator =
    [
        Both("1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706"),
        new(
            Fq.Zero,
            Fq.FromHex(
                "5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97be")),
        new(
            Fq.FromHex(
                "11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71c"),
            Fq.FromHex(
                "8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38f")),
        new(
            Fq.FromHex(
                "124c9ad43b6cf79bfbf7043de3811ad0761b0f37a1e26286b0e977c69aa274524e79097a56dc4bd9e1b371c71c718b10"),
            Fq.Zero),
    ];

    /// <summary>Of y / y', below the line: -432 (1 + u), -216 u, 18 - 18 u, 1.</summary>
    internal static readonly Fq2[] YDenominator =
    [
        new(-Fq.FromNumber(432), -Fq.FromNumber(432)), new(Fq.Zero, -Fq.FromNumber(216)),
        new(Fq.FromNumber(18), -Fq.FromNumber(18)), Fq2.One,
    ];

    private static Fq2 Both(string digits) => new(Fq.FromHex(digits), Fq.FromHex(digits));
}
