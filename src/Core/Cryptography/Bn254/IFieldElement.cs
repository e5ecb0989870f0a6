namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>What curve and batch formulas need of a field; every result may be one of the operands.</summary>
/// <remarks>
/// Results are out parameters, because a returned structure of this size is copied through memory with wider accesses
/// than it was written with, which stalls the processor for longer than an addition takes.
/// </remarks>
public interface IFieldElement<TSelf>
    where TSelf : unmanaged, IFieldElement<TSelf>
{
    static abstract TSelf Zero { get; }

    static abstract TSelf One { get; }

    bool IsZero { get; }

    bool Equals(TSelf other);

    static abstract void Add(in TSelf a, in TSelf b, out TSelf result);

    static abstract void Subtract(in TSelf a, in TSelf b, out TSelf result);

    static abstract void Double(in TSelf a, out TSelf result);

    static abstract void Negate(in TSelf a, out TSelf result);

    static abstract void Multiply(in TSelf a, in TSelf b, out TSelf result);

    static abstract void Square(in TSelf a, out TSelf result);

    /// <summary>1 / a; zero for zero.</summary>
    static abstract void Invert(in TSelf a, out TSelf result);
}

/// <summary>A field that curve points have their coordinates in: small linear combinations cost one
/// reduction.</summary>
public interface ICurveField<TSelf> : IFieldElement<TSelf>
    where TSelf : unmanaged, ICurveField<TSelf>
{
    /// <summary>fa * a + fb * b; positive factors add up to at most 60, negative ones to -30.</summary>
    static abstract void Combine(in TSelf a, long fa, in TSelf b, long fb, out TSelf result);

    /// <summary>fa * a + fb * b + fc * c, with the same limits.</summary>
    static abstract void Combine(
        in TSelf a, long fa, in TSelf b, long fb, in TSelf c, long fc, out TSelf result);
}
