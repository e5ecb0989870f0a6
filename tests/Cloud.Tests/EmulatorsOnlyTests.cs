using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using SuperVm.Cli.Cloud;
using SuperVm.Local.Emulators;
using SuperVm.Local.Functions;
using SuperVm.Ports.Tests;

namespace SuperVm.Cloud.Tests;

/// <summary>`supervm cloud --emulators-only`, and what Core Tools start over it.</summary>
[Collection(CloudCollection.Name)]
[NeedsCommand("npm", CloudWorld.Reason)]
public sealed class EmulatorsOnlyTests
{
    private static readonly string[] Started =
        [CloudValidator.Execute, CloudValidator.Consensus, CloudValidator.Ingest];

    [PortFact]
    public async Task Apps_with_nothing_but_local_settings_serve_over_the_prepared_emulators()
    {
        var ports = FreePorts();
        await using var stack = await CloudStack.StartAsync(
            new CloudOptions
            {
                Root = CloudWorld.Root(), Logs = Path.Combine(AppContext.BaseDirectory, "cloud"), Apps = [],
                EmulatorPorts = ports,
            },
            CancellationToken.None);
        var settings = LocalSettings(ports);
        var hosts = new List<LocalFunctionsHost>();
        try
        {
            foreach (var app in Started)
            {
                hosts.Add(await LocalFunctionsHost.StartAsync(
                    FunctionApp.Load(Path.Combine(CloudWorld.Root(), "functions", app), settings),
                    stack.Validators[0].Bus, new LocalHostOptions { Settings = settings }, CancellationToken.None));
            }

            using var client = new HttpClient();
            using var answer = await client.PostAsync(hosts[^1].Address, new StringContent(
                """{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x0",false]}""",
                Encoding.UTF8, "application/json"));
            var block = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            Assert.Equal("0x0", block.GetProperty("result").GetProperty("number").GetString());
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.DisposeAsync();
            }
        }
    }

    /// <summary>What `func start` gives an app, with these ports in the place of the usual ones.</summary>
    private static Dictionary<string, string> LocalSettings(EmulatorPorts ports)
    {
        var text = File.ReadAllText(Path.Combine(CloudWorld.Root(), "local.settings.json"));
        foreach (var (usual, port) in new[]
        {
            (EmulatorPorts.Usual.Blob, ports.Blob), (EmulatorPorts.Usual.Queue, ports.Queue),
            (EmulatorPorts.Usual.Table, ports.Table), (EmulatorPorts.Usual.Documents, ports.Documents),
        })
        {
            Assert.Contains($"127.0.0.1:{usual}/", text);
            text = text.Replace($"127.0.0.1:{usual}/", $"127.0.0.1:{port}/");
        }

        return JsonDocument.Parse(text).RootElement.GetProperty("Values").EnumerateObject()
            .ToDictionary(value => value.Name, value => value.Value.GetString()!);
    }

    private static EmulatorPorts FreePorts()
    {
        var listeners = Enumerable.Range(0, 4).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.ConvertAll(listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        listeners.ForEach(listener => listener.Stop());
        return new(ports[0], ports[1], ports[2], ports[3]);
    }
}
