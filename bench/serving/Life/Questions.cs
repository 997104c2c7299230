using System.Net;
using System.Text;
using System.Text.Json;

namespace LoRA2.Native.Serving.Life;

/// <summary>Requests with one right answer each, asked alone before the load begins, and requests that have none.</summary>
internal sealed class Questions
{
    /// <summary>What a batch's other rows may change of a score.</summary>
    private const double Tolerance = 1e-5;

    /// <summary>How many have an answer.</summary>
    public const int Count = 200;

    private static readonly string[] Words = ["good", "bad", "film", "a", "one", "not", "very"];

    private static readonly (string Path, string Body)[] Bad =
    [
        ("/predict", "{"), ("/predict", "{}"), ("/predict", """{"inputs": 3}"""), ("/predict", """{"inputs": []}"""), ("/predict", """{"inputs": "good", "adapter": "none"}"""),
        ("/predict", $$"""{"inputs": [{{string.Join(",", Enumerable.Repeat("\"a\"", 600))}}]}"""), ("/predict", """{"inputs": "\ud800"}"""), ("/rerank", """{"query": "a"}"""), ("/v1/embeddings", """{"input": null}"""), ("/nothing", "{}"),
    ];

    private readonly (string Body, double[] Scores)[] right;

    private Questions((string, double[])[] right) => this.right = right;

    /// <summary>Asks a server each question alone.</summary>
    public static async Task<Questions> Of(HttpClient client)
    {
        var random = new Random(1);
        var found = new List<(string, double[])>();
        for (int i = 0; i < Count; i++)
        {
            string[] texts = [.. Enumerable.Range(0, random.Next(4) == 0 ? random.Next(1, 9) : 1).Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(1, 30)).Select(_ => Words[random.Next(Words.Length)])))];
            string inputs = texts.Length == 1 ? JsonSerializer.Serialize(texts[0]) : JsonSerializer.Serialize(texts.Select(text => (string[])[text]));
            string body = $$"""{"inputs": {{inputs}}{{random.Next(3) switch { 0 => "", 1 => ", \"adapter\": \"a\"", _ => ", \"adapter\": \"b\"" }}}}""";
            using HttpResponseMessage answer = await Post(client, "/predict", body, default);
            string said = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{body}: {said}");
            found.Add((body, Scores(said)));
        }

        return new([.. found]);
    }

    /// <summary>Asks one that has an answer; null if it came and was right, else what was wrong.</summary>
    public async Task<string?> Ask(HttpClient client, int number, CancellationToken cancellation)
    {
        (string body, double[] expected) = right[number % right.Length];
        using HttpResponseMessage answer = await Post(client, "/predict", body, cancellation);
        string said = await answer.Content.ReadAsStringAsync(cancellation);
        if (answer.StatusCode != HttpStatusCode.OK) return $"{(int)answer.StatusCode}: {said}";
        double[] scores = Scores(said);
        return scores.Length == expected.Length && scores.Zip(expected).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance) ? null : $"{body}: {said}";
    }

    /// <summary>Asks one that has none; null if it was refused, else what was wrong.</summary>
    public static async Task<string?> AskBadly(HttpClient client, int number)
    {
        (string path, string body) = Bad[number % Bad.Length];
        using HttpResponseMessage answer = await Post(client, path, body, default);
        return (int)answer.StatusCode is >= 400 and < 500 ? null : $"{path} {body[..Math.Min(60, body.Length)]}: {(int)answer.StatusCode}";
    }

    private static Task<HttpResponseMessage> Post(HttpClient client, string path, string body, CancellationToken cancellation) =>
        client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), cancellation);

    /// <summary>Every score of an answer, by label.</summary>
    private static double[] Scores(string said)
    {
        using var document = JsonDocument.Parse(said);
        return [.. All(document.RootElement)];

        static IEnumerable<double> All(JsonElement element) => element.ValueKind == JsonValueKind.Array
            ? element.EnumerateArray().OrderBy(one => one.ValueKind == JsonValueKind.Object ? one.GetProperty("label").GetString() : "").SelectMany(All)
            : [element.GetProperty("score").GetDouble()];
    }
}
