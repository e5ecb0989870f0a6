using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>Takes a state over from others, part by part, each checked against the root before it is kept.</summary>
/// <remarks>
/// <code>
///   root ─▶ node, hash checked ─▶ its children's hashes ─▶ … ─▶ leaf: key checked by its hash ─▶ account, slot, code
/// </code>
/// Nothing that a giver makes up gets in: every node must have the hash that its parent names. What came lies beside
/// the state that is in use, in <see cref="Column.Consensus"/>, with the list of what is missing, so that a transfer
/// that is
/// interrupted goes on where it was. <see cref="Ready"/> lets the next <see cref="Finish"/> put it in place.
/// </remarks>
public sealed class StateImport
{
    /// <summary>Places asked for at once, and codes.</summary>
    public const int MaximumPlaces = 64;

    private const byte StagedPrefix = (byte)'Z';
    private const byte WantedPrefix = (byte)'X';
    private static readonly byte[] ProgressKey = [(byte)'Y', (byte)'p'];
    private static readonly byte[] ReadyKey = [(byte)'Y', (byte)'r'];

    /// <summary>Bytes that move into place in one write.</summary>
    private const int MovedBytes = 8 << 20;

    private readonly IKeyValueStore _store;
    private readonly StateIntake _intake;
    private readonly HashSet<Hash256> _wanted = [];

    /// <summary>Goes on with the transfer of this state, or begins it; another one's parts are forgotten.</summary>
    public StateImport(IKeyValueStore store, ulong number, in Hash256 root)
    {
        (_store, Number, Root) = (store, number, root);
        if (store.Get(Column.Consensus, ProgressKey) is { } saved && Resumed(saved) is { } intake)
        {
            _intake = intake;
            foreach (var (key, _) in store.Scan(Column.Consensus, new[] { WantedPrefix }))
            {
                _wanted.Add(new Hash256(key.AsSpan(1)));
            }

            return;
        }

        _intake = new StateIntake(root);
        using var write = store.CreateBatch();
        Clear(write, StagedPrefix);
        Clear(write, WantedPrefix);
        SaveProgress(write);
        store.Write(write);
    }

    public ulong Number { get; }

    public Hash256 Root { get; }

    /// <summary>Whether every node and every code is there.</summary>
    public bool IsComplete => _intake.IsComplete && _wanted.Count == 0;

    /// <summary>Nodes taken since this object was made.</summary>
    public long Taken { get; private set; }

    /// <summary>What to ask for: the next places, the first of them next.</summary>
    public IReadOnlyList<StatePlace> Places => _intake.Next(MaximumPlaces);

    /// <summary>Codes to ask for, once no places are missing.</summary>
    public IReadOnlyList<Hash256> Codes => [.. _wanted.Order().Take(MaximumPlaces)];

    /// <summary>
    /// Takes the nodes from <see cref="Places"/> on; the reason where one does not hold, and then nothing of them is
    /// kept.
    /// </summary>
    public string? Take(StateNodes part)
    {
        using var write = _store.CreateBatch();
        var staging = new Staging(_store, write);
        if (_intake.Take(part, staging) is { } error)
        {
            return error;
        }

        foreach (var code in staging.Wanted)
        {
            if (_wanted.Add(code))
            {
                write.Put(Column.Consensus, [WantedPrefix, .. code.Bytes], []);
            }
        }

        SaveProgress(write);
        _store.Write(write);
        Taken += part.Nodes.Count;
        return null;
    }

    /// <summary>Takes codes that are wanted; the reason where one is not.</summary>
    public string? TakeCodes(IReadOnlyList<byte[]> codes)
    {
        using var write = _store.CreateBatch();
        foreach (var code in codes)
        {
            var hash = Keccak256.Hash(code);
            if (!_wanted.Remove(hash))
            {
                return "a code has a hash that is not asked for";
            }

            Stage(write, Column.Code, hash.Bytes, code);
            write.Delete(Column.Consensus, [WantedPrefix, .. hash.Bytes]);
        }

        _store.Write(write);
        return codes.Count > 0 ? null : "no code came";
    }

    /// <summary>
    /// Says that the state is complete and may be put in place; the store is used no more until then.
    /// </summary>
    /// <exception cref="InvalidOperationException">Something is missing.</exception>
    public void Ready(IWriteBatch write)
    {
        if (!IsComplete)
        {
            throw new InvalidOperationException("A state that is not complete cannot be put in place.");
        }

        var record = new RlpWriter(64);
        record.WriteUInt64(Number);
        record.WriteHash256(Root);
        write.Put(Column.Consensus, ReadyKey, record.Written);
    }

    /// <summary>
    /// Puts a state that is <see cref="Ready"/> in the place of the store's. A crash on the way repeats it. To be
    /// called before the store's state is opened; does nothing where none is ready.
    /// </summary>
    public static void Finish(IKeyValueStore store)
    {
        if (store.Get(Column.Consensus, ReadyKey) is not { } ready)
        {
            return;
        }

        var reader = new RlpReader(ready);
        var (number, root) = (reader.ReadUInt64(), reader.ReadHash256());
        if (StateMeta.ReadHead(store) is { } head && head.Number >= number)
        {
            // The chain has come that far by itself.
            using var drop = store.CreateBatch();
            Forget(drop);
            store.Write(drop);
            return;
        }

        using (var write = store.CreateBatch())
        {
            foreach (var column in (ReadOnlySpan<Column>)[Column.Accounts, Column.Slots, Column.Trie, Column.History])
            {
                write.DeleteRange(column, [], Beyond);
            }

            store.Write(write);
        }

        Move(store);
        using var last = store.CreateBatch();
        StateMeta.WriteHead(last, new StateHead(number, root, number, number));
        StateMeta.WriteTrie(last, number, root);
        Forget(last);
        store.Write(last, sync: true);
    }

    private static void Forget(IWriteBatch write)
    {
        write.Delete(Column.Consensus, ReadyKey);
        write.Delete(Column.Consensus, ProgressKey);
        Clear(write, StagedPrefix);
    }

    /// <summary>Above every key of the state's columns.</summary>
    private static byte[] Beyond => [.. Enumerable.Repeat((byte)0xFF, 80)];

    private static void Move(IKeyValueStore store)
    {
        using var write = store.CreateBatch();
        long bytes = 0;
        using var cursor = store.OpenCursor(Column.Consensus, new[] { StagedPrefix });
        while (cursor.MoveNext())
        {
            write.Put((Column)cursor.Key[1], cursor.Key[2..], cursor.Value);
            bytes += cursor.Key.Length + cursor.Value.Length;
            if (bytes >= MovedBytes)
            {
                store.Write(write);
                write.Clear();
                bytes = 0;
            }
        }

        store.Write(write);
    }

    private static void Stage(IWriteBatch write, Column column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        write.Put(Column.Consensus, [StagedPrefix, (byte)column, .. key], value);

    private static void Clear(IWriteBatch write, byte prefix) =>
        write.DeleteRange(Column.Consensus, [prefix], [(byte)(prefix + 1)]);

    private void SaveProgress(IWriteBatch write)
    {
        var writer = new RlpWriter(1024);
        var list = writer.BeginList();
        writer.WriteUInt64(Number);
        writer.WriteHash256(Root);
        _intake.WritePlaces(writer);
        writer.EndList(list);
        write.Put(Column.Consensus, ProgressKey, writer.Written);
    }

    private StateIntake? Resumed(byte[] saved)
    {
        var reader = new RlpReader(saved);
        var list = reader.ReadList();
        return list.ReadUInt64() == Number && list.ReadHash256() == Root ? new StateIntake(ref list) : null;
    }

    /// <summary>Puts what comes beside the state that is in use.</summary>
    private sealed class Staging(IKeyValueStore store, IWriteBatch write) : IStateSink
    {
        internal List<Hash256> Wanted { get; } = [];

        public void Node(in StatePlace place, byte[] node)
        {
            Span<byte> at = stackalloc byte[StateKeys.TrieMaximum];
            var length = StateKeys.WriteTrieNode(place.Trie, place.Path, place.Depth, at);
            Stage(write, Column.Trie, at[..length], node);
        }

        public void Account(in Hash256 hash, ReadOnlySpan<byte> address, in AccountRecord record)
        {
            Span<byte> flat = stackalloc byte[AccountRecord.MaximumBytes];
            Stage(write, Column.Accounts, address, flat[..record.WriteFlat(flat)]);
            if (record.CodeHash != Keccak256.OfEmpty && store.Get(Column.Code, record.CodeHash.Bytes) is null)
            {
                Wanted.Add(record.CodeHash);
            }
        }

        public void Slot(in Address owner, in Hash256 hash, ReadOnlySpan<byte> slot, ReadOnlySpan<byte> value) =>
            Stage(write, Column.Slots, [.. owner.Bytes, .. slot], value);
    }
}
