using System.Text.Json;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Single values at the reader's place; also used for the fields of objects.</summary>
internal ref partial struct RpcParams
{
    /// <summary>Copies the current string without escapes; false where it is no string or has no room.</summary>
    private readonly bool TryText(scoped Span<byte> scratch, out int length)
    {
        length = 0;
        if (_reader.TokenType != JsonTokenType.String || _reader.ValueSpan.Length > scratch.Length)
        {
            return false;
        }

        // Escapes were checked when the request was found (RpcRequestReader), so this does not throw.
        length = _reader.CopyString(scratch);
        return true;
    }

    private bool ReadAddress(out Address address)
    {
        Span<byte> scratch = stackalloc byte[256];
        Span<byte> bytes = stackalloc byte[Core.Primitives.Address.Size];
        address = default;
        if (!TryText(scratch, out var size) || !JsonValues.TryData(scratch[..size], bytes, out var length)
            || length != Core.Primitives.Address.Size)
        {
            return Refuse("an address is 0x and 40 hex digits");
        }

        address = new Address(bytes);
        return true;
    }

    private bool ReadHash(out Hash256 hash)
    {
        Span<byte> scratch = stackalloc byte[512];
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        hash = default;
        if (!TryText(scratch, out var size) || !JsonValues.TryData(scratch[..size], bytes, out var length)
            || length != Hash256.Size)
        {
            return Refuse("a hash is 0x and 64 hex digits");
        }

        hash = new Hash256(bytes);
        return true;
    }

    private bool ReadQuantity(out UInt256 value)
    {
        Span<byte> scratch = stackalloc byte[512];
        if (_reader.TokenType == JsonTokenType.Number && _reader.TryGetUInt64(out var number))
        {
            value = number;
            return true;
        }

        value = default;
        return (TryText(scratch, out var size) && JsonValues.TryQuantity(scratch[..size], out value))
            || Refuse("a quantity is 0x and 1 to 64 hex digits");
    }

    private bool ReadQuantity64(out ulong value)
    {
        value = 0;
        if (!ReadQuantity(out var wide))
        {
            return false;
        }

        value = wide.U0;
        return wide.IsUInt64 || Refuse("the number needs more than 64 bits");
    }

    private bool ReadSlot(out UInt256 slot)
    {
        Span<byte> scratch = stackalloc byte[512];
        slot = default;
        return (TryText(scratch, out var size) && (scratch[..size].SequenceEqual("0x"u8)
                || JsonValues.TryQuantity(scratch[..size], out slot)))
            || Refuse("a storage slot is 0x and at most 64 hex digits");
    }

    private bool ReadData(out byte[] data)
    {
        data = [];
        if (_reader.TokenType != JsonTokenType.String)
        {
            return Refuse("data is 0x and two hex digits a byte");
        }

        var text = _reader.ValueIsEscaped
            ? System.Text.Encoding.UTF8.GetBytes(_reader.GetString()!)
            : _reader.ValueSpan;
        var bytes = text.Length > 2 ? GC.AllocateUninitializedArray<byte>((text.Length - 2) / 2) : [];
        if (!JsonValues.TryData(text, bytes, out _))
        {
            return Refuse("data is 0x and two hex digits a byte");
        }

        data = bytes;
        return true;
    }

    /// <summary>Data in a rented array, for bytes that are decoded at once; return it to the shared pool.</summary>
    internal bool RawData(out byte[] rented, out int length)
    {
        (rented, length) = ([], 0);
        if (!Required())
        {
            return false;
        }

        if (_reader.TokenType != JsonTokenType.String || _reader.ValueIsEscaped)
        {
            var isData = ReadData(out var data);
            rented = System.Buffers.ArrayPool<byte>.Shared.Rent(Math.Max(data.Length, 1));
            data.CopyTo(rented, 0);
            length = data.Length;
            return isData;
        }

        var text = _reader.ValueSpan;
        rented = System.Buffers.ArrayPool<byte>.Shared.Rent(Math.Max(text.Length / 2, 1));
        if (JsonValues.TryData(text, rented, out length))
        {
            return true;
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        return Refuse("data is 0x and two hex digits a byte");
    }

    private bool ReadFlag(out bool value)
    {
        value = _reader.TokenType == JsonTokenType.True;
        return _reader.TokenType is JsonTokenType.True or JsonTokenType.False || Refuse("expected true or false");
    }

    private bool ReadBlock(out BlockReference block)
    {
        Span<byte> scratch = stackalloc byte[512];
        block = default;
        if (_reader.TokenType == JsonTokenType.StartObject)
        {
            return ReadBlockObject(out block);
        }

        if (_reader.TokenType == JsonTokenType.Number && _reader.TryGetUInt64(out var number))
        {
            block = new BlockReference(BlockReferenceKind.Number, number);
            return true;
        }

        return (TryText(scratch, out var size) && BlockReference.TryParse(scratch[..size], out block))
            || Refuse("a block is a number, a hash or one of latest, pending, safe, finalized, earliest");
    }

    /// <summary>{blockNumber} or {blockHash, requireCanonical} (EIP-1898).</summary>
    private bool ReadBlockObject(out BlockReference block)
    {
        block = default;
        Hash256? hash = null;
        BlockReference? number = null;
        var canonical = false;
        while (NextField())
        {
            if (_reader.ValueTextEquals("blockHash"u8))
            {
                if (!FieldValue() || !ReadHash(out var given))
                {
                    return false;
                }

                hash = given;
            }
            else if (_reader.ValueTextEquals("blockNumber"u8))
            {
                if (!FieldValue() || _reader.TokenType == JsonTokenType.StartObject || !ReadBlock(out var given))
                {
                    return Refuse("blockNumber is a number or a tag");
                }

                number = given;
            }
            else if (_reader.ValueTextEquals("requireCanonical"u8))
            {
                if (!FieldValue() || !ReadFlag(out canonical))
                {
                    return false;
                }
            }
            else
            {
                SkipField();
            }
        }

        if (hash is null == number is null)
        {
            return Refuse("a block object has either blockHash or blockNumber");
        }

        block = number ?? new BlockReference(
            BlockReferenceKind.Hash, Hash: hash!.Value, RequireCanonical: canonical);
        return true;
    }

    private bool ReadSlotList(List<UInt256> slots) =>
        ReadList(slots, Limits.MaximumProofSlots, "storage slots", AsSlot);

    /// <summary>An object of arrays of slots by address.</summary>
    internal bool SlotsByAddress(out List<(Address Address, List<UInt256> Slots)> asked)
    {
        asked = [];
        if (!Required() || !IsToken(JsonTokenType.StartObject, "an object of storage slots by address"))
        {
            return false;
        }

        var total = 0;
        while (NextField())
        {
            if (!NameAsAddress(out var address))
            {
                return Refuse("an address is 0x and 40 hex digits");
            }

            var slots = new List<UInt256>();
            if (!FieldValue() || !ReadSlotList(slots))
            {
                return false;
            }

            total += slots.Count;
            if (total > Limits.MaximumProofSlots)
            {
                return Refuse($"at most {Limits.MaximumProofSlots} storage slots");
            }

            asked.Add((address, slots));
        }

        return true;
    }

    private static readonly ValueReader<bool> AsFlag = static (ref self, out value) => self.ReadFlag(out value);
    private static readonly ValueReader<ulong> AsQuantity64 =
        static (ref self, out value) => self.ReadQuantity64(out value);
    private static readonly ValueReader<UInt256> AsQuantity =
        static (ref self, out value) => self.ReadQuantity(out value);
    private static readonly ValueReader<UInt256> AsSlot = static (ref self, out value) => self.ReadSlot(out value);
    private static readonly ValueReader<Address> AsAddress =
        static (ref self, out value) => self.ReadAddress(out value);
    private static readonly ValueReader<Hash256> AsHash = static (ref self, out value) => self.ReadHash(out value);
    private static readonly ValueReader<byte[]> AsData = static (ref self, out value) => self.ReadData(out value);
    private static readonly ValueReader<BlockReference> AsBlock =
        static (ref self, out value) => self.ReadBlock(out value);

    /// <summary>Reads the value at the reader's place; false where it is of another kind, which is noted.</summary>
    private delegate bool ValueReader<T>(ref RpcParams self, out T value);

    /// <summary>Whether the field whose name was read is called so.</summary>
    private readonly bool Is(ReadOnlySpan<byte> name) => _reader.ValueTextEquals(name);

    /// <summary>Reads a field's value and hands it on; null counts as left out.</summary>
    private bool Field<TTarget, T>(TTarget target, ValueReader<T> read, Action<TTarget, T> set)
    {
        if (NullField())
        {
            return true;
        }

        if (!read(ref this, out var value))
        {
            return false;
        }

        set(target, value);
        return true;
    }

    /// <summary>Reads an array, an item after another.</summary>
    /// <param name="items">Takes them.</param>
    /// <param name="most">How many there may be.</param>
    /// <param name="what">What they are, in the plural.</param>
    /// <param name="read">Reads one.</param>
    private bool ReadList<T>(List<T> items, int most, string what, ValueReader<T> read)
    {
        if (!IsToken(JsonTokenType.StartArray, $"an array of {what}"))
        {
            return false;
        }

        while (Inside())
        {
            if (items.Count >= most)
            {
                return Refuse($"at most {most} {what}");
            }

            if (!read(ref this, out var item))
            {
                return false;
            }

            items.Add(item);
        }

        return true;
    }

    /// <summary>Steps to the next field's name in the object that was entered; false at its end.</summary>
    private bool NextField() => _reader.Read() && _reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Steps from a field's name to its value; always true, so that it can stand in a condition.</summary>
    private bool FieldValue() => _reader.Read();

    private void SkipField()
    {
        _reader.Read();
        _reader.Skip();
    }
}
