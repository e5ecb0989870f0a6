using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Mempool;

/// <summary>Accounts with nonces and balances, and nothing else.</summary>
internal sealed class AccountTable : IStateReader
{
    private readonly Dictionary<Address, Account> _accounts = [];

    internal AccountTable Set(Address address, ulong nonce, UInt256 balance)
    {
        _accounts[address] = new Account(nonce, balance, Keccak256.OfEmpty, false);
        return this;
    }

    internal AccountTable Copy()
    {
        var copy = new AccountTable();
        foreach (var (address, account) in _accounts)
        {
            copy._accounts[address] = account;
        }

        return copy;
    }

    public ReadStatus ReadAccount(in Address address, out Account account) =>
        _accounts.TryGetValue(address, out account) ? ReadStatus.Found : ReadStatus.Absent;

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        return ReadStatus.Absent;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
    {
        code = null;
        return ReadStatus.Absent;
    }
}

/// <summary>A clock that stands until it is moved.</summary>
internal sealed class StandingClock : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    internal void Move(TimeSpan by) => _ticks += by.Ticks;
}

internal static class PoolSamples
{
    internal static Address Sender(int number) => Address.FromNumber((ulong)(0x1000 + number));

    /// <summary>A transfer; its hash is unique to its fields.</summary>
    internal static Transaction Transfer(
        int sender, ulong nonce, ulong cap, ulong? tip = null, ulong value = 0, ulong gas = 21_000, int data = 0)
    {
        Span<byte> key = stackalloc byte[48];
        key.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(key, sender);
        BinaryPrimitives.WriteUInt64LittleEndian(key[4..], nonce);
        BinaryPrimitives.WriteUInt64LittleEndian(key[12..], cap);
        BinaryPrimitives.WriteUInt64LittleEndian(key[20..], tip ?? cap);
        BinaryPrimitives.WriteUInt64LittleEndian(key[28..], value);
        BinaryPrimitives.WriteUInt64LittleEndian(key[36..], gas);
        return new Transaction
        {
            Type = tip is null ? TransactionType.Legacy : TransactionType.DynamicFee,
            Nonce = nonce,
            MaxFeePerGas = cap,
            MaxPriorityFeePerGas = tip ?? cap,
            GasLimit = gas,
            Value = value,
            To = Address.FromNumber(1),
            Data = new byte[data],
            Sender = Sender(sender),
            Hash = Keccak256.Hash(key),
        };
    }
}
