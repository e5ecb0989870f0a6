using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.StoreCrash;

/// <summary>The process that the store's crash tests kill, and the one that opens damaged stores for them.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        switch (args)
        {
            case ["write", var directory, var kind, var seed]:
                NumberedBatches.WriteUntilKilled(directory, Enum.Parse<StoreKind>(kind), int.Parse(seed));
                return 0;
            case ["grow", var directory, var kind]:
                GrowingChain.GrowUntilKilled(directory, Enum.Parse<StoreKind>(kind));
                return 0;
            case ["open", var parent]:
                foreach (var directory in Directory.GetDirectories(parent).Order())
                {
                    Console.WriteLine($"{Path.GetFileName(directory)} {OpenAndReadAll(directory)}");
                }

                return 0;
            default:
                Console.Error.WriteLine("write DIRECTORY KIND SEED | grow DIRECTORY KIND | open PARENT");
                return 2;
        }
    }

    /// <summary>"ok", or "refused" with the reason, where the store does as it should; else what it threw.</summary>
    private static string OpenAndReadAll(string directory)
    {
        try
        {
            using var store = StoreFactory.Open(directory);
            foreach (var column in Enum.GetValues<Column>())
            {
                foreach (var (key, value) in store.Scan(column, default))
                {
                    if (!value.AsSpan().SequenceEqual(store.Get(column, key)))
                    {
                        return "broken: a scan and a read differ";
                    }
                }
            }

            store.Put(Column.Meta, "probe"u8, "1"u8, sync: true);
            return "ok";
        }
        catch (StoreException e)
        {
            return $"refused {e.Message.ReplaceLineEndings(" ")}";
        }
        catch (Exception e)
        {
            return $"broken: {e.GetType()} {e.Message.ReplaceLineEndings(" ")}";
        }
    }
}
