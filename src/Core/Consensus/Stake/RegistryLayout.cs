using System.Reflection;
using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Stake;

/// <summary>
/// Where the fields of <c>contracts/ValidatorRegistry.sol</c> lie in its storage, as the compiler's artefact says, and
/// the contract's code.
/// </summary>
/// <remarks>
/// Solidity's layout: an array's items begin at keccak(slot), a mapping's value lies at keccak(key ‖ slot), a string
/// below 32 bytes shares its slot with its length.
/// </remarks>
internal static class RegistryLayout
{
    private const string Artefact = "ValidatorRegistry.json";

    /// <summary>The slots of the two arrays of parameters, of the keys and of the validators.</summary>
    internal const ulong FirstParameters = 0;

    /// <inheritdoc cref="FirstParameters"/>
    internal const ulong SecondParameters = 1;

    /// <inheritdoc cref="FirstParameters"/>
    internal const ulong Keys = 2;

    /// <inheritdoc cref="FirstParameters"/>
    internal const ulong Validators = 3;

    /// <summary>Slots of a validator behind its first: stake and times, endpoint.</summary>
    internal const ulong StakeMember = 1;

    /// <inheritdoc cref="StakeMember"/>
    internal const ulong EndpointMember = 2;

    private static readonly Lazy<byte[]> LazyCode = new(ReadCode);

    /// <summary>The runtime code.</summary>
    internal static byte[] Code => LazyCode.Value;

    internal static UInt256 KeySlot(ulong index) => Hash(new UInt256(Keys)) + new UInt256(index);

    internal static UInt256 ValidatorSlot(in Address key, ulong member)
    {
        Span<byte> input = stackalloc byte[64];
        input.Clear();
        key.CopyTo(input[12..]);
        new UInt256(Validators).WriteBigEndian(input[32..]);
        return UInt256.FromBigEndian(Keccak256.Hash(input).Bytes) + new UInt256(member);
    }

    /// <summary>Where a long string's bytes begin.</summary>
    internal static UInt256 TextSlot(in UInt256 slot, ulong index) => Hash(slot) + new UInt256(index);

    /// <summary>A field of a packed word: offset and size in bytes, counted from the low end.</summary>
    internal static UInt256 Field(in UInt256 word, int offset, int size) =>
        (word >> (offset * 8)) & ((UInt256.One << (size * 8)) - UInt256.One);

    internal static UInt256 Put(in UInt256 value, int offset) => value << (offset * 8);

    private static UInt256 Hash(in UInt256 slot)
    {
        Span<byte> input = stackalloc byte[32];
        slot.WriteBigEndian(input);
        return UInt256.FromBigEndian(Keccak256.Hash(input).Bytes);
    }

    /// <summary>The artefact, for the test that compares these offsets with the compiler's.</summary>
    internal static JsonDocument ReadArtefact()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Artefact)
            ?? throw new InvalidOperationException($"The program lacks its resource {Artefact}.");
        return JsonDocument.Parse(stream);
    }

    private static byte[] ReadCode()
    {
        using var artefact = ReadArtefact();
        return Convert.FromHexString(string.Concat(
            artefact.RootElement.GetProperty("code").EnumerateArray().Select(line => line.GetString())));
    }
}
