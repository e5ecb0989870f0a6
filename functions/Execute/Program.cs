using SuperVm.Azure.Functions;
using SuperVm.Hosting.Roles;

var server = HandlerServer.Start();
var roles = CloudRoles.FromEnvironment();
var execute = new Opening<ExecuteService>(async () =>
    new ExecuteService(roles.Ports, await roles.OpenChainAsync(), roles.Reporter())).Begin();

await new HandlerApp { Caches = roles.Ports.Caches, Metrics = roles.Metrics, AfterRequest = roles.TellCosts }
    .Add("Batches", async (invocation, stop) =>
        await (await execute.GetAsync()).ExecuteAsync(invocation.Body, stop))
    .RunAsync(server);
