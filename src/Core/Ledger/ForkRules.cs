using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>What a fork changes, as data: one switch an EIP, and the numbers that forks move.</summary>
/// <remarks>
/// Built once a fork as "the fork before, with …", so a rule is stated where it was introduced and nowhere else.
/// Code asks for the EIP that it implements, never for a fork's name.
/// </remarks>
public sealed record ForkRules
{
    public required Fork Fork { get; init; }

    /// <summary>Homestead: creation costs 32,000 more, low s, a code deposit that cannot be paid fails.</summary>
    public bool Eip2 { get; init; }

    /// <summary>DELEGATECALL.</summary>
    public bool Eip7 { get; init; }

    /// <summary>Repriced state access and the rule of all but one 64th.</summary>
    public bool Eip150 { get; init; }

    /// <summary>Replay protection by chain id in v.</summary>
    public bool Eip155 { get; init; }

    /// <summary>Empty accounts are removed when touched; new contracts start at nonce 1.</summary>
    public bool Eip161 { get; init; }

    /// <summary>REVERT.</summary>
    public bool Eip140 { get; init; }

    /// <summary>bn254 addition, multiplication (196) and pairing (197), modexp (198).</summary>
    public bool Eip196 { get; init; }

    /// <summary>RETURNDATASIZE and RETURNDATACOPY.</summary>
    public bool Eip211 { get; init; }

    /// <summary>STATICCALL.</summary>
    public bool Eip214 { get; init; }

    /// <summary>Difficulty aims at nine seconds and counts the parent's uncles.</summary>
    public bool Eip100 { get; init; }

    /// <summary>A receipt has a status in place of an intermediate root.</summary>
    public bool Eip658 { get; init; }

    /// <summary>SHL, SHR, SAR.</summary>
    public bool Eip145 { get; init; }

    /// <summary>CREATE2.</summary>
    public bool Eip1014 { get; init; }

    /// <summary>EXTCODEHASH.</summary>
    public bool Eip1052 { get; init; }

    /// <summary>Net gas metering of SSTORE as Constantinople had it and Petersburg took away.</summary>
    public bool Eip1283 { get; init; }

    /// <summary>blake2f.</summary>
    public bool Eip152 { get; init; }

    /// <summary>Cheaper bn254 precompiles.</summary>
    public bool Eip1108 { get; init; }

    /// <summary>CHAINID.</summary>
    public bool Eip1344 { get; init; }

    /// <summary>Dearer trie reads; SELFBALANCE.</summary>
    public bool Eip1884 { get; init; }

    /// <summary>A non-zero byte of call data costs 16, not 68.</summary>
    public bool Eip2028 { get; init; }

    /// <summary>Net gas metering of SSTORE with the 2,300 stipend guard.</summary>
    public bool Eip2200 { get; init; }

    /// <summary>Modexp priced by the new formula.</summary>
    public bool Eip2565 { get; init; }

    /// <summary>Warm and cold access (2929), access lists (2930), typed transactions (2718).</summary>
    public bool Eip2929 { get; init; }

    /// <summary>Base fee (1559) and BASEFEE (3198).</summary>
    public bool Eip1559 { get; init; }

    /// <summary>Smaller refunds: at most a fifth, none for SELFDESTRUCT.</summary>
    public bool Eip3529 { get; init; }

    /// <summary>New code may not begin with 0xEF.</summary>
    public bool Eip3541 { get; init; }

    /// <summary>After the merge: no rewards, PREVRANDAO in place of DIFFICULTY (4399).</summary>
    public bool Eip3675 { get; init; }

    /// <summary>The coinbase starts warm.</summary>
    public bool Eip3651 { get; init; }

    /// <summary>PUSH0.</summary>
    public bool Eip3855 { get; init; }

    /// <summary>Init code limited to 49,152 bytes and metered at 2 gas a word.</summary>
    public bool Eip3860 { get; init; }

    /// <summary>Withdrawals.</summary>
    public bool Eip4895 { get; init; }

    /// <summary>TLOAD and TSTORE.</summary>
    public bool Eip1153 { get; init; }

    /// <summary>The parent beacon block root in the header and in its system contract.</summary>
    public bool Eip4788 { get; init; }

    /// <summary>Blob transactions, BLOBHASH, point evaluation; BLOBBASEFEE (7516).</summary>
    public bool Eip4844 { get; init; }

    /// <summary>MCOPY.</summary>
    public bool Eip5656 { get; init; }

    /// <summary>SELFDESTRUCT removes only what the same transaction created.</summary>
    public bool Eip6780 { get; init; }

    /// <summary>BLS12-381 precompiles.</summary>
    public bool Eip2537 { get; init; }

    /// <summary>Block hashes in a system contract.</summary>
    public bool Eip2935 { get; init; }

    /// <summary>General requests (7685): deposits (6110), withdrawals (7002), consolidations (7251).</summary>
    public bool Eip7685 { get; init; }

    /// <summary>A floor for call data: 10 gas a token.</summary>
    public bool Eip7623 { get; init; }

    /// <summary>Set-code transactions and delegated code.</summary>
    public bool Eip7702 { get; init; }

    /// <summary>At most six blobs a transaction.</summary>
    public bool Eip7594 { get; init; }

    /// <summary>Modexp inputs of at most 1,024 bytes each.</summary>
    public bool Eip7823 { get; init; }

    /// <summary>At most 2^24 gas a transaction.</summary>
    public bool Eip7825 { get; init; }

    /// <summary>Dearer modexp.</summary>
    public bool Eip7883 { get; init; }

    /// <summary>The blob base fee is bounded below by the cost of execution.</summary>
    public bool Eip7918 { get; init; }

    /// <summary>A block's RLP is at most 8 MiB (10 MiB less 2 MiB for the beacon block).</summary>
    public bool Eip7934 { get; init; }

    /// <summary>CLZ.</summary>
    public bool Eip7939 { get; init; }

    /// <summary>P-256 verification at 0x100.</summary>
    public bool Eip7951 { get; init; }

    /// <summary>Bytes that deployed code may have (EIP-170), <see cref="int.MaxValue"/> before the limit.</summary>
    public int MaxCodeSize { get; init; } = int.MaxValue;

    /// <summary>Blocks by which the difficulty bomb is late (EIP-649, 1234, 2384, 3554, 4345, 5133).</summary>
    public ulong BombDelayBlocks { get; init; }

    /// <summary>Wei that a proof-of-work block mints for its miner.</summary>
    public UInt256 BlockReward { get; init; }

    /// <summary>Blob counts and pricing; null before Cancun. A chain's own schedule replaces it.</summary>
    public BlobSchedule? Blobs { get; init; }

    /// <summary>The highest of the consecutive precompile addresses that begin at 1.</summary>
    public ulong LastPrecompile { get; init; } = 4;

    /// <summary>Whether a precompiled contract answers at the address.</summary>
    public bool IsPrecompile(in Address address)
    {
        var bytes = address.Bytes;
        if (System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes) != 0
            || System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) != 0)
        {
            return false;
        }

        var number = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
        return (number >= 1 && number <= LastPrecompile) || (number == 0x100 && Eip7951);
    }

    /// <summary>The rules of a fork.</summary>
    public static ForkRules Of(Fork fork) => Table[(int)fork];

    private static readonly ForkRules[] Table = Build();

    private static ForkRules[] Build()
    {
        var ether = new UInt256(1_000_000_000_000_000_000);
        var frontier = new ForkRules { Fork = Fork.Frontier, BlockReward = ether * 5 };
        var homestead = frontier with { Fork = Fork.Homestead, Eip2 = true, Eip7 = true };
        var tangerine = homestead with { Fork = Fork.TangerineWhistle, Eip150 = true };
        var spurious = tangerine with
        {
            Fork = Fork.SpuriousDragon, Eip155 = true, Eip161 = true, MaxCodeSize = 24_576,
        };
        var byzantium = spurious with
        {
            Fork = Fork.Byzantium, Eip100 = true, BombDelayBlocks = 3_000_000, Eip140 = true, Eip196 = true,
            Eip211 = true, Eip214 = true, Eip658 = true, BlockReward = ether * 3, LastPrecompile = 8,
        };
        var constantinople = byzantium with
        {
            Fork = Fork.Constantinople, Eip145 = true, Eip1014 = true, Eip1052 = true, Eip1283 = true,
            BlockReward = ether * 2, BombDelayBlocks = 5_000_000,
        };
        var petersburg = constantinople with { Fork = Fork.Petersburg, Eip1283 = false };
        var istanbul = petersburg with
        {
            Fork = Fork.Istanbul, Eip152 = true, Eip1108 = true, Eip1344 = true, Eip1884 = true, Eip2028 = true,
            Eip2200 = true, LastPrecompile = 9,
        };
        var muirGlacier = istanbul with { Fork = Fork.MuirGlacier, BombDelayBlocks = 9_000_000 };
        var berlin = muirGlacier with { Fork = Fork.Berlin, Eip2565 = true, Eip2929 = true };
        var london = berlin with
        {
            Fork = Fork.London, Eip1559 = true, Eip3529 = true, Eip3541 = true, BombDelayBlocks = 9_700_000,
        };
        var arrowGlacier = london with { Fork = Fork.ArrowGlacier, BombDelayBlocks = 10_700_000 };
        var grayGlacier = arrowGlacier with { Fork = Fork.GrayGlacier, BombDelayBlocks = 11_400_000 };
        var paris = grayGlacier with { Fork = Fork.Paris, Eip3675 = true, BlockReward = UInt256.Zero };
        var shanghai = paris with
        {
            Fork = Fork.Shanghai, Eip3651 = true, Eip3855 = true, Eip3860 = true, Eip4895 = true,
        };
        var cancun = shanghai with
        {
            Fork = Fork.Cancun, Eip1153 = true, Eip4788 = true, Eip4844 = true, Eip5656 = true, Eip6780 = true,
            LastPrecompile = 10, Blobs = new BlobSchedule(3, 6, 3_338_477),
        };
        var prague = cancun with
        {
            Fork = Fork.Prague, Eip2537 = true, Eip2935 = true, Eip7685 = true, Eip7623 = true, Eip7702 = true,
            LastPrecompile = 17, Blobs = new BlobSchedule(6, 9, 5_007_716),
        };
        var osaka = prague with
        {
            Fork = Fork.Osaka, Eip7594 = true, Eip7823 = true, Eip7825 = true, Eip7883 = true, Eip7918 = true,
            Eip7934 = true, Eip7939 = true, Eip7951 = true,
        };
        var bpo1 = osaka with { Fork = Fork.Bpo1, Blobs = new BlobSchedule(10, 15, 8_346_193) };
        var bpo2 = bpo1 with { Fork = Fork.Bpo2, Blobs = new BlobSchedule(14, 21, 11_684_671) };
        return
        [
            frontier, homestead, tangerine, spurious, byzantium, constantinople, petersburg, istanbul, muirGlacier,
            berlin, london, arrowGlacier, grayGlacier, paris, shanghai, cancun, prague, osaka, bpo1, bpo2,
            bpo2 with { Fork = Fork.Bpo3 }, bpo2 with { Fork = Fork.Bpo4 }, bpo2 with { Fork = Fork.Bpo5 },
        ];
    }
}

/// <summary>Blobs a block aims at and may have, and how fast their fee moves (EIP-4844, 7691, 7892).</summary>
/// <param name="Target">Blobs a block at which the fee stays as it is.</param>
/// <param name="Max">Blobs a block may have.</param>
/// <param name="BaseFeeUpdateFraction">The denominator of the exponential, in blob gas.</param>
public sealed record BlobSchedule(ulong Target, ulong Max, ulong BaseFeeUpdateFraction)
{
    /// <summary>Blob gas that one blob uses.</summary>
    public const ulong GasPerBlob = 131_072;
}
