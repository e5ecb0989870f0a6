using System.Threading.Channels;

namespace SuperVm.Cli.Commands;

/// <summary>
/// Writes lines in the background, so that a slow or stopped reader of the output never holds the node up.
/// </summary>
internal sealed class LineLog : IAsyncDisposable
{
    /// <summary>Lines that wait to be written; the oldest are lost when more come.</summary>
    private const int MaximumWaiting = 4_096;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(MaximumWaiting)
        {
            SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest,
        });

    private readonly TextWriter _output;
    private readonly Task _writing;

    internal LineLog(TextWriter output)
    {
        _output = output;
        _writing = Task.Run(WriteAllAsync);
    }

    internal void Write(string line) => _lines.Writer.TryWrite(line);

    /// <summary>Writes what waits, but no longer than a second.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        try
        {
            await _writing.WaitAsync(TimeSpan.FromSeconds(1));
        }
        catch (TimeoutException)
        {
            // Nobody reads the output: the rest is not worth waiting for.
        }
    }

    private async Task WriteAllAsync()
    {
        try
        {
            while (await _lines.Reader.WaitToReadAsync())
            {
                while (_lines.Reader.TryRead(out var line))
                {
                    await _output.WriteLineAsync(line);
                }

                await _output.FlushAsync();
            }
        }
        catch (IOException)
        {
            // The output is closed; the node goes on without it.
        }
    }
}
