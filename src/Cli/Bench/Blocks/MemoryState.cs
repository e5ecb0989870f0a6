using SuperVm.Core.Execution;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Cli.Bench.Blocks;

/// <summary>
/// A state in dictionaries, for benchmarks that measure execution alone. Read by many threads, filled by one.
/// </summary>
internal sealed class MemoryState : IStateReader, IBlockHashSource
{
    private readonly Dictionary<Address, Account> _accounts = [];
    private readonly Dictionary<SlotKey, UInt256> _slots = [];
    private readonly Dictionary<Hash256, Code> _codes = [];

    internal void Put(in Address address, in UInt256 balance, byte[]? code = null)
    {
        var made = code is null ? Code.Empty : new Code(code);
        _codes[made.Hash] = made;
        _accounts[address] = new Account(code is null ? 0UL : 1UL, balance, made.Hash, false);
    }

    internal void PutSlot(in Address address, in UInt256 slot, in UInt256 value)
    {
        _slots[new SlotKey(address, slot)] = value;
        _accounts[address] = _accounts[address] with { HasStorage = true };
    }

    public ReadStatus ReadAccount(in Address address, out Account account) =>
        _accounts.TryGetValue(address, out account) ? ReadStatus.Found : ReadStatus.Absent;

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value) =>
        _slots.TryGetValue(new SlotKey(address, slot), out value) ? ReadStatus.Found : ReadStatus.Absent;

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        _codes.TryGetValue(codeHash, out code) ? ReadStatus.Found : ReadStatus.Absent;

    public Hash256 HashOf(ulong number) => Hash256.Zero;
}
