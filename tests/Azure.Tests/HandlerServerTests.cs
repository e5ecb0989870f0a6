using System.Net;
using Microsoft.AspNetCore.Http;
using SuperVm.Azure.Functions;

namespace SuperVm.Azure.Tests;

/// <summary>A handler listens before it can do anything.</summary>
public sealed class HandlerServerTests
{
    [Fact]
    public async Task The_host_is_answered_at_once_and_an_invocation_when_there_is_someone_to_answer_it()
    {
        var server = new HandlerServer(port: 0);
        using var client = new HttpClient { BaseAddress = await server.Listening };
        var invocation = client.PostAsync("Batches", new StringContent("{}"));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("")).StatusCode);
        Assert.False(invocation.IsCompleted);
        await server.ServeAsync(context => context.Response.WriteAsync($"{context.Request.Path} done"));
        Assert.Equal("/Batches done", await (await invocation).Content.ReadAsStringAsync());
        Assert.Equal("/again done", await client.GetStringAsync("again"));
    }
}
