using SuperVm.Azure.Functions;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Server;

var roles = CloudRoles.FromEnvironment();
var ingest = new Opening<IngestService>(async () => new IngestService(
    roles.Ports, await roles.OpenChainAsync(), roles.NodeOptions(), new ServerOptions(), roles.Metrics)).Begin();

await new HandlerApp
{
    Http = async context => await (await ingest.GetAsync()).ServeAsync(context),
}.RunAsync();
