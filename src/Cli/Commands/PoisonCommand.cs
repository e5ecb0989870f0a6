using System.CommandLine;
using System.Globalization;
using SuperVm.Azure;
using SuperVm.Azure.Queues;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;
using SuperVm.Local.Emulators;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm poison …`: messages of a validator's queues that nobody could handle.</summary>
/// <remarks>
/// Who runs it needs rights on the queues of their own (`az login`, Storage Queue Data Contributor): no app may put
/// messages into another's queue, and the service's log names the operator.
/// </remarks>
internal sealed class PoisonCommand : ICommandModule
{
    private readonly Argument<string> _queues = new("queues")
    {
        Description = "The queue service: https://ACCOUNT.queue.core.windows.net, or what `supervm cloud` names",
    };

    private readonly Option<string?> _queue = new("--queue")
    {
        Description = $"One queue ({string.Join(", ", CloudNames.Queues.All)}); all where it is left out",
    };

    public Command Create()
    {
        var list = new Command("list", "Show them: since when, how large, what they ask for") { _queues, _queue };
        list.SetAction((parsed, cancellation) => RunAsync(parsed, ListAsync, cancellation));
        var redrive = new Command("redrive", "Put them back into their queues") { _queues, _queue };
        redrive.SetAction((parsed, cancellation) => RunAsync(parsed, RedriveAsync, cancellation));
        return new Command("poison", "Messages of the cloud's queues that nobody could handle") { list, redrive };
    }

    private async Task<int> RunAsync(
        ParseResult parsed, Func<PoisonDesk, string, CancellationToken, Task> action, CancellationToken cancellation)
    {
        try
        {
            var desk = new PoisonDesk(new StorageQueueBus(SettingsOf(parsed.GetRequiredValue(_queues)), new()));
            foreach (var queue in QueuesOf(parsed.GetValue(_queue)))
            {
                await action(desk, queue, cancellation);
            }

            return 0;
        }
        catch (Exception refusal) when (refusal is StoreException or InvalidConfigurationException)
        {
            await Console.Error.WriteLineAsync($"supervm poison: {refusal.Message}");
            return 1;
        }
    }

    private static async Task ListAsync(PoisonDesk desk, string queue, CancellationToken cancellation)
    {
        var messages = await desk.ListAsync(queue, cancellation);
        var more = messages.Count == PoisonDesk.MostListed ? " or more" : string.Empty;
        Console.Out.WriteLine($"{BusLimits.PoisonQueue(queue)}: {messages.Count}{more}");
        foreach (var message in messages)
        {
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {message.Since:yyyy-MM-dd HH:mm:ss} until {message.Until:yyyy-MM-dd}, {message.Bytes} bytes: ")
                + message.What);
        }
    }

    private static async Task RedriveAsync(PoisonDesk desk, string queue, CancellationToken cancellation)
    {
        var moved = await desk.RedriveAsync(queue, cancellation);
        Console.Out.WriteLine($"{queue}: {moved} put back");
    }

    private static IReadOnlyList<string> QueuesOf(string? named) =>
        named is null ? CloudNames.Queues.All
        : CloudNames.Queues.All.Contains(named) ? [named]
        : throw new InvalidConfigurationException($"--queue takes {string.Join(", ", CloudNames.Queues.All)}");

    private static CloudSettings SettingsOf(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var service) || service.Scheme is not ("https" or "http"))
        {
            throw new InvalidConfigurationException($"'{text}' is no address of a queue service");
        }

        if (service.Scheme == "http" && !service.IsLoopback)
        {
            throw new InvalidConfigurationException("a queue service in the cloud is reached by https");
        }

        return new()
        {
            QueueEndpoint = service, BlobEndpoint = service, TableEndpoint = service, DocumentEndpoint = service,
            Database = string.Empty, BlobContainer = string.Empty,
            // An emulator's account is the first part of its path.
            StorageKey = service.IsLoopback
                ? new(service.AbsolutePath.Trim('/').Split('/')[0], AzureEmulators.AccountKey)
                : null,
        };
    }
}
