using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Evm;

/// <summary>Writes small programs: pushes take the shortest form, labels become PUSH2.</summary>
internal sealed class Assembler
{
    private readonly List<byte> _code = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(int Place, string Label)> _references = [];

    internal Assembler Op(params ReadOnlySpan<Opcode> ops)
    {
        foreach (var op in ops)
        {
            _code.Add((byte)op);
        }

        return this;
    }

    internal Assembler Push(UInt256 value)
    {
        var bytes = value.ToBigEndian().AsSpan();
        var length = Math.Max(1, value.ByteLength);
        _code.Add((byte)(0x5F + length));
        _code.AddRange(bytes[(32 - length)..]);
        return this;
    }

    internal Assembler Push(Address address) => PushBytes(address.Bytes);

    /// <summary>A PUSH of exactly these bytes.</summary>
    internal Assembler PushBytes(ReadOnlySpan<byte> bytes)
    {
        _code.Add((byte)(0x5F + bytes.Length));
        _code.AddRange(bytes);
        return this;
    }

    internal Assembler Raw(params ReadOnlySpan<byte> bytes)
    {
        _code.AddRange(bytes);
        return this;
    }

    internal Assembler Dup(int place) => Raw((byte)(0x7F + place));

    internal Assembler Swap(int place) => Raw((byte)(0x8F + place));

    /// <summary>A JUMPDEST with a name.</summary>
    internal Assembler Label(string name)
    {
        _labels[name] = _code.Count;
        return Op(Opcode.JumpDest);
    }

    internal Assembler PushLabel(string name)
    {
        _code.Add(0x61);
        _references.Add((_code.Count, name));
        return Raw(0, 0);
    }

    internal Assembler Jump(string label) => PushLabel(label).Op(Opcode.Jump);

    internal Assembler JumpIf(string label) => PushLabel(label).Op(Opcode.JumpI);

    /// <summary>Returns the word on top.</summary>
    internal Assembler ReturnTop() => Push(0UL).Op(Opcode.MStore).Push(32UL).Push(0UL).Op(Opcode.Return);

    /// <summary>Puts bytes into memory at an offset, 32 at a time.</summary>
    internal Assembler Memory(int offset, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i += 32)
        {
            var word = new byte[32];
            bytes.Slice(i, Math.Min(32, bytes.Length - i)).CopyTo(word);
            PushBytes(word).Push((ulong)(offset + i)).Op(Opcode.MStore);
        }

        return this;
    }

    internal byte[] ToCode()
    {
        var code = _code.ToArray();
        foreach (var (place, label) in _references)
        {
            code[place] = (byte)(_labels[label] >> 8);
            code[place + 1] = (byte)_labels[label];
        }

        return code;
    }
}
