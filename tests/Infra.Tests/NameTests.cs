using System.Text.Json;
using SuperVm.Azure;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Security;
using SuperVm.Ports.Tests;

namespace SuperVm.Infra.Tests;

/// <summary>The templates make what the program asks for by name, and nothing that it does not.</summary>
[NeedsCommand("npm", Templates.Reason)]
[Collection(TemplatesCollection.Name)]
public sealed class NameTests(Templates templates)
{
    private const string Prefix = "SUPERVM_";

    [PortFact]
    public void Queues_are_those_of_the_code_each_with_its_poison_queue()
    {
        Equal(CloudNames.Queues.All, templates.File("storage.bicep").Names("queueNames"));
        Assert.All(CloudNames.Queues.All, queue => Assert.True(BusLimits.IsQueueName(BusLimits.PoisonQueue(queue))));
        var poison = templates.File("storage.bicep").Resources.Single(resource => resource.Name == "poisonQueues");
        Assert.Equal(
            $"'{BusLimits.PoisonQueue("${queue}")}'", poison.Body.GetProperty("name").GetProperty("$").GetString());
    }

    [PortFact]
    public void Tables_are_those_of_the_code()
        => Equal(CloudNames.Tables.All, templates.File("storage.bicep").Names("tableNames"));

    [PortFact]
    public void Blob_containers_are_those_of_the_code()
        => Equal(CloudNames.BlobContainers.All, templates.File("storage.bicep").Names("blobContainerNames"));

    [PortFact]
    public void Document_containers_are_those_of_the_code_and_each_has_a_throughput()
    {
        Equal(CloudNames.DocumentContainers.All, templates.File("cosmos.bicep").Names("documentContainerNames"));
        var text = File.ReadAllText(templates.Main.Path);
        var at = text.IndexOf("param peakRequestUnits", StringComparison.Ordinal);
        var block = text[at..text.IndexOf('}', at)];
        Assert.All(CloudNames.DocumentContainers.All, container => Assert.Contains($"  {container}: ", block));
    }

    [PortFact]
    public void Filters_are_forgotten_when_the_code_says()
        => Assert.Equal(
            CloudNames.DocumentContainers.FilterSeconds,
            templates.File("cosmos.bicep").Value("filterSeconds").GetInt32());

    [PortFact]
    public void Settings_are_those_of_the_code_and_none_is_for_emulators()
    {
        var inTemplates = templates.Code
            .SelectMany(file => File.ReadLines(file.Path))
            .Select(line => line.Trim())
            .Where(line => line.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(line => line[..line.IndexOf(':')])
            .Distinct();
        Equal(CloudNames.Settings.All, inTemplates);
    }

    [PortFact]
    public void Log_lines_that_alerts_look_for_are_those_of_the_code()
        => Equal(
            CloudNames.Events.All,
            templates.File("alerts.bicep").Variables
                .Where(variable => variable.Value.ValueKind == JsonValueKind.String)
                .Select(variable => variable.Value.GetString()!));

    [PortFact]
    public void Claimed_bodies_are_kept_as_long_as_the_code_says()
    {
        var storage = templates.File("storage.bicep");
        Assert.Equal(ClaimCheck.RetentionDays, storage.Value("claimsRetentionDays").GetInt32());
        Assert.Equal(
            $"{CloudNames.BlobContainers.Bodies}/{ClaimCheck.Folder}/", storage.Value("claimsPrefix").GetString());
        Assert.Equal(
            $"{CloudNames.BlobContainers.Bodies}/{Hosting.Roles.SnapshotStage.Folder}/",
            storage.Value("snapshotPrefix").GetString());
        Assert.True(TimeSpan.FromDays(ClaimCheck.RetentionDays) > 2 * BusLimits.TimeToLive);
    }

    [PortFact]
    public void Audit_logs_are_kept_as_long_as_the_code_says()
    {
        var storage = templates.File("storage.bicep");
        Assert.Equal(AuditTrail.RetentionDays, storage.Value("auditRetentionDays").GetInt32());
        Assert.Equal($"{CloudNames.BlobContainers.Audit}/", storage.Value("auditPrefix").GetString());
    }

    /// <summary>A grant on a name that is nowhere made would fail at deployment only.</summary>
    [PortFact]
    public void Roles_are_granted_on_what_there_is_and_each_queue_has_one_reader()
    {
        var storage = templates.File("storage.bicep");
        var queues = storage.Names("queueNames");
        var roles = templates.Main.Value("roles").EnumerateArray().ToList();
        Assert.Equal(
            templates.File("identities.bicep").Names("roleNames"),
            roles.Select(role => role.GetProperty("role").GetString()!));
        Assert.Empty(Granted("queues", "name").Except(queues.Concat(queues.Select(BusLimits.PoisonQueue))));
        Assert.Empty(Granted("tables", "name").Except(storage.Names("tableNames")));
        Assert.Empty(Granted("containers", "name").Except(storage.Names("blobContainerNames")));
        Assert.Empty(Granted("documents", "container")
            .Except(templates.File("cosmos.bicep").Names("documentContainerNames")));
        Assert.All(queues, queue => Assert.Single(roles, role => role.GetProperty("queues").EnumerateArray().Any(
            grant => grant.GetProperty("name").GetString() == queue
                && grant.GetProperty("role").GetProperty("$").GetString() == "queueContributor")));

        IEnumerable<string> Granted(string kind, string property) => roles
            .SelectMany(role => role.GetProperty(kind).EnumerateArray())
            .Select(grant => grant.GetProperty(property).GetString()!);
    }

    private static void Equal(IEnumerable<string> code, IEnumerable<string> found)
        => Assert.Equal(code.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
}
