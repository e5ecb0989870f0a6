namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>The fields over which the two groups stand: Fq for G1, Fq2 for G2.</summary>
internal interface IBlsField<TSelf>
    where TSelf : struct, IBlsField<TSelf>
{
    static abstract TSelf Zero { get; }

    static abstract TSelf One { get; }

    /// <summary>b of the group's curve y^2 = x^3 + b.</summary>
    static abstract TSelf CurveB { get; }

    bool IsZero { get; }

    static abstract TSelf operator +(in TSelf a, in TSelf b);

    static abstract TSelf operator -(in TSelf a, in TSelf b);

    static abstract TSelf operator -(in TSelf a);

    static abstract TSelf operator *(in TSelf a, in TSelf b);

    static abstract TSelf Square(in TSelf a);

    /// <summary>The inverse, in a time that depends on the value; zero for zero.</summary>
    static abstract TSelf Invert(in TSelf a);

    static abstract bool AreEqual(in TSelf a, in TSelf b);
}
