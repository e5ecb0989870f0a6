using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Gpu.Tests;

[Collection(DeviceCollection.Name)]
public sealed class RecoveryTests(DeviceFixture device)
{
    [DeviceFact]
    public void Signers_are_those_that_the_processor_recovers()
    {
        var random = new Random(11);
        var requests = Enumerable.Range(0, 60).Select(_ => Signed(random)).ToArray();
        AssertAsOnProcessor(requests);
        Assert.All(Recover(requests), signer => Assert.NotNull(signer));
    }

    [DeviceFact]
    public void Requests_without_a_signer_have_none_here_either()
    {
        var random = new Random(12);
        var good = Signed(random);
        var order = Secp256k1.Order;
        RecoveryRequest[] requests =
        [
            good with { R = 0 }, good with { S = 0 }, good with { R = order }, good with { S = order },
            good with { R = UInt256.MaxValue }, good with { YParity = 2 }, good with { R = 5 }, good with { R = 7 },
            good with { Message = default }, good with { Message = new Hash256(order.ToBigEndian()) },
            good with { Message = new Hash256(UInt256.MaxValue.ToBigEndian()) }, good with { S = order - good.S },
            good with { R = 1, S = 1 }, good with { YParity = (byte)(1 - good.YParity) },
            .. Enumerable.Range(0, 30).Select(_ => new RecoveryRequest(
                new Hash256(Numbers.Word(random).ToBigEndian()), Numbers.Word(random), Numbers.Word(random), 0)),
        ];
        AssertAsOnProcessor(requests);
    }

    /// <summary>With R = G the key is (s - m) G / r: equal points meet on the way, and s = m leaves none.</summary>
    [DeviceFact]
    public void Sums_that_meet_equal_and_opposite_points_are_right()
    {
        Span<byte> one = stackalloc byte[32];
        one[31] = 1;
        var x = UInt256.FromBigEndian(Secp256k1.PublicKeyOf(one).AsSpan(0, 32));
        var requests = new List<RecoveryRequest>();
        foreach (var m in new ulong[] { 1, 2, 15, 16, 240 })
        {
            foreach (var s in new ulong[] { 1, 2, 15, 16, 240, 480 })
            {
                requests.Add(new RecoveryRequest(new Hash256(((UInt256)m).ToBigEndian()), x, s, 0));
                requests.Add(new RecoveryRequest(new Hash256(((UInt256)m).ToBigEndian()), x, s, 1));
            }
        }

        AssertAsOnProcessor([.. requests]);
    }

    private void AssertAsOnProcessor(RecoveryRequest[] requests)
    {
        var found = Recover(requests);
        for (var i = 0; i < requests.Length; i++)
        {
            var request = requests[i];
            var expected = Secp256k1.TryRecover(request.Message, request.R, request.S, request.YParity, out var address)
                ? address
                : (Address?)null;
            Assert.True(expected == found[i], $"request {i}: {request} gave {found[i]}, not {expected}");
        }
    }

    private Address?[] Recover(RecoveryRequest[] requests)
    {
        var signers = new Address?[requests.Length];
        Assert.Null(device.Accelerator.RecoverMany(requests, signers));
        return signers;
    }

    private static RecoveryRequest Signed(Random random)
    {
        var message = new Hash256(Numbers.Word(random).ToBigEndian());
        var signature = Secp256k1.Sign(message, (Numbers.Word(random) % Secp256k1.Order).ToBigEndian());
        return new RecoveryRequest(message, signature.R, signature.S, signature.YParity);
    }
}
