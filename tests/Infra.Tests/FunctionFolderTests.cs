using System.Text.Json;
using SuperVm.Azure;

namespace SuperVm.Infra.Tests;

/// <summary>
/// The apps' folders are what the Functions host and Core Tools read: <c>func start</c> in each needs no more than what
/// lies there.
/// </summary>
public sealed class FunctionFolderTests
{
    public static TheoryData<string> Apps { get; } = ["Ingest", "Consensus", "Execute", "Prover"];

    [Theory]
    [MemberData(nameof(Apps))]
    public void Host_json_names_the_handler_that_the_build_leaves_and_the_bundle_of_its_triggers(string app)
    {
        using var host = Read(app, "host.json");
        var root = host.RootElement;
        Assert.Equal("2.0", root.GetProperty("version").GetString());
        var handler = root.GetProperty("customHandler");
        Assert.Equal(
            "bin/handler", handler.GetProperty("description").GetProperty("defaultExecutablePath").GetString());
        Assert.True(handler.GetProperty("enableProxyingHttpRequest").GetBoolean());
        Assert.False(handler.TryGetProperty("enableForwardingHttpRequest", out _)); // the older way drops chunks
        var bundle = root.GetProperty("extensionBundle");
        Assert.Equal("Microsoft.Azure.Functions.ExtensionBundle", bundle.GetProperty("id").GetString());
        Assert.Equal("[4.*, 5.0.0)", bundle.GetProperty("version").GetString());
        Assert.True(TimeSpan.Parse(
            root.GetProperty("functionTimeout").GetString()!,
            System.Globalization.CultureInfo.InvariantCulture) <= TimeSpan.FromMinutes(10));
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void Function_json_has_one_trigger_whose_queue_the_code_knows_and_whose_answer_can_be_given(string app)
    {
        var functions = Directory.EnumerateFiles(Folder(app), "function.json", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/bin/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(functions);
        foreach (var file in functions)
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            var bindings = json.RootElement.GetProperty("bindings").EnumerateArray().ToList();
            var trigger = Assert.Single(
                bindings, binding => TypeOf(binding).EndsWith("Trigger", StringComparison.Ordinal));
            Assert.Equal("in", trigger.GetProperty("direction").GetString());
            switch (TypeOf(trigger))
            {
                case "queueTrigger":
                    Assert.Contains(trigger.GetProperty("queueName").GetString()!, CloudNames.Queues.All);
                    Assert.Equal("AzureWebJobsStorage", trigger.GetProperty("connection").GetString());
                    Assert.Equal("binary", trigger.GetProperty("dataType").GetString());
                    Assert.Single(bindings);
                    break;
                case "httpTrigger":
                    // Requests are proxied only where there is one HTTP trigger and one HTTP output.
                    var output = Assert.Single(bindings, binding => TypeOf(binding) == "http");
                    Assert.Equal("out", output.GetProperty("direction").GetString());
                    Assert.Equal(2, bindings.Count);
                    using (var host = Read(app, "host.json"))
                    {
                        Assert.Equal(
                            string.Empty, host.RootElement.GetProperty("extensions").GetProperty("http")
                                .GetProperty("routePrefix").GetString());
                    }

                    break;
                default:
                    Assert.Equal("timerTrigger", TypeOf(trigger));
                    Assert.Equal(6, trigger.GetProperty("schedule").GetString()!.Split(' ').Length);
                    break;
            }
        }
    }

    [Fact]
    public void Every_method_that_a_route_of_ingest_takes_is_let_through_by_the_host()
    {
        using var rpc = Read("Ingest", "Rpc/function.json");
        var methods = rpc.RootElement.GetProperty("bindings")[0].GetProperty("methods").EnumerateArray()
            .Select(method => method.GetString()!);
        Assert.Equal(["delete", "get", "head", "options", "post"], methods.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public void Local_settings_are_the_one_file_and_set_only_what_the_code_reads(string app)
    {
        using var local = Read(app, "local.settings.json");
        var values = local.RootElement.GetProperty("Values");
        Assert.Equal("custom", values.GetProperty("FUNCTIONS_WORKER_RUNTIME").GetString());
        Assert.Equal("true", values.GetProperty("AzureWebJobsDisableHomepage").GetString());
        Assert.Equal("UseDevelopmentStorage=true", values.GetProperty("AzureWebJobsStorage").GetString());
        Assert.All(
            values.EnumerateObject().Select(value => value.Name)
                .Where(name => name.StartsWith("SUPERVM_", StringComparison.Ordinal)),
            name => Assert.Contains(name, CloudNames.Settings.All.Concat(
            [
                CloudNames.Settings.EmulatorAccount, CloudNames.Settings.EmulatorStorageKey,
                CloudNames.Settings.EmulatorDocumentKey,
            ])));
        Assert.Equal(
            File.ReadAllText(Path.Combine(Templates.FindRoot(), "local.settings.json")),
            File.ReadAllText(Path.Combine(Folder(app), "local.settings.json")));
    }

    private static string TypeOf(JsonElement binding) => binding.GetProperty("type").GetString()!;

    private static string Folder(string app) => Path.Combine(Templates.FindRoot(), "functions", app);

    private static JsonDocument Read(string app, string file) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder(app), file)));
}
