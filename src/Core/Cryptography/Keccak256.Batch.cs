using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>Where one input of a batch lies in its buffer, in bytes.</summary>
public readonly record struct KeccakInput(int Offset, int Length);

public static partial class Keccak256
{
    /// <summary>Inputs that are ordered by length together before they are dealt out to lanes.</summary>
    private const int BatchWindow = 128;

    /// <summary>Blocks above which an input is hashed alone: its lane would leave the others idle.</summary>
    private const int MaxBatchedBlocks = 64;

    private const int MaxLanes = 8;
    private const int DigestLanes = 4;

    /// <summary>Hashes inputs of one length that lie one after another; digest i is that of input i.</summary>
    /// <param name="inputs">digests.Length × <paramref name="inputLength"/> bytes.</param>
    /// <exception cref="ArgumentException">Another number of bytes.</exception>
    public static void HashMany(ReadOnlySpan<byte> inputs, int inputLength, Span<Hash256> digests)
    {
        if (inputLength < 0 || inputs.Length != (long)inputLength * digests.Length)
        {
            throw new ArgumentException("A batch has exactly one input for each digest.");
        }

        Span<KeccakInput> slices = stackalloc KeccakInput[BatchWindow];
        for (var start = 0; start < digests.Length; start += BatchWindow)
        {
            var count = Math.Min(BatchWindow, digests.Length - start);
            for (var i = 0; i < count; i++)
            {
                slices[i] = new KeccakInput((start + i) * inputLength, inputLength);
            }

            HashWindow(inputs, slices[..count], digests.Slice(start, count));
        }
    }

    /// <summary>Hashes slices of a buffer, several side by side where the processor can.</summary>
    /// <remarks>
    /// Slices may have any length and may overlap; those of similar block count share a permutation, so the order
    /// of the inputs does not matter for speed.
    /// </remarks>
    /// <exception cref="ArgumentException">Not one slice for each digest.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A slice outside the buffer.</exception>
    public static void HashMany(
        ReadOnlySpan<byte> buffer, ReadOnlySpan<KeccakInput> inputs, Span<Hash256> digests)
    {
        if (inputs.Length != digests.Length)
        {
            throw new ArgumentException("A batch has exactly one input for each digest.");
        }

        while (!inputs.IsEmpty)
        {
            var count = Math.Min(BatchWindow, inputs.Length);
            HashWindow(buffer, inputs[..count], digests);
            inputs = inputs[count..];
            digests = digests[count..];
        }
    }

    private static void HashWindow(
        ReadOnlySpan<byte> buffer, ReadOnlySpan<KeccakInput> inputs, Span<Hash256> digests)
    {
        if (KeccakLane512.IsSupported)
        {
            HashWindow<KeccakLane512>(buffer, inputs, digests);
        }
        else if (KeccakLane256.IsSupported)
        {
            HashWindow<KeccakLane256>(buffer, inputs, digests);
        }
        else
        {
            HashOneByOne(buffer, inputs, digests);
        }
    }

    private static void HashOneByOne(
        ReadOnlySpan<byte> buffer, ReadOnlySpan<KeccakInput> inputs, Span<Hash256> digests)
    {
        for (var i = 0; i < inputs.Length; i++)
        {
            digests[i] = Hash(buffer.Slice(inputs[i].Offset, inputs[i].Length));
        }
    }

    /// <summary>Hashes at most <see cref="BatchWindow"/> inputs, those of similar length together.</summary>
    internal static void HashWindow<T>(
        ReadOnlySpan<byte> buffer, ReadOnlySpan<KeccakInput> inputs, Span<Hash256> digests)
        where T : struct, IKeccakLane<T>
    {
        // A key holds the block count above the index.
        Span<int> keys = stackalloc int[BatchWindow];
        keys = keys[..inputs.Length];
        var ordered = true;
        for (var i = 0; i < inputs.Length; i++)
        {
            var blocks = Math.Min((inputs[i].Length / Rate) + 1, MaxBatchedBlocks + 1);
            keys[i] = (blocks * BatchWindow) + i;
            ordered &= i == 0 || keys[i] > keys[i - 1];
        }

        if (!ordered)
        {
            keys.Sort();
        }

        while (!keys.IsEmpty)
        {
            var count = Math.Min(T.Count, keys.Length);

            // A few states cost as much side by side as one or two alone; a long input goes alone.
            if (count <= T.Count / 4 || keys[count - 1] / BatchWindow > MaxBatchedBlocks)
            {
                var (offset, length) = inputs[keys[0] % BatchWindow];
                digests[keys[0] % BatchWindow] = Hash(buffer.Slice(offset, length));
                keys = keys[1..];
                continue;
            }

            HashGroup<T>(buffer, inputs, keys[..count], digests);
            keys = keys[count..];
        }
    }

    /// <summary>Hashes up to T.Count inputs side by side; a lane whose input has ended runs on unread.</summary>
    [SkipLocalsInit]
    private static void HashGroup<T>(
        ReadOnlySpan<byte> buffer, ReadOnlySpan<KeccakInput> inputs, ReadOnlySpan<int> keys, Span<Hash256> digests)
        where T : struct, IKeccakLane<T>
    {
        Span<ulong> state = stackalloc ulong[StateLanes * MaxLanes];
        state = state[..(StateLanes * T.Count)];
        state.Clear();
        var words = MemoryMarshal.Cast<Hash256, ulong>(digests);
        var blocks = keys[^1] / BatchWindow;
        for (var block = 0; block < blocks; block++)
        {
            for (var lane = 0; lane < keys.Length; lane++)
            {
                var (offset, length) = inputs[keys[lane] % BatchWindow];
                AbsorbLane(buffer.Slice(offset, length), block, state[lane..], T.Count);
            }

            Permute<T>(ref MemoryMarshal.GetReference(state));
            for (var lane = 0; lane < keys.Length; lane++)
            {
                if (keys[lane] / BatchWindow == block + 1)
                {
                    var digest = words.Slice(DigestLanes * (keys[lane] % BatchWindow), DigestLanes);
                    digest[0] = state[lane];
                    digest[1] = state[lane + T.Count];
                    digest[2] = state[lane + (2 * T.Count)];
                    digest[3] = state[lane + (3 * T.Count)];
                }
            }
        }
    }

    /// <summary>Adds one block of one input, padded if it is the last, to every stride-th word of the state.</summary>
    private static void AbsorbLane(ReadOnlySpan<byte> input, int block, Span<ulong> state, int stride)
    {
        var start = block * Rate;
        if (start > input.Length)
        {
            return;
        }

        input = input[start..];
        if (input.Length >= Rate)
        {
            input = input[..Rate];
        }
        else
        {
            var last = input.Length / 8;
            state[last * stride] ^= LastWord(input[(8 * last)..]);
            state[(RateLanes - 1) * stride] ^= PadEnd;
            input = input[..(8 * last)];
        }

        var words = MemoryMarshal.Cast<byte, ulong>(input);
        for (var i = 0; i < words.Length; i++)
        {
            state[i * stride] ^= words[i];
        }
    }

    /// <summary>The first byte of the padding after the at most seven bytes that fill no lane.</summary>
    private static ulong LastWord(ReadOnlySpan<byte> tail)
    {
        var word = 1UL;
        for (var i = tail.Length - 1; i >= 0; i--)
        {
            word = (word << 8) | tail[i];
        }

        return word;
    }
}
