using SuperVm.Azure.Functions;

namespace SuperVm.Azure.Tests;

public sealed class CostLineTests
{
    private readonly CloudCounters _counters = new();
    private readonly List<string> _log = [];
    private readonly Ports.Tests.ManualClock _clock = new();

    [Fact]
    public void A_line_comes_once_a_minute_with_what_was_asked_since_the_last()
    {
        var costs = new CostLine(_counters, _log.Add, _clock);
        _counters.DocumentRequest(7.5, throttled: true);
        _counters.QueueOperation();
        costs.TellIfDue();
        Assert.Empty(_log);
        _clock.Advance(CostLine.Interval);
        costs.TellIfDue();
        _counters.DocumentRequest(2, throttled: false);
        costs.TellIfDue();
        Assert.Equal(
            "supervm.costs 7.5 request units, 1 document requests, 1 put off, 1 queue operations, 0 blob operations, "
            + "0 table requests in 60 s",
            Assert.Single(_log));
    }

    [Fact]
    public void An_app_that_rests_says_the_remainder_and_then_nothing()
    {
        var costs = new CostLine(_counters, _log.Add, _clock);
        _counters.TableRequest();
        costs.Tell();
        costs.Tell();
        _clock.Advance(CostLine.Interval);
        costs.TellIfDue();
        Assert.Contains("1 table requests", Assert.Single(_log));
    }
}
