using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>A word while code is made: four limbs, or still at its place on the operand stack.</summary>
internal sealed class Word
{
    internal Word(Limb l0, Limb l1 = default, Limb l2 = default, Limb l3 = default) => Limbs = [l0, l1, l2, l3];

    internal Word(Limb[] limbs) => Limbs = limbs;

    /// <summary>A word that lies at a place on the operand stack and is loaded when it is needed.</summary>
    internal Word(int slot) => Slot = slot;

    internal Limb[]? Limbs { get; set; }

    /// <summary>Where it lies while <see cref="Limbs"/> is null.</summary>
    internal int Slot { get; }

    /// <summary>Limbs from the lowest to the highest that may be other than zero.</summary>
    internal int Width
    {
        get
        {
            var width = 4;
            while (width > 0 && Limbs![width - 1].IsZero)
            {
                width--;
            }

            return width;
        }
    }

    internal static Word Of(in UInt256 value) =>
        new(Limb.Of(value.U0), Limb.Of(value.U1), Limb.Of(value.U2), Limb.Of(value.U3));

    internal bool IsConstant(out UInt256 value)
    {
        value = default;
        if (Limbs is not { } limbs || !Array.TrueForAll(limbs, limb => limb.IsConstant))
        {
            return false;
        }

        value = new UInt256(limbs[0].Value, limbs[1].Value, limbs[2].Value, limbs[3].Value);
        return true;
    }
}

/// <summary>A word that must still be written to its place on the operand stack.</summary>
internal readonly record struct PendingWord(int Slot, Word Word);

/// <summary>The operand stack while code is made: what is on it, and what of that its memory holds already.</summary>
/// <remarks>
/// Places are counted from the height at the trace's beginning: 0 is the first word pushed, -1 the top word that was
/// there. A word without limbs only ever stands at its own place; it is loaded before it is copied elsewhere.
/// </remarks>
internal sealed class OperandModel
{
    private readonly Dictionary<int, Word> _words = [];
    private readonly Dictionary<int, Word> _inMemory = [];

    internal int Height { get; private set; }

    /// <summary>The lowest place that was looked at, and the greatest height.</summary>
    internal int Lowest { get; private set; }

    internal int Highest { get; private set; }

    internal Word At(int slot)
    {
        Lowest = Math.Min(Lowest, slot);
        if (!_words.TryGetValue(slot, out var word))
        {
            word = new Word(slot);
            _words[slot] = word;
            _inMemory[slot] = word;
        }

        return word;
    }

    internal Word Pop()
    {
        var word = At(Height - 1);
        Height--;
        return word;
    }

    internal void Push(Word word)
    {
        _words[Height++] = word;
        Highest = Math.Max(Highest, Height);
    }

    internal void Set(int slot, Word word) => _words[slot] = word;

    /// <summary>Drops words without looking at them.</summary>
    internal void Drop(int count)
    {
        Height -= count;
        Lowest = Math.Min(Lowest, Height);
    }

    /// <summary>Pushes a word that an operation has left in memory.</summary>
    internal void PushFromMemory()
    {
        var word = new Word(Height);
        _inMemory[Height] = word;
        Push(word);
    }

    internal bool IsInMemory(int slot) =>
        !_words.TryGetValue(slot, out var word) || (_inMemory.TryGetValue(slot, out var held) && held == word);

    internal void NoteWritten(int slot) => _inMemory[slot] = _words[slot];

    /// <summary>What must be written for memory to hold the whole stack.</summary>
    internal List<PendingWord> Pending()
    {
        var pending = new List<PendingWord>();
        foreach (var (slot, word) in _words)
        {
            if (slot < Height && !IsInMemory(slot))
            {
                pending.Add(new PendingWord(slot, word));
            }
        }

        return pending;
    }
}
