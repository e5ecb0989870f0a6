namespace SuperVm.Core.Primitives;

/// <summary>
/// A value that others can be added to in any order with the same result, so that additions need no read.
/// </summary>
public interface IAddable<TSelf>
    where TSelf : struct, IAddable<TSelf>
{
    static abstract TSelf Add(in TSelf left, in TSelf right);
}
