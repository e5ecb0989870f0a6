using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State.Paged;

/// <summary>Which page: whose trie, and the leading bits of the hashed keys that it covers.</summary>
/// <param name="Owner">The trie of accounts, or an account's storage.</param>
/// <param name="Bits">How many leading bits count, at most <see cref="MostBits"/>.</param>
/// <param name="Prefix">Those bits, zeros behind them.</param>
internal readonly record struct PageId(TrieOwner Owner, int Bits, Hash256 Prefix)
{
    /// <summary>A page of so many bits is not split any more.</summary>
    internal const int MostBits = 240;

    /// <summary>Bytes of the packed form at most.</summary>
    internal const int MostPackedBytes = 3 + Address.Size + Hash256.Size;

    /// <summary>The page of the owner that covers the place with so many bits.</summary>
    internal static PageId Of(in TrieOwner owner, int bits, in Hash256 place) => new(owner, bits, Cut(place, bits));

    internal static PageId RootOf(in TrieOwner owner) => new(owner, 0, default);

    internal bool Covers(in Hash256 place) => Cut(place, Bits) == Prefix;

    /// <summary>One of the two pages that it splits into.</summary>
    internal PageId Child(int bit)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        Prefix.CopyTo(bytes);
        bytes[Bits >> 3] |= (byte)(bit << (7 - (Bits & 7)));
        return new PageId(Owner, Bits + 1, new Hash256(bytes));
    }

    /// <summary>The document's name: a.7.5a for accounts, s(address).0 for storage.</summary>
    internal string Name
    {
        get
        {
            var owner = Owner.IsStorage ? "s" + Convert.ToHexStringLower(Owner.Address.Bytes) : "a";
            return Bits == 0
                ? $"{owner}.0"
                : $"{owner}.{Bits}.{Convert.ToHexStringLower(Prefix.Bytes[..((Bits + 7) / 8)])}";
        }
    }

    internal static int BitAt(in Hash256 place, int bit) => (place.Bytes[bit >> 3] >> (7 - (bit & 7))) & 1;

    internal int Write(Span<byte> destination)
    {
        var position = 0;
        destination[position++] = Owner.IsStorage ? (byte)1 : (byte)0;
        if (Owner.IsStorage)
        {
            Owner.Address.CopyTo(destination[position..]);
            position += Address.Size;
        }

        destination[position++] = (byte)Bits;
        var bytes = (Bits + 7) / 8;
        Prefix.Bytes[..bytes].CopyTo(destination[position..]);
        return position + bytes;
    }

    /// <summary>Reads what <see cref="Write"/> wrote, and moves behind it; false where it is damaged.</summary>
    internal static bool TryRead(ref ReadOnlySpan<byte> source, out PageId id)
    {
        id = default;
        if (source.IsEmpty || source[0] > 1)
        {
            return false;
        }

        var isStorage = source[0] == 1;
        var start = isStorage ? 1 + Address.Size : 1;
        if (source.Length <= start || source[start] > MostBits)
        {
            return false;
        }

        var owner = isStorage ? TrieOwner.Storage(new Address(source[1..start])) : TrieOwner.Accounts;
        var bits = source[start];
        var bytes = (bits + 7) / 8;
        if (source.Length < start + 1 + bytes)
        {
            return false;
        }

        Span<byte> prefix = stackalloc byte[Hash256.Size];
        prefix.Clear();
        source.Slice(start + 1, bytes).CopyTo(prefix);
        id = Of(owner, bits, new Hash256(prefix));
        source = source[(start + 1 + bytes)..];
        return true;
    }

    public override int GetHashCode() => HashCode.Combine(Prefix.GetHashCode(), Owner.Address.GetHashCode(), Bits);

    private static Hash256 Cut(in Hash256 place, int bits)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        place.CopyTo(bytes);
        bytes[((bits + 7) / 8)..].Clear();
        if ((bits & 7) != 0)
        {
            bytes[bits >> 3] &= (byte)(0xFF00 >> (bits & 7));
        }

        return new Hash256(bytes);
    }
}
