using SuperVm.Azure.Functions;
using SuperVm.Hosting.Roles;

var server = HandlerServer.Start();
var roles = CloudRoles.FromEnvironment();
var order = new Opening<IOrderService>(roles.OpenOrderAsync).Begin();

await new HandlerApp
{
    Caches = roles.Ports.Caches,
    AfterRequest = roles.TellCosts,
    Metrics = roles.Metrics,
    Http = async context => await (await order.GetAsync()).ServeAsync(context),
}
    .Add("Inbox", async (invocation, stop) => await (await order.GetAsync())
        .TakeAsync(invocation.MessageId, invocation.DequeueCount > 1, invocation.Body, stop))
    .Add("Watchdog", async (_, stop) =>
    {
        await (await order.GetAsync()).WatchAsync(stop);
        return RoleEnd.Done;
    })
    .RunAsync(server);
