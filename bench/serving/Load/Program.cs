// The load of bench/serving.sh: callers that each wait for an answer before they ask again, the sides taking turns, on this machine alone.
//   Load TEXTS SECONDS ROUNDS CALLERS,CALLERS,…[,half] NAME=URL=PROCESS=BODY… ; TEXTS has a text a line; in BODY % is the text and # a number below 100.
// half: then requests come by chance, whether those before were answered or not, half as many a second as the first side answered at most; a latency counts from when its request was to come.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string[] sentences = File.ReadAllLines(args[0]);
double seconds = double.Parse(args[1]);
int rounds = int.Parse(args[2]);
int[] callers = [.. args[3].Split(',').Where(one => one != "half").Select(int.Parse)];
Side[] sides = [.. args[4..].Select(arg => arg.Split('=', 4)).Select(parts => new Side(parts[0], new Uri(parts[1]), int.Parse(parts[2]), parts[3]))];
if (sides.Any(side => !side.Url.IsLoopback)) throw new ArgumentException("only servers of this machine are asked");

// Texts of some 16 to 128 tokens, the same for every side: a word of these sentences is about 1.2 tokens.
var random = new Random(1);
string[] texts = [.. Enumerable.Range(0, 2000).Select(_ =>
{
    int words = random.Next(12, 105);
    var text = new StringBuilder();
    while (words > 0)
    {
        string[] some = sentences[random.Next(sentences.Length)].Split(' ');
        text.AppendJoin(' ', some.Take(words)).Append(' ');
        words -= some.Length;
    }

    return JsonEncodedText.Encode(text.ToString().Trim()).ToString();
})];
using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1024 }) { Timeout = TimeSpan.FromSeconds(60) };

async Task Ask(Side side, int number)
{
    string body = side.Body.Replace("%", texts[number % texts.Length], StringComparison.Ordinal).Replace("#", (number % 100).ToString());
    using HttpResponseMessage answer = await client.PostAsync(side.Url, new StringContent(body, Encoding.UTF8, "application/json"));
    await answer.Content.ReadAsByteArrayAsync();
    if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{side.Name}: {answer.StatusCode}");
}

// So many callers that wait for each answer, or requests that come at a rate.
async Task<Round> Measure(Side side, int count, double time, double rate = 0)
{
    var latencies = new ConcurrentBag<double>();
    int next = -1;
    TimeSpan before = Process.GetProcessById(side.Process).TotalProcessorTime;
    var clock = Stopwatch.StartNew();
    if (rate > 0)
    {
        var arrivals = new Random(7);
        var asked = new List<Task>();
        for (double due = 0; due < time; due -= Math.Log(1 - arrivals.NextDouble()) / rate)
        {
            if (due - clock.Elapsed.TotalSeconds is var wait and > 0) await Task.Delay(TimeSpan.FromSeconds(wait));
            asked.Add(One(due, ++next));
        }

        await Task.WhenAll(asked);
    }
    else
    {
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed.TotalSeconds is var now && now < time) await One(now, Interlocked.Increment(ref next));
        })));
    }

    async Task One(double due, int number)
    {
        await Ask(side, number);
        latencies.Add((clock.Elapsed.TotalSeconds - due) * 1000);
    }

    double[] sorted = [.. latencies.Order()];
    double elapsed = clock.Elapsed.TotalSeconds;
    return new Round(sorted.Length / elapsed, sorted[sorted.Length / 2], sorted[(int)(sorted.Length * 0.99)], (Process.GetProcessById(side.Process).TotalProcessorTime - before).TotalMilliseconds / sorted.Length);
}

foreach (Side side in sides) await Measure(side, 8, 2);     // warm
// Processor time says what a server costs also where the machine does other things beside; the ratios are of one round's neighbours, then the median over the rounds.
Console.WriteLine("| callers | side | texts/s | ratio | p50 ms | p99 ms | processor ms a text | ratio |");
Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
double most = 0;
foreach (int count in callers)
{
    List<Round> first = await Table($"{count}", side => Measure(side, count, seconds));
    most = Math.Max(most, Median(first.Select(one => one.PerSecond)));
}

if (args[3].EndsWith("half", StringComparison.Ordinal)) await Table($"{most / 2:F0} a second", side => Measure(side, 0, seconds, most / 2));

async Task<List<Round>> Table(string load, Func<Side, Task<Round>> measure)
{
    var found = sides.ToDictionary(side => side, _ => new List<Round>());
    for (int round = 0; round < rounds; round++)
    {
        foreach (Side side in sides) found[side].Add(await measure(side));
    }

    List<Round> first = found[sides[0]];
    foreach ((Side side, List<Round> own) in found)
    {
        Console.WriteLine(
            $"| {load} | {side.Name} | {Median(own.Select(one => one.PerSecond)):F0} | {Median(own.Zip(first, (one, other) => one.PerSecond / other.PerSecond)):F2} | {Median(own.Select(one => one.P50)):F1} | {Median(own.Select(one => one.P99)):F1} | "
            + $"{Median(own.Select(one => one.Processor)):F2} | {Median(own.Zip(first, (one, other) => other.Processor / one.Processor)):F2} |");
    }

    return first;
}

static double Median(IEnumerable<double> values)
{
    double[] sorted = [.. values.Order()];
    return sorted[sorted.Length / 2];
}

/// <summary>A server.</summary>
internal sealed record Side(string Name, Uri Url, int Process, string Body);

/// <summary>What one round found.</summary>
internal sealed record Round(double PerSecond, double P50, double P99, double Processor);
