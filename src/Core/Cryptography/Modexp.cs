using System.Buffers;
using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography;

/// <summary>Modular exponentiation of numbers of any length, as EIP-198's precompile needs it.</summary>
/// <remarks>
/// <code>
///   e of one byte  plain products, each with a division
///   m odd          Montgomery form, sliding window
///   m = 2^k        products cut off at k bits; the exponent counts modulo 2^k only
///   m = q * 2^k    both, joined by x = x1 + q ((x2 - x1) / q mod 2^k)
/// </code>
/// Sources: Menezes, van Oorschot, Vanstone, "Handbook of Applied Cryptography", 14.36 and 14.85; Koc, "Montgomery
/// reduction with even modulus" (1994). The time depends on the values: not for secrets.
/// </remarks>
public static class Modexp
{
    /// <summary>Bytes that base, exponent and modulus may have; no block's gas pays for more.</summary>
    public const int MaxLength = 1 << 24;

    /// <summary>Limbs of working memory that lie on the stack; more is rented.</summary>
    private const int StackLimbs = 1024;

    /// <summary>Vectors of the modulus' length that a computation needs beside the table of powers.</summary>
    private const int WorkVectors = 24;

    /// <summary>Limbs that vectors need beyond their length, all together.</summary>
    private const int WorkSlack = 64;

    /// <summary>b^e mod m; zero for the modulus 0, and 0^0 = 1 (EIP-198).</summary>
    /// <param name="b">The base, big-endian, any length; empty is 0.</param>
    /// <param name="e">The exponent, big-endian, any length; empty is 0.</param>
    /// <param name="m">The modulus, big-endian, any length.</param>
    /// <param name="output">As many bytes as the modulus has; all are written.</param>
    /// <returns>
    /// False, with nothing written, where the output has another length than the modulus or a number more than
    /// <see cref="MaxLength"/> bytes after its leading zeros.
    /// </returns>
    [SkipLocalsInit]
    public static bool Compute(ReadOnlySpan<byte> b, ReadOnlySpan<byte> e, ReadOnlySpan<byte> m, Span<byte> output)
    {
        if (output.Length != m.Length)
        {
            return false;
        }

        b = b.TrimStart((byte)0);
        e = e.TrimStart((byte)0);
        m = m.TrimStart((byte)0);
        if (Math.Max(b.Length, Math.Max(e.Length, m.Length)) > MaxLength)
        {
            return false;
        }

        output.Clear();
        if (m.IsEmpty || (m.Length == 1 && m[0] == 1))
        {
            return true;
        }

        output = output[^m.Length..];
        if (e.IsEmpty)
        {
            output[^1] = 1;
            return true;
        }

        if (b.IsEmpty)
        {
            return true;
        }

        var limbs = LimbVector.CountFor(m.Length);
        var needed = ((WorkVectors + PowerWindow.TableSize(e)) * limbs) + LimbVector.CountFor(b.Length) + WorkSlack;
        ulong[]? rented = null;
        var memory = needed <= StackLimbs
            ? stackalloc ulong[StackLimbs]
            : rented = ArrayPool<ulong>.Shared.Rent(needed);
        Compute(b, e, m, output, new LimbArena(memory));
        if (rented is not null)
        {
            ArrayPool<ulong>.Shared.Return(rented);
        }

        return true;
    }

    private static void Compute(
        ReadOnlySpan<byte> b, ReadOnlySpan<byte> e, ReadOnlySpan<byte> m, Span<byte> output, LimbArena arena)
    {
        var modulus = arena.Take(LimbVector.CountFor(m.Length));
        LimbVector.Read(m, modulus);
        var zeros = LimbVector.TrailingZeroCount(modulus);
        var result = arena.Take(modulus.Length);
        result.Clear();
        if (e.Length == 1)
        {
            var divisor = new LimbDivisor(modulus, arena.Take(modulus.Length));
            var power = arena.Take(modulus.Length);
            Reduce(b, divisor, power, arena);
            var product = new DividedProduct(divisor, arena.Take((2 * modulus.Length) + 1));
            PowerWindow.Power(product, power, e, result, ref arena);
        }
        else if (zeros == 0)
        {
            PowerOfOdd(b, e, modulus, result, ref arena);
        }
        else
        {
            var odd = arena.Take(modulus.Length);
            LimbVector.ShiftRight(modulus, zeros, odd);
            odd = LimbVector.Trim(odd);
            if (odd.Length == 1 && odd[0] == 1)
            {
                PowerModulo2(b, e, zeros, result, ref arena);
            }
            else
            {
                PowerOfProduct(b, e, odd, zeros, result, ref arena);
            }
        }

        LimbVector.Write(result, output);
    }

    /// <summary>For an odd modulus above 1, without leading zero limbs.</summary>
    private static void PowerOfOdd(
        ReadOnlySpan<byte> b, ReadOnlySpan<byte> e, ReadOnlySpan<ulong> modulus, Span<ulong> result,
        ref LimbArena arena)
    {
        var divisor = new LimbDivisor(modulus, arena.Take(modulus.Length));
        var power = arena.Take(modulus.Length);
        Reduce(b, divisor, power, arena);
        if (modulus.Length == Montgomery256.Limbs)
        {
            MontgomeryForm<Montgomery256>.Power(new Montgomery256(modulus), divisor, power, e, result, ref arena);
        }
        else
        {
            var rows = new MontgomeryRows(modulus, arena.Take(modulus.Length + 1));
            MontgomeryForm<MontgomeryRows>.Power(rows, divisor, power, e, result, ref arena);
        }
    }

    /// <summary>b modulo the divisor.</summary>
    private static void Reduce(ReadOnlySpan<byte> b, LimbDivisor divisor, Span<ulong> remainder, LimbArena arena)
    {
        var value = arena.Take(Math.Max(LimbVector.CountFor(b.Length), divisor.Length) + 1);
        LimbVector.Read(b, value);
        divisor.Remainder(value, remainder);
    }

    /// <summary>b^e mod 2^k.</summary>
    private static void PowerModulo2(
        ReadOnlySpan<byte> b, ReadOnlySpan<byte> e, int k, Span<ulong> result, ref LimbArena arena)
    {
        var limbs = LimbVector.CountForBits(k);
        result = result[..limbs];
        var power = arena.Take(limbs);
        LimbVector.Read(b[^Math.Min(b.Length, 8 * limbs)..], power);
        if ((power[0] & 1) == 0)
        {
            // Every factor brings at least one factor 2.
            if (e.Length > sizeof(int) || LimbVector.TrailingZeroCount(power) * (long)LimbVector.ToUInt32(e) >= k)
            {
                result.Clear();
                return;
            }
        }
        else
        {
            // The order of an odd base divides 2^k.
            e = e[^Math.Min(e.Length, (k + 7) / 8)..].TrimStart((byte)0);
        }

        if (e.IsEmpty)
        {
            result.Clear();
            result[0] = 1;
        }
        else
        {
            PowerWindow.Power(new TruncatedProduct(arena.Take(limbs)), power, e, result, ref arena);
        }

        LimbVector.KeepBits(result, k);
    }

    /// <summary>For the modulus q * 2^k with q odd and above 1: Garner's form of the Chinese remainder
    /// theorem.</summary>
    private static void PowerOfProduct(
        ReadOnlySpan<byte> b, ReadOnlySpan<byte> e, ReadOnlySpan<ulong> q, int k, Span<ulong> result,
        ref LimbArena arena)
    {
        var x1 = arena.Take(q.Length);
        var mark = arena;
        PowerOfOdd(b, e, q, x1, ref arena);
        arena = mark;

        var limbs = LimbVector.CountForBits(k);
        var difference = arena.Take(limbs);
        mark = arena;
        PowerModulo2(b, e, k, difference, ref arena);
        arena = mark;
        LimbVector.Subtract(difference, x1);
        var inverse = arena.Take(limbs);
        var quotient = arena.Take(limbs);
        var product = new TruncatedProduct(arena.Take(limbs));
        product.InvertOdd(q, inverse, arena.Take(limbs));
        product.Multiply(difference, inverse, quotient);
        LimbVector.KeepBits(quotient, k);

        // x1 + q * quotient is below q * 2^k: it fits the modulus' limbs.
        x1.CopyTo(result);
        LimbVector.AddProduct(result, q, quotient);
    }
}

/// <summary>Hands out pieces of one block of working memory; a copy marks a place to return to.</summary>
internal ref struct LimbArena(Span<ulong> memory)
{
    private Span<ulong> _free = memory;

    /// <summary>A piece with arbitrary content.</summary>
    internal Span<ulong> Take(int limbs)
    {
        var piece = _free[..limbs];
        _free = _free[limbs..];
        return piece;
    }
}
