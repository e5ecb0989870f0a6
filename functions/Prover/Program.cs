using SuperVm.Azure.Functions;
using SuperVm.Core.Proving;
using SuperVm.Gpu;
using SuperVm.Hosting.Proving;

// Under a Functions host this is its handler; without one (the GPU container) it takes jobs off the queue itself.
var server = Environment.GetEnvironmentVariable(HandlerServer.PortVariable) is null ? null : HandlerServer.Start();
var roles = CloudRoles.FromEnvironment();
var engine = new LazyProofEngine(() => new DirectProofEngine(
    GpuProofBackend.Best(new CpuProofBackend(), roles.Ports.Log), new SystemRandomSource()));
using var service = new ProofService(roles.Ports, engine, new BlobKeyFiles(roles.Config), new ProofLimits());
if (server is not null)
{
    await new HandlerApp { Caches = roles.Ports.Caches, Metrics = roles.Metrics, AfterRequest = roles.TellCosts }
        .Add("Jobs", (invocation, stop) => service.ProveAsync(invocation.Body, stop))
        .RunAsync(server);
    return;
}

var stopped = new TaskCompletionSource();
AppDomain.CurrentDomain.ProcessExit += (_, _) => stopped.TrySetResult();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stopped.TrySetResult();
};
roles.Ports.Log("the prover takes jobs off the queue");
await using var worker = new ProofWorker(roles.Ports, service, TimeSpan.FromSeconds(10));
await stopped.Task;
