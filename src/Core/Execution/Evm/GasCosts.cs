using SuperVm.Core.Ledger;

namespace SuperVm.Core.Execution.Evm;

/// <summary>Gas that no fork has changed (Yellow Paper, appendix G, and the EIPs named).</summary>
internal static class GasCosts
{
    internal const int Zero = 0;
    internal const int JumpDest = 1;
    internal const int Base = 2;
    internal const int VeryLow = 3;
    internal const int Low = 5;
    internal const int Mid = 8;
    internal const int High = 10;
    internal const int Copy = 3;
    internal const int Keccak = 30;
    internal const int KeccakWord = 6;
    internal const int Log = 375;
    internal const int LogByte = 8;
    internal const int BlockHash = 20;
    internal const int Create = 32_000;
    internal const int CodeDepositByte = 200;
    internal const int CallValue = 9_000;
    internal const int CallStipend = 2_300;
    internal const int NewAccount = 25_000;
    internal const int StorageSet = 20_000;
    internal const int StorageReset = 5_000;
    internal const int SelfDestructRefund = 24_000;

    /// <summary>EIP-2929: the first access to an account or a slot, and every later one.</summary>
    internal const int ColdAccount = 2_600;

    internal const int ColdSlot = 2_100;
    internal const int Warm = 100;

    /// <summary>EIP-3860: two gas for each word of init code.</summary>
    internal const int InitCodeWord = 2;

    /// <summary>EIP-2200: SSTORE fails with no more gas than the stipend left.</summary>
    internal const int StorageGuard = 2_300;
}

/// <summary>Gas that forks moved, for one fork.</summary>
internal sealed class GasSchedule
{
    internal GasSchedule(ForkRules rules)
    {
        ExpByte = rules.Eip161 ? 50 : 10;
        SLoad = rules.Eip2929 ? GasCosts.Warm : rules.Eip1884 ? 800 : rules.Eip150 ? 200 : 50;
        Balance = rules.Eip2929 ? GasCosts.Warm : rules.Eip1884 ? 700 : rules.Eip150 ? 400 : 20;
        ExtCode = rules.Eip2929 ? GasCosts.Warm : rules.Eip150 ? 700 : 20;
        ExtCodeHash = rules.Eip2929 ? GasCosts.Warm : rules.Eip1884 ? 700 : 400;
        Call = rules.Eip2929 ? GasCosts.Warm : rules.Eip150 ? 700 : 40;
        SelfDestruct = rules.Eip150 ? 5_000 : 0;
        StorageUpdate = rules.Eip2929 ? GasCosts.StorageReset - GasCosts.ColdSlot : GasCosts.StorageReset;
        StorageClearRefund = rules.Eip3529 ? 4_800 : 15_000;
    }

    /// <summary>For each byte of the exponent (EIP-160 came with EIP-161).</summary>
    internal int ExpByte { get; }

    /// <summary>A storage read; a warm one from EIP-2929.</summary>
    internal int SLoad { get; }

    internal int Balance { get; }

    internal int ExtCode { get; }

    internal int ExtCodeHash { get; }

    internal int Call { get; }

    internal int SelfDestruct { get; }

    /// <summary>A change of a slot that is not zero and not yet changed.</summary>
    internal int StorageUpdate { get; }

    internal int StorageClearRefund { get; }
}
