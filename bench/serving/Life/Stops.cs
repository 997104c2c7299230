using System.Diagnostics;

namespace LoRA2.Native.Serving.Life;

/// <summary>
/// Servers of this process that are stopped while callers ask: what was taken is answered, and nothing is left behind. A request that reaches a connection as it is closed is not taken, and ends without an answer as one that finds
/// nobody listening: a client may ask again. The server counts what it took, the callers count what they were answered.
/// </summary>
internal static class Stops
{
    public static async Task<int> Run(string[] folders, int rounds, int callers)
    {
        int taken = 0, answered = 0, late = 0, wrong = 0;
        string? first = null;
        Console.WriteLine("| rounds | taken | answered rightly | came too late | wrong | resident MiB | threads |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        for (int round = 1; round <= rounds; round++)
        {
            await using (WebApplication app = await Server.Start(folders, () => Interlocked.Increment(ref taken)))
            {
                using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
                Questions questions = await Questions.Of(client);
                taken -= Questions.Count;
                using var stopped = new CancellationTokenSource();
                Task[] calls = [.. Enumerable.Range(0, callers).Select(caller => Task.Run(() => Ask(client, questions, caller * 1000, stopped.Token)))];
                await Task.Delay(new Random(round).Next(40));
                await app.StopAsync();
                await stopped.CancelAsync();
                await Task.WhenAll(calls);
            }

            if (round % Math.Max(1, rounds / 20) != 0) continue;
            GC.Collect();
            using Process own = Process.GetCurrentProcess();
            Console.WriteLine($"| {round} | {taken} | {answered} | {late} | {wrong} | {Server.Resident() / 1048576.0:F1} | {own.Threads.Count} |");
        }

        if (first is not null) Console.WriteLine(first);
        return wrong == 0 && taken == answered ? 0 : 1;

        async Task Ask(HttpClient client, Questions questions, int number, CancellationToken stopped)
        {
            while (!stopped.IsCancellationRequested)
            {
                string? fault;
                try
                {
                    fault = await questions.Ask(client, number++, default);
                }
                catch (HttpRequestException)
                {
                    // Nobody listened, or the connection was closed before the request was read: had it been read, what was taken and what was answered would differ.
                    Interlocked.Increment(ref late);
                    return;
                }
                catch (Exception e) when (e is HttpIOException or OperationCanceledException)
                {
                    fault = e.ToString();
                }

                if (fault is null) Interlocked.Increment(ref answered);
                else if (Interlocked.Increment(ref wrong) == 1) first = fault;
            }
        }
    }
}
