namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>Coordinates of eight points of a curve side by side: <see cref="FqLanes"/> for G1, <see cref="Fq2Lanes"/>
/// for G2.</summary>
/// <remarks>
/// In memory a coordinate is four (or twice four) words, a tight value of <see cref="Fq"/>'s Montgomery form; a point
/// is x, then y, and starts at a multiple of 64 bytes. Tight and loose mean what <see cref="FieldLanes{TModulus}"/>
/// says.
/// </remarks>
internal unsafe interface ICurveLanes<TSelf, TField>
    where TSelf : unmanaged, ICurveLanes<TSelf, TField>
    where TField : unmanaged, ICurveField<TField>
{
    /// <summary>Words of a point in memory: 8 or 16.</summary>
    static abstract int PointWords { get; }

    /// <summary>Reads eight points from anywhere.</summary>
    static abstract void Load(ulong** points, out TSelf x, out TSelf y);

    /// <summary>Writes eight points with tight coordinates one after another.</summary>
    static abstract void Store(in TSelf x, in TSelf y, ulong* points);

    static abstract void One(out TSelf one);

    /// <summary>a - b, carried; both tight, or loose between -2 p and 2 p.</summary>
    static abstract void Subtract(in TSelf a, in TSelf b, out TSelf difference);

    /// <summary>a - b - 2 c, tight.</summary>
    static abstract void SubtractTwice(in TSelf a, in TSelf b, in TSelf c, out TSelf difference);

    /// <summary>a - b, tight, of a tight and a tight or loose value.</summary>
    static abstract void SubtractReduced(in TSelf a, in TSelf b, out TSelf difference);

    static abstract void Multiply(in TSelf a, in TSelf b, out TSelf product);

    /// <summary>The square of a tight value.</summary>
    static abstract void Square(in TSelf a, out TSelf square);

    /// <summary>-a, loose, in lanes whose mask is all ones.</summary>
    static abstract void NegateLoose(ref TSelf a, System.Runtime.Intrinsics.Vector512<ulong> mask);

    /// <summary>Every lane's inverse of a tight value; false, and nothing, where one of them is zero.</summary>
    static abstract bool TryInvert(in TSelf a, out TSelf inverse);

    /// <summary>Reads one point.</summary>
    static abstract void Read(ulong* point, out AffinePoint<TField> result);

    /// <summary>Writes one point.</summary>
    static abstract void Write(in AffinePoint<TField> point, ulong* destination);

    /// <summary>
    /// Takes eight points as snarkjs writes them (a 2^256 modulo p, 32 bytes a value) to this form; a value that is
    /// not below p or a point that is not on the curve answers false. Points at infinity, all zero, stay so.
    /// </summary>
    static abstract bool TryConvert(byte* source, ulong* destination);
}
