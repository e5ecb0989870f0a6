using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.Tests.State;

public sealed class TrieTests
{
    [Fact]
    public void An_empty_trie_has_the_hash_of_the_empty_strings_encoding() => Assert.Equal(
        "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421", new MerkleTrie().Root.ToString());

    [FixtureFact("small")]
    public void Public_trie_tests_give_the_expected_roots()
    {
        var count = 0;
        foreach (var file in Directory.GetFiles(Path.Combine(Fixtures.Folder("small"), "trie_tests"), "*.json"))
        {
            if (file.EndsWith("nextprev.json", StringComparison.Ordinal))
            {
                continue;
            }

            using var document = JsonDocument.Parse(File.ReadAllText(file));
            var secure = file.Contains("secure", StringComparison.OrdinalIgnoreCase);
            foreach (var test in document.RootElement.EnumerateObject())
            {
                var trie = new MerkleTrie(secure);
                foreach (var (key, value) in Steps(test.Value.GetProperty("in")))
                {
                    trie.Put(Bytes(key), value is null ? [] : Bytes(value));
                }

                Assert.True(
                    test.Value.GetProperty("root").GetString() == trie.Root.ToString(),
                    $"{Path.GetFileName(file)}: {test.Name}");
                count++;
            }
        }

        Assert.True(count > 20, $"only {count} tests were found");
    }

    [Fact]
    public void The_root_of_a_list_equals_the_plain_tries()
    {
        foreach (var count in (int[])[0, 1, 2, 3, 16, 17, 127, 128, 129, 130, 255, 256, 257, 300, 1000])
        {
            var random = new Random(count);
            var items = new byte[count][];
            var trie = new MerkleTrie();
            var writer = new RlpWriter();
            for (var i = 0; i < count; i++)
            {
                items[i] = new byte[random.Next(1, 90)];
                random.NextBytes(items[i]);
                writer.Clear();
                writer.WriteUInt64((ulong)i);
                trie.Put(writer.Written, items[i]);
            }

            Assert.Equal(trie.Root, OrderedTrieRoot.Of(items));
            Assert.Equal(trie.Root, OrderedTrieRoot.Of(items, (item, into) => into.WriteRaw(item)));
        }
    }

    [Fact]
    public void Bulk_updates_equal_single_changes_of_the_plain_trie() => Prop.ForAll(
        ArbMap.Default.ArbFor<int>(), seed => new UpdateScript(seed).Run()).Check(
        Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void A_state_root_equals_that_of_plain_tries()
    {
        var random = new Random(7);
        var accounts = new List<AllocatedAccount>();
        var plain = new MerkleTrie(secure: true);
        for (var i = 0; i < 300; i++)
        {
            var address = Address.FromNumber((ulong)random.NextInt64());
            var slots = new Dictionary<UInt256, UInt256>();
            var storage = new MerkleTrie(secure: true);
            for (var j = random.Next(8) == 0 ? random.Next(40) : 0; j > 0; j--)
            {
                var (slot, value) = ((UInt256)(ulong)random.Next(1000), (UInt256)(ulong)random.Next(3));
                slots[slot] = value;
                storage.Put(slot.ToBigEndian(), Rlp(writer => writer.WriteUInt256(value), value.IsZero));
            }

            var code = random.Next(4) == 0 ? new Code([(byte)i, 1]) : null;
            accounts.Add(new AllocatedAccount(address, (ulong)i, (UInt256)(ulong)random.NextInt64(), code, slots));
            plain.Put(address.Bytes, Rlp(writer =>
            {
                var list = writer.BeginList();
                writer.WriteUInt64((ulong)i);
                writer.WriteUInt256(accounts[^1].Balance);
                writer.WriteHash256(storage.Root);
                writer.WriteHash256(code?.Hash ?? Keccak256.OfEmpty);
                writer.EndList(list);
            }));
        }

        Assert.Equal(plain.Root, StateRoot.Of(accounts));
        Assert.Equal(plain.Root, new MemoryState(accounts).Root);
    }

    private static byte[] Rlp(Action<RlpWriter> write, bool nothing = false)
    {
        var writer = new RlpWriter();
        write(writer);
        return nothing ? [] : writer.ToArray();
    }

    private static IEnumerable<(string Key, string? Value)> Steps(JsonElement input) =>
        input.ValueKind == JsonValueKind.Array
            ? input.EnumerateArray().Select(pair => (pair[0].GetString()!, pair[1].GetString()))
            : input.EnumerateObject().Select(pair => (pair.Name, pair.Value.GetString()));

    private static byte[] Bytes(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? Convert.FromHexString(text.AsSpan(2))
        : System.Text.Encoding.UTF8.GetBytes(text);
}

/// <summary>Rounds of random changes to one trie, by the updater over kept nodes and by the plain trie.</summary>
internal sealed class UpdateScript(int seed) : ITrieNodeSource, ITrieNodeSink
{
    private readonly Random _random = new(seed);
    private readonly Dictionary<(Hash256 Path, int Depth), (Hash256 Hash, byte[] Node)> _nodes = [];
    private readonly MerkleTrie _plain = new();
    private Hash256 _root = TrieUpdater.EmptyRoot;

    internal bool Run()
    {
        var updater = new TrieUpdater(this);
        for (var round = 0; round < 12; round++)
        {
            updater.Clear();
            var changes = Changes();
            var index = updater.Update(TrieOwner.Accounts, _root, changes);
            updater.HashAll();
            _root = updater.RootOf(index);
            var sink = new Sink(this);
            updater.Emit(ref sink);
            Assert.Equal(_plain.Root, _root);
            Assert.Equal(Reachable(), _nodes.Keys.ToHashSet());
        }

        return true;
    }

    public byte[] Load(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash)
    {
        var (stored, node) = _nodes[(Mask(path, depth), depth)];
        Assert.Equal(hash, stored);
        return node;
    }

    public void Remove(in TrieOwner owner, in Hash256 path, int depth) => _nodes.Remove((Mask(path, depth), depth));

    public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node) =>
        _nodes[(Mask(path, depth), depth)] = (hash, node.ToArray());

    /// <summary>
    /// Keys from a space so small that paths meet, part and vanish often; values short enough to embed.
    /// </summary>
    private TrieChange[] Changes()
    {
        var changes = new SortedDictionary<Hash256, byte[]>();
        for (var i = _random.Next(1, 20); i > 0; i--)
        {
            var key = new byte[32];
            key[0] = (byte)(_random.Next(3) << 4);
            key[1] = (byte)_random.Next(3);
            var tail = _random.Next(2) == 0 ? 31 : 15;
            key[tail] = (byte)_random.Next(4);
            key[31] |= (byte)(_random.Next(2) << 4);
            var value = new byte[_random.Next(3) == 0 ? 0 : _random.Next(2) == 0 ? 1 : _random.Next(1, 60)];
            _random.NextBytes(value);
            changes[new Hash256(key)] = value;
        }

        foreach (var (key, value) in changes)
        {
            _plain.Put(key.Bytes, value);
        }

        return [.. changes.Select(pair => new TrieChange(pair.Key, pair.Value, 0, pair.Value.Length))];
    }

    /// <summary>Where the nodes of the trie stand: no others may be kept.</summary>
    private HashSet<(Hash256 Path, int Depth)> Reachable()
    {
        var reachable = new HashSet<(Hash256 Path, int Depth)>();
        if (_root != TrieUpdater.EmptyRoot)
        {
            Visit(default, 0, _root, reachable);
        }

        return reachable;
    }

    private void Visit(in Hash256 path, int depth, in Hash256 hash, HashSet<(Hash256 Path, int Depth)> reachable)
    {
        var node = Load(default, path, depth, hash);
        Assert.Equal(hash, Keccak256.Hash(node));
        reachable.Add((Mask(path, depth), depth));
        VisitNode(node, path, depth, reachable);
    }

    private void VisitNode(byte[] node, in Hash256 path, int depth, HashSet<(Hash256 Path, int Depth)> reachable)
    {
        var items = new int[18];
        var count = TrieNode.Items(node, items);
        if (count == 2)
        {
            var (start, length) = TrieNode.Content(node, items[0], items[1]);
            var hexPrefix = node.AsSpan(start, length);
            if (!Nibbles.IsLeaf(hexPrefix))
            {
                var key = Nibbles.Append(path, depth, hexPrefix, out var end);
                VisitItem(node[items[1]..items[2]], key, end, reachable);
            }

            return;
        }

        for (var nibble = 0; nibble < 16; nibble++)
        {
            VisitItem(node[items[nibble]..items[nibble + 1]], Nibbles.With(path, depth, nibble), depth + 1, reachable);
        }
    }

    private void VisitItem(byte[] item, in Hash256 path, int depth, HashSet<(Hash256 Path, int Depth)> reachable)
    {
        if (TrieNode.IsHash(item))
        {
            Visit(path, depth, new Hash256(item.AsSpan(1)), reachable);
        }
        else if (item[0] != TrieNode.NoReference)
        {
            VisitNode(item, path, depth, reachable);
        }
    }

    private static Hash256 Mask(in Hash256 path, int depth)
    {
        Span<byte> bytes = stackalloc byte[32];
        path.CopyTo(bytes);
        bytes[((depth + 1) / 2)..].Clear();
        if ((depth & 1) == 1)
        {
            bytes[depth / 2] &= 0xF0;
        }

        return new Hash256(bytes);
    }

    private readonly struct Sink(UpdateScript script) : ITrieNodeSink
    {
        public void Remove(in TrieOwner owner, in Hash256 path, int depth) => script.Remove(owner, path, depth);

        public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node) =>
            script.Put(owner, path, depth, hash, node);
    }
}
