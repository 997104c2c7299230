using System.Diagnostics;

namespace LoRA2.Native.Serving.Life;

/// <summary>Many requests to one server: of a hundred some ten are bad ones, and some two go away before they have an answer.</summary>
internal static class Soak
{
    public static async Task<int> Run(string[] folders, int requests, int callers)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["serve", .. folders]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        string[] said = (await server.StandardOutput.ReadLineAsync())!.Split(' ');
        using var client = new HttpClient { BaseAddress = new Uri(said[0]) };
        Questions questions = await Questions.Of(client);
        int next = 0, right = 0, refused = 0, gone = 0, wrong = 0;
        string? first = null;
        var clock = Stopwatch.StartNew();
        Console.WriteLine("| requests | right answers | refused as they should be | went away | anything else | resident MiB | allocated KiB a request | requests/s |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        (long _, long allocated) = Memory();
        const int parts = 20;
        for (int part = 1; part <= parts; part++)
        {
            int end = (int)((long)requests * part / parts), before = (int)((long)requests * (part - 1) / parts);
            double started = clock.Elapsed.TotalSeconds;
            await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
            {
                for (int number; (number = Interlocked.Increment(ref next)) <= end;) await One(number);
            })));
            next = end;
            (long resident, long now) = Memory();
            Console.WriteLine(
                $"| {end} | {right} | {refused} | {gone} | {wrong} | {resident / 1048576.0:F1} | {(now - allocated) / 1024.0 / (end - before):F1} | {(end - before) / (clock.Elapsed.TotalSeconds - started):F0} |");
            allocated = now;
        }

        server.StandardInput.Close();
        await server.WaitForExitAsync();
        if (first is not null) Console.WriteLine(first);
        return wrong == 0 && server.ExitCode == 0 ? 0 : 1;

        async Task One(int number)
        {
            var random = new Random(number);
            int kind = random.Next(100);
            string? fault;
            try
            {
                if (kind < 10) fault = await Questions.AskBadly(client, random.Next(1000));
                else if (kind < 12)
                {
                    using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(3)));
                    try
                    {
                        fault = await questions.Ask(client, random.Next(1000), patience.Token);
                    }
                    catch (OperationCanceledException)
                    {
                        Interlocked.Increment(ref gone);
                        return;
                    }
                }
                else fault = await questions.Ask(client, random.Next(1000), default);
            }
            catch (HttpRequestException e)
            {
                fault = e.Message;
            }

            if (fault is null) Interlocked.Increment(ref kind < 10 ? ref refused : ref right);
            else if (Interlocked.Increment(ref wrong) == 1) first = fault;
        }

        (long Resident, long Allocated) Memory()
        {
            server.StandardInput.WriteLine();
            server.StandardInput.Flush();
            string[] numbers = server.StandardOutput.ReadLine()!.Split(' ');
            return (long.Parse(numbers[0]), long.Parse(numbers[1]));
        }
    }
}
