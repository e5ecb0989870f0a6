using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.State;

/// <summary>Checks Merkle proofs by the standard alone: nibble lists and RLP, nothing of the trie's code.</summary>
internal static class ProofVerifier
{
    internal static void AssertProves(in Hash256 stateRoot, AccountProof proof)
    {
        var leaf = Find(stateRoot, Keccak256.Hash(proof.Address.Bytes).ToArray(), proof.Nodes);
        if (leaf is null)
        {
            Assert.True(proof.Account.IsEmpty && !proof.Account.HasStorage);
            Assert.Equal(StateRoot.Empty, proof.StorageRoot);
        }
        else
        {
            var writer = new RlpWriter();
            var list = writer.BeginList();
            writer.WriteUInt64(proof.Account.Nonce);
            writer.WriteUInt256(proof.Account.Balance);
            writer.WriteHash256(proof.StorageRoot);
            writer.WriteHash256(proof.Account.CodeHash);
            writer.EndList(list);
            Assert.Equal(writer.ToArray(), leaf);
        }

        foreach (var slot in proof.Slots)
        {
            var value = Find(proof.StorageRoot, Keccak256.Hash(slot.Slot.ToBigEndian()).ToArray(), slot.Nodes);
            Assert.Equal(slot.Value, value is null ? UInt256.Zero : new RlpReader(value).ReadUInt256());
        }
    }

    /// <summary>The value at the key; null where the nodes prove that there is none. Every node must be used.</summary>
    private static byte[]? Find(Hash256 root, byte[] key, IReadOnlyList<byte[]> nodes)
    {
        if (nodes.Count == 0)
        {
            Assert.Equal(StateRoot.Empty, root);
            return null;
        }

        var path = key.SelectMany(part => new[] { part >> 4, part & 15 }).ToArray();
        var used = 0;
        var position = 0;
        var node = Take(root, nodes, ref used);
        while (true)
        {
            var items = Items(node);
            byte[] next;
            if (items.Count == 17)
            {
                next = items[path[position++]];
            }
            else
            {
                var hexPrefix = new RlpReader(items[0]).ReadBytes().ToArray();
                var part = hexPrefix.SelectMany(pair => new[] { pair >> 4, pair & 15 })
                    .Skip((hexPrefix[0] & 0x10) != 0 ? 1 : 2).ToArray();
                if (!path.AsSpan(position).StartsWith(part))
                {
                    Assert.Equal(nodes.Count, used);
                    return null;
                }

                position += part.Length;
                if ((hexPrefix[0] & 0x20) != 0)
                {
                    Assert.Equal((nodes.Count, path.Length), (used, position));
                    return new RlpReader(items[1]).ReadBytes().ToArray();
                }

                next = items[1];
            }

            if (next is [0x80])
            {
                Assert.Equal(nodes.Count, used);
                return null;
            }

            node = next[0] >= 0xC0 ? next : Take(new Hash256(next.AsSpan(1)), nodes, ref used);
        }
    }

    private static byte[] Take(in Hash256 hash, IReadOnlyList<byte[]> nodes, ref int used)
    {
        Assert.Equal(hash, Keccak256.Hash(nodes[used]));
        return nodes[used++];
    }

    private static List<byte[]> Items(byte[] node)
    {
        var list = new RlpReader(node).ReadList();
        var items = new List<byte[]>();
        while (!list.AtEnd)
        {
            items.Add(list.ReadItem().ToArray());
        }

        return items;
    }
}
