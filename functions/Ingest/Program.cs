using SuperVm.Azure.Functions;
using SuperVm.Hosting.Roles;

var server = HandlerServer.Start();
var roles = CloudRoles.FromEnvironment();
var ingest = new Opening<IngestService>(roles.OpenIngestAsync).Begin();

await new HandlerApp
{
    IsReady = () => ingest.IsOpen,
    Caches = roles.Ports.Caches,
    AfterRequest = roles.TellCosts,
    Http = async context => await (await ingest.GetAsync()).ServeAsync(context),
}.RunAsync(server);
