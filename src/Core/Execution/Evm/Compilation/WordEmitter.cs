namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>Arithmetic, comparison and bits on words of limbs, with what is known of the limbs folded in.</summary>
internal sealed class WordEmitter(IlWriter writer)
{
    internal Word Add(Limb[] x, Limb[] y)
    {
        var sum = new Limb[4];
        var carry = Limb.Zero;
        for (var i = 0; i < 4; i++)
        {
            var s = writer.Add(x[i], y[i]);
            var next = i == 3 || x[i].IsZero || y[i].IsZero
                ? Limb.Zero
                : writer.Less(s, x[i].IsConstant ? y[i] : x[i]);
            if (!carry.IsZero)
            {
                var wasZero = s.IsZero;
                s = writer.Add(s, carry);
                if (i < 3 && !wasZero)
                {
                    next = writer.Or(next, writer.Less(s, carry));
                }
            }

            sum[i] = s;
            carry = next;
        }

        return new Word(sum);
    }

    internal Word Subtract(Limb[] x, Limb[] y)
    {
        var difference = new Limb[4];
        var borrow = Limb.Zero;
        for (var i = 0; i < 4; i++)
        {
            var d = writer.Subtract(x[i], y[i]);
            var next = i == 3 ? Limb.Zero : writer.Less(x[i], y[i]);
            if (!borrow.IsZero)
            {
                if (i < 3)
                {
                    next = writer.Or(next, writer.Less(d, borrow));
                }

                d = writer.Subtract(d, borrow);
            }

            difference[i] = d;
            borrow = next;
        }

        return new Word(difference);
    }

    /// <summary>Schoolbook multiplication of words of which one at least is short.</summary>
    internal Word Multiply(Limb[] x, int widthOfX, Limb[] y, int widthOfY)
    {
        var product = new Limb[4];
        for (var j = 0; j < widthOfY; j++)
        {
            var carry = Limb.Zero;
            for (var i = 0; i < widthOfX && i + j < 4; i++)
            {
                var low = writer.Multiply(x[i], y[j]);
                var high = i + j < 3 ? writer.MultiplyHigh(x[i], y[j]) : Limb.Zero;
                (product[i + j], var carried) = AddCounting(product[i + j], low);
                high = writer.Add(high, carried);
                (product[i + j], carried) = AddCounting(product[i + j], carry);
                carry = writer.Add(high, carried);
            }

            if (widthOfX + j < 4)
            {
                product[widthOfX + j] = carry;
            }
        }

        return new Word(product);
    }

    internal Word Less(Limb[] x, Limb[] y, bool signed)
    {
        var less = writer.Less(x[0], y[0]);
        for (var i = 1; i < 4; i++)
        {
            if (x[i].IsZero && y[i].IsZero)
            {
                continue;
            }

            var lessHere = signed && i == 3 ? writer.SignedLess(x[i], y[i]) : writer.Less(x[i], y[i]);
            less = writer.Or(lessHere, writer.And(writer.AreEqual(x[i], y[i]), less));
        }

        return new Word(less);
    }

    internal Word AreEqual(Limb[] x, Limb[] y)
    {
        var difference = Limb.Zero;
        for (var i = 0; i < 4; i++)
        {
            difference = writer.Or(difference, writer.Xor(x[i], y[i]));
        }

        return new Word(writer.AreEqual(difference, Limb.Zero));
    }

    internal Word IsZero(Limb[] x) => new(writer.AreEqual(AnyBit(x), Limb.Zero));

    /// <summary>A limb that is zero exactly where the word is.</summary>
    internal Limb AnyBit(Limb[] x)
    {
        var any = Limb.Zero;
        foreach (var limb in x)
        {
            if (limb is { IsConstant: true, Value: not 0 })
            {
                return Limb.Of(1);
            }

            any = writer.Or(any, limb);
        }

        return any;
    }

    internal Word And(Limb[] x, Limb[] y) => Each(x, y, writer.And);

    internal Word Or(Limb[] x, Limb[] y) => Each(x, y, writer.Or);

    internal Word Xor(Limb[] x, Limb[] y) => Each(x, y, writer.Xor);

    internal Word Not(Limb[] x) => new(Array.ConvertAll(x, writer.Not));

    internal Word ShiftLeft(Limb[] x, int count)
    {
        var (limbs, bits) = (count >> 6, count & 63);
        var result = new Limb[4];
        for (var i = limbs; i < 4; i++)
        {
            result[i] = writer.ShiftLeft(x[i - limbs], bits);
            if (bits != 0 && i > limbs)
            {
                result[i] = writer.Or(result[i], writer.ShiftRight(x[i - limbs - 1], 64 - bits));
            }
        }

        return new Word(result);
    }

    internal Word ShiftRight(Limb[] x, int count)
    {
        var (limbs, bits) = (count >> 6, count & 63);
        var result = new Limb[4];
        for (var i = 0; i + limbs < 4; i++)
        {
            result[i] = writer.ShiftRight(x[i + limbs], bits);
            if (bits != 0 && i + limbs < 3)
            {
                result[i] = writer.Or(result[i], writer.ShiftLeft(x[i + limbs + 1], 64 - bits));
            }
        }

        return new Word(result);
    }

    /// <summary>The byte at an index below 32 counted from the most significant.</summary>
    internal Word ByteAt(Limb[] x, int index)
    {
        var fromLowest = 31 - index;
        return new Word(writer.And(writer.ShiftRight(x[fromLowest >> 3], (fromLowest & 7) * 8), Limb.Of(0xFF)));
    }

    private (Limb Sum, Limb Carry) AddCounting(Limb a, Limb b)
    {
        if (a.IsZero || b.IsZero)
        {
            return (writer.Add(a, b), Limb.Zero);
        }

        var sum = writer.Add(a, b);
        return (sum, writer.Less(sum, b));
    }

    private static Word Each(Limb[] x, Limb[] y, Func<Limb, Limb, Limb> operation)
    {
        var result = new Limb[4];
        for (var i = 0; i < 4; i++)
        {
            result[i] = operation(x[i], y[i]);
        }

        return new Word(result);
    }
}
