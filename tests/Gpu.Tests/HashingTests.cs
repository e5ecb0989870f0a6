using System.Security.Cryptography;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Gpu.Tests;

[Collection(DeviceCollection.Name)]
public sealed class HashingTests(DeviceFixture device)
{
    [DeviceFact]
    public void Inputs_of_every_length_up_to_three_blocks_hash_as_on_the_processor()
    {
        var buffer = new byte[500];
        new Random(1).NextBytes(buffer);
        var slices = Enumerable.Range(0, 420).Select(length => new KeccakInput(length % 80, length)).ToArray();
        foreach (var hash in Enum.GetValues<BatchHash>())
        {
            var digests = new Hash256[slices.Length];
            Assert.Null(device.Accelerator.HashMany(hash, buffer, slices, digests));
            for (var i = 0; i < slices.Length; i++)
            {
                Assert.Equal(Expected(hash, buffer.AsSpan(slices[i].Offset, slices[i].Length)), digests[i]);
            }
        }
    }

    [DeviceFact]
    public void A_batch_of_more_than_one_chunk_keeps_its_order()
    {
        // Two chunks are under way at a time; three make the first place be used twice.
        const int count = (1 << 19) + 77;
        var buffer = new byte[4096];
        new Random(2).NextBytes(buffer);
        var slices = new KeccakInput[count];
        for (var i = 0; i < count; i++)
        {
            slices[i] = new KeccakInput(i % 4000, i % 61);
        }

        var digests = new Hash256[count];
        Assert.Null(device.Accelerator.HashMany(BatchHash.Keccak256, buffer, slices, digests));
        var expected = new Hash256[count];
        Keccak256.HashMany(buffer, slices, expected);
        Assert.True(expected.AsSpan().SequenceEqual(digests));
    }

    [DeviceFact]
    public void A_Merkle_tree_has_the_nodes_that_hashing_pairs_gives()
    {
        var random = new Random(3);
        foreach (var hash in Enum.GetValues<BatchHash>())
        {
            foreach (var count in new[] { 2, 4, 1024 })
            {
                var leaves = new Hash256[count];
                var bytes = new byte[32];
                for (var i = 0; i < count; i++)
                {
                    random.NextBytes(bytes);
                    leaves[i] = new Hash256(bytes);
                }

                var nodes = new Hash256[count - 1];
                Assert.Null(device.Accelerator.MerkleTree(hash, leaves, nodes));
                var all = leaves.Concat(nodes).ToArray();
                for (var i = 0; i < nodes.Length; i++)
                {
                    byte[] pair = [.. all[2 * i].Bytes, .. all[(2 * i) + 1].Bytes];
                    Assert.Equal(Expected(hash, pair), nodes[i]);
                }
            }
        }
    }

    [DeviceFact]
    public void A_slice_outside_of_the_buffer_is_refused()
    {
        KeccakInput[][] wrong = [[new(0, 11)], [new(-1, 2)], [new(5, -1)], [new(int.MaxValue, int.MaxValue)]];
        foreach (var slices in wrong)
        {
            Assert.Throws<ArgumentException>(
                () => device.Accelerator.HashMany(BatchHash.Sha256, new byte[10], slices, new Hash256[1]));
        }

        Assert.Throws<ArgumentException>(
            () => device.Accelerator.MerkleTree(BatchHash.Sha256, new Hash256[3], new Hash256[2]));
    }

    private static Hash256 Expected(BatchHash hash, ReadOnlySpan<byte> input) =>
        hash == BatchHash.Keccak256 ? Keccak256.Hash(input) : new Hash256(SHA256.HashData(input));
}
