namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>How execution tells a replica of its blocks: by a message in the inbox.</summary>
public static class ConsortiumReports
{
    public static BlockReporter To(RolePorts ports) => (place, block, cancellation) =>
        ports.Bus.SendAsync(ports.Names.Inbox, InboxMessage.Of(place, block), default, cancellation);
}
