using System.Text;
using System.Text.Json;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Conformance;

/// <summary>Trie tests: keys and values with their root; and neighbours of keys.</summary>
internal sealed class TrieWorker : IConformanceWorker
{
    public void RunFile(string file, CaseReport cases)
    {
        // The files' names say whether keys are hashed first.
        var secure = Path.GetFileName(file).Contains("secure", StringComparison.OrdinalIgnoreCase);
        using var document = FixtureJson.Parse(file);
        foreach (var test in document.RootElement.Members("the file"))
        {
            if (cases.Wants(test.Name))
            {
                cases.Run(test.Name, () => test.Value.Find("tests") is { } neighbours
                    ? CheckNeighbours(test.Value.Member("in"), neighbours)
                    : CheckRoot(test.Value, secure));
            }
        }
    }

    private static string? CheckRoot(JsonElement test, bool secure)
    {
        var trie = new MerkleTrie(secure);
        var input = test.Member("in");
        if (input.ValueKind == JsonValueKind.Array)
        {
            foreach (var pair in input.EnumerateArray())
            {
                var parts = pair.Items("in").ToArray();
                if (parts.Length != 2)
                {
                    throw new FixtureException("in has an item that is no pair");
                }

                Put(trie, parts[0].Text("key"), parts[1]);
            }
        }
        else
        {
            foreach (var pair in input.Members("in"))
            {
                Put(trie, pair.Name, pair.Value);
            }
        }

        var expected = test.Member("root").Hash("root");
        return trie.Root == expected ? null : $"root {trie.Root}, expected {expected}";
    }

    private static string? CheckNeighbours(JsonElement keys, JsonElement tests)
    {
        var trie = new MerkleTrie();
        foreach (var key in keys.Items("in"))
        {
            var bytes = BytesOf(key.Text("in"));
            trie.Put(bytes, bytes);
        }

        var sorted = trie.Pairs.Select(pair => pair.Key).ToList();
        foreach (var test in tests.Items("tests"))
        {
            var parts = test.Items("tests").Select(part => part.Text("tests")).ToArray();
            if (parts.Length != 3)
            {
                throw new FixtureException("tests has an item that is no triple");
            }

            var key = BytesOf(parts[0]);
            var before = sorted.FindLast(other => other.AsSpan().SequenceCompareTo(key) < 0) ?? [];
            var after = sorted.Find(other => other.AsSpan().SequenceCompareTo(key) > 0) ?? [];
            if (!before.AsSpan().SequenceEqual(BytesOf(parts[1])) || !after.AsSpan().SequenceEqual(BytesOf(parts[2])))
            {
                return $"neighbours of \"{parts[0]}\"";
            }
        }

        return null;
    }

    private static void Put(MerkleTrie trie, string key, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            trie.Delete(BytesOf(key));
        }
        else
        {
            trie.Put(BytesOf(key), BytesOf(value.Text("value")));
        }
    }

    /// <summary>Hex after 0x, else the text itself.</summary>
    private static byte[] BytesOf(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal) && Hex.TryDecode(text, out var bytes)
            ? bytes
            : Encoding.UTF8.GetBytes(text);
}
