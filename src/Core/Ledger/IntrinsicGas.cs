namespace SuperVm.Core.Ledger;

/// <summary>Gas that a transaction costs before its first instruction.</summary>
/// <param name="Base">Taken from the gas limit before execution (Yellow Paper, 6.2: g0).</param>
/// <param name="Floor">The least that the whole transaction uses (EIP-7623); 0 before Prague.</param>
public readonly record struct IntrinsicGas(ulong Base, ulong Floor)
{
    public const ulong Transaction = 21_000;
    public const ulong Creation = 32_000;
    public const ulong ZeroByte = 4;
    public const ulong InitCodeWord = 2;
    public const ulong AccessListAddress = 2_400;
    public const ulong AccessListSlot = 1_900;

    /// <summary>Charged for each authorization; half of it comes back where the account exists (EIP-7702).</summary>
    public const ulong Authorization = 25_000;

    /// <summary>A zero byte of call data is one token, another byte four (EIP-7623).</summary>
    public const ulong TokensPerNonZeroByte = 4;

    public const ulong FloorPerToken = 10;

    /// <summary>The least gas limit with which the transaction is valid.</summary>
    public ulong Minimum => Math.Max(Base, Floor);

    /// <summary>
    /// Counts a transaction by a fork's rules. It cannot overflow: a transaction has less than 2^31 bytes.
    /// </summary>
    public static IntrinsicGas Of(Transaction transaction, ForkRules rules)
    {
        var data = transaction.Data.Span;
        var zeros = (ulong)data.Count((byte)0);
        var others = (ulong)data.Length - zeros;
        var gas = Transaction + (zeros * ZeroByte) + (others * (rules.Eip2028 ? 16UL : 68UL));
        if (transaction.IsCreation)
        {
            gas += rules.Eip2 ? Creation : 0;
            gas += rules.Eip3860 ? InitCodeWord * (((ulong)data.Length + 31) / 32) : 0;
        }

        foreach (var entry in transaction.AccessList)
        {
            gas += AccessListAddress + (AccessListSlot * (ulong)entry.Slots.Count);
        }

        gas += Authorization * (ulong)transaction.Authorizations.Count;
        var floor = rules.Eip7623 ? Transaction + (FloorPerToken * (zeros + (others * TokensPerNonZeroByte))) : 0;
        return new IntrinsicGas(gas, floor);
    }
}
