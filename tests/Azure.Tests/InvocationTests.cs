using System.Text;
using SuperVm.Azure.Functions;

namespace SuperVm.Azure.Tests;

/// <summary>What the Functions host posts, as it writes it, as its documentation shows it; and anything else.</summary>
public sealed class InvocationTests
{
    private const string Base64 = "AQID";

    [Theory]
    [InlineData("""{"Data":{"message":"AQID"},"Metadata":{"Id":"\"m\"","DequeueCount":"3"}}""")]
    [InlineData("""{"Data":{"message":"\"AQID\""},"Metadata":{"Id":"m","DequeueCount":3}}""")]
    [InlineData("""{"Data":{"message":"AQID"},"Metadata":{"Id":"\"m\"","DequeueCount":"\"3\"","sys":{"a":1}}}""")]
    public void Values_are_read_in_either_encoding(string text)
    {
        Assert.True(Invocation.TryRead(Encoding.UTF8.GetBytes(text), out var invocation));
        Assert.Equal(Convert.FromBase64String(Base64), invocation.Body.ToArray());
        Assert.Equal(("m", 3), (invocation.MessageId, invocation.DequeueCount));
    }

    [Fact]
    public void A_timer_has_no_body_and_counts_as_the_first_delivery()
    {
        const string Timer = """{"Data":{"timer":{"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"Watchdog"}}}""";
        Assert.True(Invocation.TryRead(Encoding.UTF8.GetBytes(Timer), out var invocation));
        Assert.Equal((0, 1), (invocation.Body.Length, invocation.DequeueCount));
    }

    [Fact]
    public void Whatever_is_posted_is_an_invocation_or_is_refused()
    {
        const string Seed =
            """{"Data":{"message":"\"AQID\""},"Metadata":{"Id":"\"m\"","DequeueCount":"1","sys":{"UtcNow":"x"}}}""";
        var whole = Encoding.UTF8.GetBytes(Seed);
        var random = new Random(3);
        var read = 0;
        for (var i = 0; i < 5_000; i++)
        {
            var body = whole.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                body[random.Next(body.Length)] = (byte)"{}[]\",:\\0an \0\u0080"[random.Next(14)];
            }

            read += Invocation.TryRead(body.AsMemory(0, random.Next(body.Length + 1)), out _) ? 1 : 0;
        }

        Assert.InRange(read, 0, 5_000);
        string[] none = ["", "null", "[]", "1", "{}", """{"Data":null}""", """{"Data":[]}""", """{"Data":{"m":"?"}}"""];
        Assert.All(none, text => Assert.False(Invocation.TryRead(Encoding.UTF8.GetBytes(text), out _)));
    }
}
