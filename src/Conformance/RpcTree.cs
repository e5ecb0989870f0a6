using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Conformance;

/// <summary>
/// A chain that request and response pairs are about: a folder with genesis.json, chain.rlp and headfcu.json.
/// </summary>
internal sealed class RpcTree : IDisposable
{
    private const string GenesisName = "genesis.json";
    private const string ChainName = "chain.rlp";
    private const string HeadName = "headfcu.json";

    private readonly MemoryKeyValueStore _store = new();
    private readonly Chain _chain;
    private readonly Node _node;
    private readonly LocalRpc _rpc;

    private RpcTree(string folder, ConformanceOptions options)
    {
        Folder = folder;
        var genesis = GenesisReader.Read(File.ReadAllBytes(Path.Combine(folder, GenesisName)));
        if (!genesis.Succeeded)
        {
            throw new FixtureException($"{GenesisName}: {genesis.Error}");
        }

        _chain = Chain.Open(_store, genesis.Value, new ChainOptions
        {
            Processor = new BlockProcessor(options.CreateEngine(), options.CreateRunner()),
        });
        Import(File.ReadAllBytes(Path.Combine(folder, ChainName)));
        ApplyHead(Path.Combine(folder, HeadName));
        // No block is made: what is sent stays in the pool. A slow machine answers late, and the same.
        var behaviour = new NodeOptions
        {
            IsInstantlyFinal = false, AllowTestingMethods = true, CallTimeout = TimeSpan.Zero,
        };
        _node = new Node(_chain, genesis.Value.Spec, options.CreateEngine, behaviour, TimeProvider.System, _ => { });
        _rpc = new LocalRpc(_node);
    }

    internal string Folder { get; }

    /// <summary>The tree that a file belongs to: the nearest folder above it with a chain.</summary>
    /// <exception cref="FixtureException">No folder above has one, or it cannot be used.</exception>
    internal static RpcTree Of(string file, ConformanceOptions options) => new(FolderOf(file), options);

    /// <exception cref="FixtureException">No folder above the file has a chain.</exception>
    internal static string FolderOf(string file)
    {
        for (var at = Directory.GetParent(Path.GetFullPath(file)); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, GenesisName))
                && File.Exists(Path.Combine(at.FullName, ChainName)))
            {
                return at.FullName;
            }
        }

        throw new FixtureException($"no folder above has {GenesisName} and {ChainName}");
    }

    internal byte[] Answer(ReadOnlySpan<byte> request) => _rpc.Answer(request);

    public void Dispose()
    {
        _node.Dispose();
        _chain.Dispose();
        _store.Dispose();
    }

    private void Import(ReadOnlyMemory<byte> blocks)
    {
        while (!blocks.IsEmpty)
        {
            var length = BlockCodec.LengthOfFirst(blocks.Span, out var problem);
            if (length <= 0)
            {
                throw new FixtureException($"{ChainName}: {problem}");
            }

            var block = BlockCodec.Decode(blocks.Span[..length]);
            if (!block.Succeeded)
            {
                throw new FixtureException($"{ChainName}: {block.Error}");
            }

            var result = _chain.Import(block.Value);
            if (!result.Accepted)
            {
                throw new FixtureException(
                    $"{ChainName}: block {block.Value.Header.Number} is refused: {result.Rule} {result.Detail}");
            }

            blocks = blocks[length..];
        }
    }

    /// <summary>Takes the safe and the final block over, and sees that the head is the one that was meant.</summary>
    private void ApplyHead(string file)
    {
        if (!File.Exists(file))
        {
            return;
        }

        using var json = FixtureJson.Parse(file);
        var state = json.RootElement.Member("params").Items("params").First();
        if (state.Member("headBlockHash").Hash("headBlockHash") is var head && head != _chain.Head.Hash)
        {
            throw new FixtureException($"{HeadName}: the head is {_chain.Head.Hash}, not {head}");
        }

        _chain.SetFinality(
            NumberOf(state.Member("safeBlockHash").Hash("safeBlockHash")),
            NumberOf(state.Member("finalizedBlockHash").Hash("finalizedBlockHash")));
    }

    private ulong NumberOf(in Hash256 hash) => _chain.GetBlock(hash)?.Number ?? 0;
}
