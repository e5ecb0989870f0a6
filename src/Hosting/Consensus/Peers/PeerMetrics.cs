using System.Globalization;
using System.Text;
using SuperVm.Core.Consensus;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>The peers' figures in Prometheus' text format, labelled by address.</summary>
internal static class PeerMetrics
{
    /// <summary>A drop reason as it stands in answers and labels: wrongSignature.</summary>
    internal static string NameOf(DropReason reason)
    {
        var name = reason.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    internal static void Write(StringBuilder text, IReadOnlyList<PeerReport> peers)
    {
        if (peers.Count == 0)
        {
            return;
        }

        Family("peer_reached", "gauge", "1 where messages go to the peer.", peer => peer.IsReached ? 1 : 0);
        Family("peer_heard", "gauge", "1 where the peer sends to this validator.", peer => peer.IsHeard ? 1 : 0);
        Family("peer_round_trip_seconds", "gauge", "From a frame to its acknowledgement, smoothed.",
            peer => peer.RoundTripMs / 1_000);
        Family("peer_reconnects_total", "counter", "Links made again.", peer => peer.Reconnects);
        Family("peer_waiting", "gauge", "Messages that wait to be sent.", peer => peer.Waiting);
        Family("peer_unsent_total", "counter", "Messages dropped before they were sent.", peer => peer.Unsent);
        Family("peer_sent_messages_total", "counter", "Messages sent.", peer => peer.Sent.Messages);
        Family("peer_sent_frames_total", "counter", "Frames sent.", peer => peer.Sent.Frames);
        Family("peer_sent_message_bytes_total", "counter", "Messages sent, before compression.",
            peer => peer.Sent.MessageBytes);
        Family("peer_sent_frame_bytes_total", "counter", "Frames sent, compressed and sealed.",
            peer => peer.Sent.FrameBytes);
        Family("peer_received_messages_total", "counter", "Messages received.", peer => peer.Received.Messages);
        Family("peer_received_frame_bytes_total", "counter", "Frames received.", peer => peer.Received.FrameBytes);
        Family("peer_score", "gauge", "Penalty points.", peer => peer.Score);
        Family("peer_muted", "gauge", "1 where the peer is refused for the time being.", peer => peer.IsMuted ? 1 : 0);
        Head(text, "peer_dropped_total", "counter", "Messages of the peer that were dropped, by reason.");
        foreach (var peer in peers)
        {
            for (var reason = 0; reason < peer.Dropped.Count; reason++)
            {
                if (peer.Dropped[reason] > 0)
                {
                    var labels = $"peer=\"{peer.Address}\",reason=\"{NameOf((DropReason)reason)}\"";
                    text.Append(CultureInfo.InvariantCulture,
                        $"supervm_peer_dropped_total{{{labels}}} {peer.Dropped[reason]}\n");
                }
            }
        }

        void Family(string name, string type, string help, Func<PeerReport, double?> value)
        {
            Head(text, name, type, help);
            foreach (var peer in peers)
            {
                if (value(peer) is { } number)
                {
                    text.Append(
                        CultureInfo.InvariantCulture, $"supervm_{name}{{peer=\"{peer.Address}\"}} {number:R}\n");
                }
            }
        }
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP supervm_").Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE supervm_").Append(name).Append(' ').Append(type).Append('\n');
}
