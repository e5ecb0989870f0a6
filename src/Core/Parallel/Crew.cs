namespace SuperVm.Core.Parallel;

/// <summary>Parts of a piece of work on several threads: who is free takes the next part.</summary>
internal static class Crew
{
    /// <summary>
    /// Does each part once and returns when all are done; the calling thread takes part, so that nothing waits for a
    /// thread of the pool. Rethrows what a part threw.
    /// </summary>
    internal static void Run(int workers, int parts, Action<int> part)
    {
        var taken = 0;
        var helpers = new Task[Math.Min(workers, parts) - 1];
        for (var i = 0; i < helpers.Length; i++)
        {
            helpers[i] = Task.Run(TakeParts);
        }

        try
        {
            TakeParts();
        }
        finally
        {
            // A helper that has not begun is run here and finds nothing to take.
            Task.WaitAll(helpers);
        }

        void TakeParts()
        {
            for (var next = Interlocked.Increment(ref taken); next <= parts; next = Interlocked.Increment(ref taken))
            {
                part(next - 1);
            }
        }
    }
}
