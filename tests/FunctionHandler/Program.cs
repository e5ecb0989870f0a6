using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace SuperVm.FunctionHandler;

/// <summary>
/// A custom handler that does what its messages say; the local functions host is tested with it, as a process.
/// </summary>
public static partial class Program
{
    private static readonly TaskCompletionSource Released = new();

    private static async Task Main()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var port = Environment.GetEnvironmentVariable("FUNCTIONS_CUSTOMHANDLER_PORT");
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var application = builder.Build();
        application.MapPost("/Work", WorkAsync);
        application.MapPost("/Tick", () => Results.Text("{}", "application/json"));
        application.MapPost("/release", () =>
        {
            Released.TrySetResult();
            return "released";
        });
        application.MapFallback(ShowAsync);
        await application.RunAsync();
    }

    private static async Task<IResult> WorkAsync(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        var invocation = await reader.ReadToEndAsync();
        using var json = JsonDocument.Parse(invocation);
        var text = json.RootElement.GetProperty("Data").GetProperty("msg").GetString()!;
        using var message = JsonDocument.Parse(JsonSerializer.Deserialize<string>(text)!);
        switch (message.RootElement.GetProperty("do").GetString())
        {
            case "show":
                var shown = $"{request.Headers.UserAgent}\n{request.ContentType}\n{invocation}";
                return Answer(new { Outputs = new { seen = shown }, Logs = new[] { "shown" } });
            case "many":
                return Answer(new { Outputs = new { seen = new object[] { "a b", "AQI=", new { n = 1 } } } });
            case "fail":
                return Results.StatusCode(500);
            case "empty":
                return Results.StatusCode(200);
            case "exit":
                ExitAtOnce(message.RootElement.GetProperty("code").GetInt32());
                return Results.StatusCode(500);
            case "hang":
                await new TaskCompletionSource().Task;
                return Results.StatusCode(500);
            case "wait":
                await Released.Task;
                return Answer(new { });
            default:
                return Answer(new { });
        }
    }

    /// <summary>Ends the process without letting anything in it finish (POSIX _exit).</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitAtOnce(int code);

    private static IResult Answer(object value) => Results.Text(JsonSerializer.Serialize(value), "application/json");

    private static async Task ShowAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        context.Response.StatusCode = 202;
        context.Response.Headers["x-answer"] = "yes";
        await context.Response.WriteAsync(
            $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} "
            + $"{context.Request.Headers["x-asked"]} {body}");
    }
}
