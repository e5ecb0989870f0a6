using System.Text;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.Blocks;

/// <summary>
/// Tokens in a ring, a pair between neighbours, a factory and a router; contracts like Uniswap v2's.
/// </summary>
/// <remarks>
/// A swap goes over two pairs. Its reads depend on each other: the router names the factory, the factory's mapping the
/// pair, the pair its tokens, and the tokens' balances tell what was paid.
/// </remarks>
internal sealed class UniswapWorld
{
    private const ulong Reserve = 1_000_000_000_000;

    private static readonly Address Router = Address.FromNumber(0x4000_0001);
    private static readonly Address Factory = Address.FromNumber(0x4000_0002);

    private readonly int _pairs;

    /// <param name="pairs">Pairs, and tokens; at least 3.</param>
    /// <param name="traders">Accounts that swap, each once a block.</param>
    internal UniswapWorld(int pairs, int traders)
    {
        _pairs = pairs;
        var code = Load();
        State.Put(BlockRuns.Coinbase, 1);
        State.Put(Router, 0, code["Router"]);
        State.PutSlot(Router, 0, Factory.ToWord());
        State.Put(Factory, 0, code["Factory"]);
        for (var i = 0; i < pairs; i++)
        {
            State.Put(TokenAt(i), 0, code["Coin"]);
        }

        for (var i = 0; i < pairs; i++)
        {
            PutPair(i, code["Pair"]);
        }

        for (var i = 0; i < traders; i++)
        {
            var (trader, token) = (TraderAt(i), TokenAt(i % pairs));
            State.Put(trader, 1_000_000_000_000_000_000);
            State.PutSlot(token, Erc20World.EntryOf(trader, 0), 1_000_000);
            State.PutSlot(token, Nested(trader, Router, 1), UInt256.MaxValue);
        }
    }

    internal MemoryState State { get; } = new();

    /// <summary>One swap a trader, over the two pairs after his token.</summary>
    internal BlockInput Block(int swaps, int seed)
    {
        var random = new Random(seed);
        var traders = Enumerable.Range(0, swaps).ToArray();
        random.Shuffle(traders);
        var selector = Keccak256.Hash(Encoding.ASCII.GetBytes(
            "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)")).Bytes[..4].ToArray();
        return BlockRuns.Block(State, [.. traders.Select(trader => new Transaction
        {
            Type = TransactionType.DynamicFee, ChainId = 1, GasLimit = 600_000, MaxFeePerGas = 20,
            MaxPriorityFeePerGas = 1, To = Router, Sender = TraderAt(trader),
            Data = (byte[])[.. selector, .. Arguments(trader, 100 + (ulong)random.Next(900))],
        })]);
    }

    private IEnumerable<byte> Arguments(int trader, ulong amount)
    {
        UInt256[] words =
        [
            amount, 1, 160, TraderAt(trader).ToWord(), ulong.MaxValue,
            3, TokenAt(trader).ToWord(), TokenAt(trader + 1).ToWord(), TokenAt(trader + 2).ToWord(),
        ];
        return words.SelectMany(word => word.ToBigEndian());
    }

    private void PutPair(int index, byte[] code)
    {
        var (pair, first, second) = (PairAt(index), TokenAt(index), TokenAt(index + 1));
        State.Put(pair, 0, code);
        State.PutSlot(pair, 0, first.ToWord());
        State.PutSlot(pair, 1, second.ToWord());
        State.PutSlot(pair, 2, Reserve + (new UInt256(Reserve) << 112));
        State.PutSlot(pair, 5, 1);
        State.PutSlot(Factory, Nested(first, second, 0), pair.ToWord());
        State.PutSlot(first, Erc20World.EntryOf(pair, 0), Reserve);
        State.PutSlot(second, Erc20World.EntryOf(pair, 0), Reserve);
    }

    private static UInt256 Nested(in Address outer, in Address inner, in UInt256 slot) =>
        Erc20World.EntryOf(inner, Erc20World.EntryOf(outer, slot));

    private Address TokenAt(int index) => Address.FromNumber(0x4100_0000 + (ulong)(index % _pairs));

    private static Address PairAt(int index) => Address.FromNumber(0x4200_0000 + (ulong)index);

    private static Address TraderAt(int index) => Address.FromNumber(0x4300_0000 + (ulong)index);

    private static Dictionary<string, byte[]> Load()
    {
        using var stream = typeof(UniswapWorld).Assembly.GetManifestResourceStream("Exchange.hex")
            ?? throw new InvalidOperationException("The resource Exchange.hex is missing.");
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => Hex.Decode(parts[1]));
    }
}
