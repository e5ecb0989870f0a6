using System.Diagnostics;
using System.Text;
using SuperVm.Hosting.JsonRpc;

namespace SuperVm.Hosting.Tests.JsonRpc;

public sealed class QuickRequestsTests
{
    private const string One =
        """{"method":"eth_call","params":[{"to":"0x00000000000000000000000000000000000000aa"}]}""";

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[]}""", true)]
    [InlineData("""{"method" : "eth_getBalance"}""", true)]
    [InlineData("""{"method":"eth_sendRawTransaction"}""", false)]
    [InlineData("""{"method":"debug_traceTransaction"}""", false)]
    [InlineData("""{"method":"no_such"}""", false)]
    [InlineData("""{"method":""", false)]
    [InlineData("""{"method":"eth_call""", false)]
    [InlineData("""{"method":"""+ "\"\"}", false)]
    [InlineData("""{"method":5}""", false)]
    [InlineData("""[{"method":"eth_call"}]""", false)]
    [InlineData("{}", false)]
    [InlineData("", false)]
    public void Single_quick_reads_are_told_from_work(string body, bool isQuick)
    {
        using var node = new TestNode();
        var quick = node.Rpc.Quick;
        Assert.Equal(isQuick, quick.IsQuick(quick.PlaceOf(Encoding.UTF8.GetBytes(body))));
    }

    [Fact]
    public void Calls_of_a_contract_that_took_long_twice_are_work_until_many_were_quick_again()
    {
        using var node = new TestNode();
        var quick = node.Rpc.Quick;
        var place = quick.PlaceOf(Encoding.UTF8.GetBytes(One));
        var longAgo = Stopwatch.GetTimestamp() - Stopwatch.Frequency;
        var inAMinute = Stopwatch.GetTimestamp() + (60 * Stopwatch.Frequency);
        quick.Note(place, longAgo);
        Assert.True(quick.IsQuick(place));
        quick.Note(place, longAgo);
        Assert.False(quick.IsQuick(place));
        for (var i = 0; i < 20; i++)
        {
            quick.Note(place, inAMinute);
        }

        Assert.True(quick.IsQuick(place));
        for (var i = 0; i < 300; i++)
        {
            quick.Note(place, longAgo);
        }

        Assert.False(quick.IsQuick(place));
        quick.Note(QuickRequests.Work, longAgo);
        Assert.False(quick.IsQuick(QuickRequests.Work));
    }

    [Fact]
    public void Requests_are_remembered_by_method_and_contract()
    {
        using var node = new TestNode();
        var quick = node.Rpc.Quick;
        var place = quick.PlaceOf(Encoding.UTF8.GetBytes(One));
        var sameContract = One.Replace("{\"method", "{\"id\":77,\"method", StringComparison.Ordinal);
        Assert.Equal(place, quick.PlaceOf(Encoding.UTF8.GetBytes(sameContract)));
        var others = Enumerable.Range(0, 64).Select(i => quick.PlaceOf(
            Encoding.UTF8.GetBytes(One.Replace("00aa", $"{i:x4}", StringComparison.Ordinal))));
        Assert.True(others.Distinct().Count() > 40);
    }
}
