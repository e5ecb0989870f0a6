using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>The values of a circuit's variables: snarkjs' .wtns file. They are secret.</summary>
/// <remarks>Section 1: bytes of a value, r, count. Section 2: values below r, little-endian, the first of them
/// one.</remarks>
public sealed class Witness
{
    /// <summary>Reads and checks a file, which must stay as long as this object.</summary>
    /// <exception cref="ProofException">Whatever is wrong with it.</exception>
    public Witness(ByteSource source)
    {
        var file = new SectionedFile(source, "wtns", 2);
        var header = file.Section(1, 8 + Fr.Size, "header").Span;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Fr.Size
            || SnarkPoints.ReadNumber(header[4..]) != Fr.Modulus)
        {
            throw file.Fault("the prime is not that of BN254: a witness of another curve");
        }

        var count = BinaryPrimitives.ReadUInt32LittleEndian(header[(4 + Fr.Size)..]);
        if (count is 0 or > ProvingKey.MostVariables)
        {
            throw file.Fault($"{count} values; 1 to {ProvingKey.MostVariables} are possible");
        }

        Count = (int)count;
        Values = file.Section(2, (long)count * Fr.Size, "values");
        CheckValues(file);
    }

    /// <summary>How many values.</summary>
    public int Count { get; }

    /// <summary>32 bytes a value, little-endian, plain.</summary>
    public ReadOnlyMemory<byte> Values { get; }

    /// <summary>One value.</summary>
    public UInt256 this[int index] => SnarkPoints.ReadNumber(Values.Span[(index * Fr.Size)..]);

    [System.Runtime.CompilerServices.MethodImpl(
        System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)]
    private void CheckValues(SectionedFile file)
    {
        if (this[0] != UInt256.One)
        {
            throw file.Fault("the first value is not one");
        }

        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(Values.Span);
        var modulus = Fr.Modulus;
        for (var i = 0; i < Count; i++)
        {
            if (values[(4 * i) + 3] >= modulus.U3 && this[i] >= modulus)
            {
                throw file.Fault($"value {i} is not below r");
            }
        }
    }
}
