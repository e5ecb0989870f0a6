using System.Globalization;
using SuperVm.Core.Storage;
using SuperVm.Local.Storage;
using SuperVm.StoreCrash;

namespace SuperVm.Local.Tests.Storage;

/// <summary>Stores whose process is killed at any moment, and stores whose files are damaged.</summary>
public sealed class CrashTests : IDisposable
{
    private const int Kills = 8;
    private const int MostAcknowledged = 120;
    private const int DamagedStores = 60;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [StoreTheory]
    [InlineData(StoreKind.RocksDb)]
    [InlineData(StoreKind.Sqlite)]
    public void After_kill_9_nothing_acknowledged_is_lost_and_every_batch_is_whole(StoreKind kind)
    {
        var random = new Random(20);
        var root = _folder.At("store");
        long acknowledged = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            using var writer = new CrashProcess("write", root, kind.ToString(), kill.ToString());
            Assert.Equal("open", writer.NextLine());
            for (var wanted = random.Next(MostAcknowledged); wanted > 0; wanted--)
            {
                acknowledged = long.Parse(writer.NextLine(), CultureInfo.InvariantCulture);
            }

            acknowledged = writer.Kill().Select(long.Parse).DefaultIfEmpty(acknowledged).Max();
            using var store = StoreFactory.Open(root, kind);
            Assert.Null(NumberedBatches.Fault(store));
            Assert.InRange(NumberedBatches.Head(store), acknowledged, acknowledged + 1);
            acknowledged = NumberedBatches.Head(store);
        }

        Assert.True(acknowledged > Kills);
    }

    [StoreTheory]
    [InlineData(StoreKind.RocksDb)]
    [InlineData(StoreKind.Sqlite)]
    public void After_kill_9_a_chain_is_at_a_whole_block_and_has_every_block_it_acknowledged(StoreKind kind)
    {
        var random = new Random(21);
        var root = _folder.At("chain");
        var acknowledged = "0";
        for (var kill = 0; kill < Kills; kill++)
        {
            using var grower = new CrashProcess("grow", root, kind.ToString());
            Assert.Equal("open", grower.NextLine());
            for (var wanted = random.Next(MostAcknowledged); wanted > 0; wanted--)
            {
                acknowledged = grower.NextLine();
            }

            acknowledged = grower.Kill().LastOrDefault(acknowledged);
            using var store = StoreFactory.Open(root, kind);
            using var chain = GrowingChain.Open(store);
            Assert.Null(GrowingChain.StateFault(chain));
            var number = ulong.Parse(acknowledged.Split(' ')[0], CultureInfo.InvariantCulture);
            Assert.InRange(chain.Head.Number, number, number + 1);
            Assert.EndsWith(number == 0 ? "0" : chain.GetBlock(number)!.Hash.ToString(), acknowledged);
            acknowledged = $"{chain.Head.Number} {chain.Head.Hash}";
        }

        using var last = StoreFactory.Open(root, kind);
        using var whole = GrowingChain.Open(last);
        Assert.Null(GrowingChain.BlockFault(whole));
        Assert.True(whole.Head.Number > Kills);
    }

    [StoreTheory]
    [InlineData(StoreKind.RocksDb)]
    [InlineData(StoreKind.Sqlite)]
    public void A_second_process_is_refused_while_the_first_lives_and_served_once_it_is_dead(StoreKind kind)
    {
        using var writer = new CrashProcess("write", _folder.At("store"), kind.ToString(), "1");
        Assert.Equal("open", writer.NextLine());
        var refusal = Assert.Throws<StoreException>(() => StoreFactory.Open(_folder.At("store")));
        Assert.Contains(_folder.At("store"), refusal.Message);
        Assert.Contains($"process {writer.Id}", refusal.Message);
        writer.Kill();
        StoreFactory.Open(_folder.At("store")).Dispose();
    }

    [StoreTheory]
    [InlineData(StoreKind.RocksDb, 1)]
    [InlineData(StoreKind.Sqlite, 2)]
    public void Damaged_files_are_refused_or_survived_but_never_break_the_process(StoreKind kind, int seed)
    {
        var random = new Random(seed);
        MakeStore(_folder.At("whole"), kind);
        for (var i = 0; i < DamagedStores; i++)
        {
            var copy = _folder.At($"damaged/{i:D3}");
            CopyFolder(_folder.At("whole"), copy);
            Damage(AnyFile(copy, random), random);
        }

        using var opener = new CrashProcess("open", _folder.At("damaged"));
        var lines = opener.RemainingLines(out var status);
        Assert.Equal(0, status);
        Assert.Equal(DamagedStores, lines.Count);
        Assert.DoesNotContain(lines, line => line.Contains("broken:"));
        Assert.Contains(lines, line => line.EndsWith(" ok"));
        Assert.Contains(lines, line => line.Contains(" refused "));
    }

    /// <summary>A store with something in its files as well as in its log.</summary>
    private static void MakeStore(string directory, StoreKind kind)
    {
        for (var opening = 0; opening < 3; opening++)
        {
            using var store = StoreFactory.Open(directory, kind);
            using var batch = store.CreateBatch();
            for (var i = 0; i < 500; i++)
            {
                batch.Put(Column.Slots, BitConverter.GetBytes(i * (opening + 1)), new byte[i]);
                batch.Put(Column.Blocks, BitConverter.GetBytes(i), BitConverter.GetBytes(opening));
            }

            store.Write(batch);
        }
    }

    private static string AnyFile(string store, Random random)
    {
        var files = Directory.GetFiles(store, "*", SearchOption.AllDirectories)
            .Where(file => !Path.GetFileName(file).StartsWith("LOCK", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        return files[random.Next(files.Count)];
    }

    private static void Damage(string file, Random random)
    {
        var bytes = File.ReadAllBytes(file);
        switch (random.Next(bytes.Length == 0 ? 2 : 8))
        {
            case 0:
                File.Delete(file);
                return;
            case 1:
                var junk = new byte[random.Next(1, 5000)];
                random.NextBytes(junk);
                bytes = [.. bytes, .. junk];
                break;
            case 2:
                bytes = bytes[..random.Next(bytes.Length)];
                break;
            case 3:
                bytes.AsSpan(random.Next(bytes.Length)).Clear();
                break;
            default:
                for (var flips = random.Next(1, 20); flips > 0; flips--)
                {
                    bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
                }

                break;
        }

        File.WriteAllBytes(file, bytes);
    }

    private static void CopyFolder(string source, string destination)
    {
        Directory.CreateDirectory(destination);
        foreach (var file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(destination, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.GetDirectories(source))
        {
            CopyFolder(folder, Path.Combine(destination, Path.GetFileName(folder)));
        }
    }
}
