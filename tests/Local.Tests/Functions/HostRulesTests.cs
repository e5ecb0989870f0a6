using System.Text;
using SuperVm.Core.Storage;
using SuperVm.Local.Functions;
using SuperVm.Local.Tests.Storage;

namespace SuperVm.Local.Tests.Functions;

/// <summary>What the local functions host reads, writes and computes, without a process.</summary>
public sealed class HostRulesTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void The_invocation_of_a_queue_trigger_is_that_of_the_functions_host()
    {
        var message = new BusMessage(
            "800ae4b3",
            Encoding.UTF8.GetBytes("""{"height":7}"""),
            "AgAAAAM=",
            1,
            Start,
            Start.AddDays(7),
            Start.AddMinutes(10));
        var function = new FunctionDefinition(
            "ProcessTx", TriggerKind.Queue, "tx", "q", false, false, [], new Dictionary<string, string>());
        var written = InvocationCodec.Queue(function, message, Start.AddTicks(11234567), Guid.Empty);
        Assert.Equal(
            """
            {"Data":{"tx":"\"{\\\"height\\\":7}\""},
            "Metadata":{"DequeueCount":"1","ExpirationTime":"2026-01-09T03:04:05+00:00","Id":"\"800ae4b3\"",
            "InsertionTime":"2026-01-02T03:04:05+00:00","NextVisibleTime":"2026-01-02T03:14:05+00:00",
            "PopReceipt":"\"AgAAAAM=\"","sys":{"MethodName":"ProcessTx","UtcNow":"2026-01-02T03:04:06.1234567Z",
            "RandGuid":"00000000-0000-0000-0000-000000000000"},"height":"\"7\""}}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(written));
    }

    [Fact]
    public void A_property_id_of_the_message_stands_for_its_own_id_and_bytes_are_base64()
    {
        var body = Encoding.UTF8.GetBytes("""{"id":"mine","list":[1]}""");
        var message = new BusMessage("own", body, "r", 2, Start, Start, Start);
        var function = new FunctionDefinition(
            "F", TriggerKind.Queue, "m", "q", true, false, [], new Dictionary<string, string>());
        var written = Encoding.UTF8.GetString(InvocationCodec.Queue(function, message, Start, Guid.Empty));
        Assert.Contains($"\"m\":\"{Convert.ToBase64String(body)}\"", written);
        Assert.Contains(""" "Id":"\"mine\"" """.Trim(), written);
        Assert.DoesNotContain("own", written);
        Assert.DoesNotContain("list", written);
    }

    [Fact]
    public void The_invocation_of_a_timer_trigger_is_that_of_the_functions_host()
    {
        var function = new FunctionDefinition(
            "Watchdog", TriggerKind.Timer, "timer", "0 0 * * * *", false, false, [], new Dictionary<string, string>());
        var written = InvocationCodec.Timer(
            function, Start, Start.AddMinutes(5), late: false, Start.AddTicks(7), Guid.Empty);
        Assert.Equal(
            """
            {"Data":{"timer":{"Schedule":{"AdjustForDST":true},
            "ScheduleStatus":{"Last":"2026-01-02T03:04:05.0000000Z","Next":"2026-01-02T03:09:05.0000000Z",
            "LastUpdated":"2026-01-02T03:04:05.0000000Z"},"IsPastDue":false}},
            "Metadata":{"sys":{"MethodName":"Watchdog","UtcNow":"2026-01-02T03:04:05.0000007Z",
            "RandGuid":"00000000-0000-0000-0000-000000000000"}}}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(written));
    }

    [Fact]
    public void An_answers_outputs_return_value_and_log_lines_are_read()
    {
        var function = new FunctionDefinition(
            "F", TriggerKind.Queue, "m", "q", false, false, [],
            new Dictionary<string, string> { ["out"] = "first", ["$return"] = "second" });
        var log = new List<string>();
        var sent = InvocationCodec.Outputs(
            function,
            Encoding.UTF8.GetBytes(
                """{"Outputs":{"out":["a b",{"n":1}],"res":{}},"Logs":["one","two"],"ReturnValue":"back again"}"""),
            log.Add);
        Assert.Equal(["one", "two"], log);
        Assert.Equal(
            [("first", "a b"), ("first", """{"n":1}"""), ("second", "back again")],
            sent!.Select(output => (output.Queue, Encoding.UTF8.GetString(output.Body))));
        Assert.Empty(InvocationCodec.Outputs(function, "{}"u8.ToArray(), log.Add)!);
        Assert.Empty(InvocationCodec.Outputs(
            function, """{"Outputs":null,"Logs":null,"ReturnValue":null}"""u8.ToArray(), log.Add)!);
        Assert.Null(InvocationCodec.Outputs(function, "[]"u8.ToArray(), log.Add));
        Assert.Null(InvocationCodec.Outputs(function, default, log.Add));
    }

    [Theory]
    [InlineData("0 */5 * * * *", "2026-01-02T03:05:00")]
    [InlineData("*/5 * * * *", "2026-01-02T03:05:00")]
    [InlineData("5 4 3 * * *", "2026-01-03T03:04:05")]
    [InlineData("0 0 0 1 feb *", "2026-02-01T00:00:00")]
    [InlineData("0 30 9 * * Mon-Fri", "2026-01-02T09:30:00")]
    [InlineData("0 0 0 13 * 5", "2026-02-13T00:00:00")]
    [InlineData("10,20-22/2 4 3 * * *", "2026-01-02T03:04:10")]
    [InlineData("0 0 0 29 2 *", "2028-02-29T00:00:00")]
    [InlineData("00:10:00", "2026-01-02T03:14:05")]
    public void A_schedule_finds_its_next_run(string text, string expected)
    {
        Assert.Equal($"{expected}", NcrontabSchedule.Parse(text)!.Next(Start)!.Value.ToString("s"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("* * * *")]
    [InlineData("60 * * * * *")]
    [InlineData("* * * 0 * *")]
    [InlineData("*/0 * * * * *")]
    [InlineData("5-1 * * * * *")]
    [InlineData("a * * * * *")]
    [InlineData("-1 * * * * *")]
    public void What_is_no_schedule_is_told(string text) => Assert.Null(NcrontabSchedule.Parse(text));

    [Fact]
    public void A_schedule_without_a_run_ends()
    {
        Assert.Null(NcrontabSchedule.Parse("0 0 0 30 2 *")!.Next(Start));
    }

    [Fact]
    public void Pauses_grow_while_nothing_is_found_and_begin_anew_after_a_message()
    {
        var pauses = new PollBackOff(TimeSpan.FromSeconds(2), () => 0.5);
        double[] expected = [200, 300, 500, 900, 1700, 2000, 2000];
        Assert.Equal(expected, expected.Select(_ => pauses.Empty().TotalMilliseconds));
        pauses.Found();
        Assert.Equal([100, 200, 300], Enumerable.Range(0, 3).Select(_ => pauses.Empty().TotalMilliseconds));
    }

    [Fact]
    public void Host_json_is_read_with_the_hosts_defaults()
    {
        using var folder = App("""{"customHandler":{"description":{"defaultExecutablePath":"x"}}}""", Timer);
        var host = FunctionApp.Load(folder.Root, new Dictionary<string, string>()).Host;
        Assert.Equal("api", host.RoutePrefix);
        Assert.Equal((16, 8, 5), (host.Queues.BatchSize, host.Queues.NewBatchThreshold, host.Queues.MaxDequeueCount));
        Assert.Equal(TimeSpan.Zero, host.Queues.VisibilityTimeout);
        Assert.Equal(TimeSpan.FromMinutes(30), host.FunctionTimeout);
    }

    [Theory]
    [InlineData("{}", Timer, "defaultExecutablePath")]
    [InlineData("{", Timer, "host.json")]
    [InlineData(Host, """{"bindings":[]}""", "no trigger")]
    [InlineData(Host, """{"bindings":[{"type":"blobTrigger","name":"b"}]}""", "blobTrigger")]
    [InlineData(Host, """{"bindings":[{"type":"queueTrigger","name":"m","queueName":"%NONE%"}]}""", "%NONE%")]
    [InlineData(Host, """{"bindings":[{"type":"timerTrigger","name":"t","schedule":"often"}]}""", "often")]
    [InlineData(Host, """{"bindings":[{"type":"httpTrigger","name":"r"}]}""", "enableProxyingHttpRequest")]
    public void An_app_that_cannot_be_run_is_refused_with_the_reason(string host, string function, string reason)
    {
        using var folder = App(host, function);
        var refusal = Assert.Throws<FunctionAppException>(
            () => FunctionApp.Load(folder.Root, new Dictionary<string, string>()));
        Assert.Contains(reason, refusal.Message);
    }

    private const string Host = """{"customHandler":{"description":{"defaultExecutablePath":"x"}}}""";
    private const string Timer = """{"bindings":[{"type":"timerTrigger","name":"t","schedule":"0 0 * * * *"}]}""";

    private static TemporaryFolder App(string host, string function)
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.At("F"));
        File.WriteAllText(folder.At("host.json"), host);
        File.WriteAllText(folder.At("F/function.json"), function);
        return folder;
    }
}
