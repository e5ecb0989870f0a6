using SuperVm.Azure.Functions;
using SuperVm.Hosting.Roles;

var roles = CloudRoles.FromEnvironment();
var prove = new ProveService(roles.Ports);

await new HandlerApp { Metrics = roles.Metrics }
    .Add("Jobs", (invocation, stop) => prove.ProveAsync(invocation.Body, stop))
    .RunAsync();
