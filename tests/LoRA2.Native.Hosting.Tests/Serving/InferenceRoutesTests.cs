using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Serving.Metrics;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace LoRA2.Native.Hosting.Tests.Serving;

/// <summary>Text Embeddings Inference's routes.</summary>
public sealed class InferenceRoutesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task PredictAnswersTextsPairsAndBatches()
    {
        await using RunningServer server = await RunningServer.Start();
        using TextClassifier a = TextClassifier.Load(TinyTenants.Base, TinyTenants.A);
        JsonElement one = await server.Ask("/predict", """{"inputs": "a good film", "adapter": "a"}""");
        Prediction expected = a.Predict("a good film");
        Assert.Equal(2, one.GetArrayLength());
        Assert.Equal((expected.Label, expected.Score), (one[0].GetProperty("label").GetString(), one[0].GetProperty("score").GetDouble()), new Nearly());
        Assert.True(one[0].GetProperty("score").GetDouble() >= one[1].GetProperty("score").GetDouble());
        JsonElement pair = await server.Ask("/predict", """{"inputs": ["good", "bad film"], "model": "a"}""");
        Assert.Equal(a.Predict("good", "bad film").Score, pair[0].GetProperty("score").GetDouble(), 1e-5);
        JsonElement batch = await server.Ask("/predict", """{"inputs": [["a good film"], ["good", "bad film"]], "adapter": "a"}""");
        Assert.Equal([one[0].GetProperty("score").GetDouble(), pair[0].GetProperty("score").GetDouble()], batch.EnumerateArray().Select(entry => Math.Round(entry[0].GetProperty("score").GetDouble(), 12)), (x, y) => Math.Abs(x - y) < 1e-5);
        JsonElement raw = await server.Ask("/predict", """{"inputs": "a good film", "adapter": "a", "raw_scores": true}""");
        Assert.Equal(expected.Logits.Max(), raw[0].GetProperty("score").GetDouble(), 1e-4);
        Assert.NotEqual(one[0].GetProperty("score").GetDouble(), (await server.Ask("/predict", """{"inputs": "a good film", "model": "tiny"}"""))[0].GetProperty("score").GetDouble(), 1e-4);
    }

    [Fact]
    public async Task EmbedNormalisesUnlessToldNotTo()
    {
        string model = SentenceModel.Write(folder);
        await using RunningServer server = await RunningServer.Start(options =>
        {
            options.ModelFolder = model;
            options.Adapters.Clear();
        });
        using TextEmbedder embedder = TextEmbedder.Load(model);
        JsonElement vectors = await server.Ask("/embed", """{"inputs": ["good", "a bad film"]}""");
        Assert.Equal(2, vectors.GetArrayLength());
        Assert.Equal(embedder.Embed("good").Values, vectors[0].EnumerateArray().Select(value => value.GetSingle()), (x, y) => Math.Abs(x - y) < 1e-5);
        JsonElement raw = await server.Ask("/embed", """{"inputs": "good", "normalize": false}""");
        Assert.NotEqual(1, raw[0].EnumerateArray().Sum(value => value.GetDouble() * value.GetDouble()), 1e-2);
        using HttpResponseMessage cut = await server.Post("/embed", """{"inputs": ["good film good film good film", "good"]}""");
        Assert.Equal(("9", "1"), (cut.Headers.GetValues("x-compute-tokens").Single(), cut.Headers.GetValues("x-cut-texts").Single()));
        (int status, string error) = await server.Refused("/embed", """{"inputs": ["good", "good film good film good film"], "truncate": false}""");
        Assert.Equal((413, true), (status, error.StartsWith("text 2 has more than the 6 tokens", StringComparison.Ordinal)));
        Assert.Equal(424, (await server.Refused("/predict", """{"inputs": "good"}""")).Status);

        // Text Embeddings Inference can cut a text's beginning; to cut its end instead would be another text.
        foreach ((string route, string rest) in ((string, string)[])[("/embed", "\"inputs\": \"good film\""), ("/rerank", "\"query\": \"good\", \"texts\": [\"film\"]")])
        {
            (status, error) = await server.Refused(route, $$"""{{{rest}}, "truncation_direction": "Left"}""");
            Assert.Equal(422, status);
            Assert.Contains("`truncation_direction` is not 'Right'", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task RerankSortsByScore()
    {
        await using RunningServer server = await RunningServer.Start();
        JsonElement ranks = await server.Ask("/rerank", """{"query": "good film", "texts": ["bad", "a good film", "film"], "return_text": true}""");
        double[] scores = [.. ranks.EnumerateArray().Select(rank => rank.GetProperty("score").GetDouble())];
        Assert.Equal(scores.OrderDescending(), scores);
        Assert.All(ranks.EnumerateArray(), rank => Assert.Equal(((string[])["bad", "a good film", "film"])[rank.GetProperty("index").GetInt32()], rank.GetProperty("text").GetString()));
        using TextReranker reranker = TextReranker.Load(TinyTenants.Base);
        Assert.Equal(reranker.Rank("good film", ["bad", "a good film", "film"])[0].Score, scores[0], 1e-5);
        JsonElement raw = await server.Ask("/rerank", """{"query": "good film", "texts": ["bad"], "raw_scores": true}""");
        Assert.Equal(reranker.Classifier.Predict("good film", "bad").Logits[1], raw[0].GetProperty("score").GetDouble(), 1e-4);
        Assert.False(raw[0].TryGetProperty("text", out _));
    }

    [Fact]
    public async Task TokenizeSaysWhereTokensAreInUtf8()
    {
        await using RunningServer server = await RunningServer.Start();
        JsonElement tokens = (await server.Ask("/tokenize", """{"inputs": "good é film"}"""))[0];
        Assert.Equal([true, false, false, false, true], tokens.EnumerateArray().Select(token => token.GetProperty("special").GetBoolean()));
        Assert.Equal(("film", 8, 12), (tokens[3].GetProperty("text").GetString(), tokens[3].GetProperty("start").GetInt32(), tokens[3].GetProperty("stop").GetInt32()));
        Assert.Equal(JsonValueKind.Null, tokens[0].GetProperty("start").ValueKind);
        Assert.Equal(3, (await server.Ask("/tokenize", """{"inputs": ["good é film"], "add_special_tokens": false}"""))[0].GetArrayLength());
    }

    [Fact]
    public async Task InfoHealthAndMetricsSayWhatTheServerIs()
    {
        await using RunningServer server = await RunningServer.Start();
        JsonElement info = await server.Ask("/info");
        Assert.Equal(("tiny", "float32", "neg"), (info.GetProperty("model_id").GetString(), info.GetProperty("model_dtype").GetString(), info.GetProperty("model_type").GetProperty("classifier").GetProperty("id2label").GetProperty("0").GetString()));
        Assert.Equal(["a", "b"], info.GetProperty("adapters").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal("ok", (await server.Ask("/health")).GetProperty("status").GetString());
        await server.Ask("/predict", """{"inputs": "good film"}""");
        string metrics = await server.Client.GetStringAsync("/metrics");
        Assert.Contains("gen_ai_client_token_usage_sum{gen_ai_request_model=\"tiny\",gen_ai_operation_name=\"classify\",gen_ai_provider_name=\"lora2\",gen_ai_token_type=\"input\"} 4\n", metrics, StringComparison.Ordinal);
        Assert.Contains("# TYPE gen_ai_server_request_duration_seconds histogram\n", metrics, StringComparison.Ordinal);
        Assert.Contains("lora2_queue_texts{gen_ai_request_model=\"tiny\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains("lora2_adapters{gen_ai_request_model=\"tiny\"} 2\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheNumberOfARegressionIsAnOutputToo()
    {
        string model = folder.File("model");
        Directory.CreateDirectory(model);
        using (SequenceClassifier one = SequenceClassifier.Create(EncoderConfigReader.FromFolder(TinyTenants.Base) with { Labels = 1, LabelNames = null }, 3)) ModelFolder.Save(one, TinyTenants.Base, model);
        await using RunningServer server = await RunningServer.Start(options =>
        {
            options.ModelFolder = model;
            options.Adapters.Clear();
        });
        JsonElement classifier = (await server.Ask("/info")).GetProperty("model_type").GetProperty("classifier");
        string name = (await server.Ask("/predict", """{"inputs": "good"}"""))[0].GetProperty("label").GetString()!;
        Assert.Equal((name, 0), (classifier.GetProperty("id2label").GetProperty("0").GetString(), classifier.GetProperty("label2id").GetProperty(name).GetInt32()));
    }

    /// <summary>Of several classes, numbers or labels none says how well a text fits.</summary>
    [Theory]
    [InlineData("classification", 3)]
    [InlineData("regression", 2)]
    [InlineData("multi-label", 2)]
    public async Task AModelThatIsNoRerankerRanksNothing(string kind, int labels)
    {
        string model = folder.File("model");
        Directory.CreateDirectory(model);
        using (SequenceClassifier made = SequenceClassifier.Create(EncoderConfigReader.FromFolder(TinyTenants.Base) with { Labels = labels, LabelNames = null, Task = TaskKinds.Named(kind) }, 3)) ModelFolder.Save(made, TinyTenants.Base, model);
        await using RunningServer server = await RunningServer.Start(options =>
        {
            options.ModelFolder = model;
            options.Adapters.Clear();
        });
        using HttpResponseMessage answer = await server.Client.PostAsync("/rerank", new StringContent("""{"query": "good", "texts": ["film", "bad"]}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(424, (int)answer.StatusCode);
        Assert.Contains($"has {labels} outputs (", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains($"has {labels} outputs (", Assert.Throws<InputException>(() => TextReranker.Load(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServicesBesideEachOtherAreInOneFamily()
    {
        using var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        IMeterFactory factory = meters.GetRequiredService<IMeterFactory>();
        using var metrics = new PrometheusMetrics(factory);
        TextService Load(string name) => TextService.Load(new LoRA2Options { ModelFolder = TinyTenants.Base, ModelName = name, Adapters = { ["a"] = TinyTenants.A } }, null, factory);
        await using (TextService one = Load("one"), two = Load("two"), same = Load("two"))
        {
            await one.PredictAsync("good");
            await two.PredictAsync("good");
            await same.PredictAsync("good");
            string[] lines = metrics.Text().Split('\n');
            string[] described = [.. lines.Where(line => line.StartsWith('#'))], samples = [.. lines.Where(line => line.Length > 0 && !line.StartsWith('#')).Select(line => line[..line.LastIndexOf(' ')])];
            Assert.Equal(described.Distinct(), described);
            Assert.Equal(samples.Distinct(), samples);
            Assert.Contains("lora2_adapters{gen_ai_request_model=\"one\"} 1", lines);
            Assert.Contains("lora2_adapters{gen_ai_request_model=\"two\"} 2", lines);
        }
    }

    [Fact]
    public async Task WhatIsNotUnderstoodIsOneSentence()
    {
        await using RunningServer server = await RunningServer.Start(server: options => options.MaxTexts = 3);
        foreach ((string path, string body, int expected) in ((string, string, int)[])
        [
            ("/predict", "{", 422),
            ("/predict", "[]", 422),
            ("/predict", "null", 422),
            ("/predict", "{}", 422),
            ("/predict", """{"inputs": []}""", 422),
            ("/predict", """{"inputs": [["a", "b", "c"]]}""", 422),
            ("/predict", """{"inputs": ["a", 1]}""", 422),
            ("/predict", """{"inputs": 1}""", 422),
            ("/predict", """{"inputs": "\ud800"}""", 422),
            ("/predict", """{"inputs": "good", "raw_scores": "yes"}""", 422),
            ("/predict", """{"inputs": "good", "adapter": "c"}""", 404),
            ("/predict", """{"inputs": "good", "adapter": "a", "model": "b"}""", 422),
            ("/predict", """{"inputs": [["a"], ["a"], ["a"], ["a"]]}""", 413),
            ("/embed", """{"inputs": "good"}""", 424),
            ("/rerank", """{"texts": ["a"]}""", 422),
            ("/rerank", """{"query": "a", "texts": [null]}""", 422),
            ("/tokenize", """{"inputs": [1]}""", 422),
        ])
        {
            (int status, string error) = await server.Refused(path, body);
            Assert.True(status == expected, $"{path} {body}: {status}, expected {expected}");
            Assert.False(string.IsNullOrWhiteSpace(error) || error.Contains('\n', StringComparison.Ordinal) || error.Contains("Exception", StringComparison.Ordinal), error);
        }
    }

    [Fact]
    public async Task BodiesAreLimitedAndMustBeJson()
    {
        await using RunningServer server = await RunningServer.Start(server: options => options.MaxBodyBytes = 1000);
        Assert.Equal(413, (await server.Refused("/predict", $$"""{"inputs": "{{new string('a', 2000)}}"}""")).Status);
        Assert.Equal(415, (await RunningServer.Refusal(await server.Client.PostAsync("/predict", new StringContent("""{"inputs": "good"}""")))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.GetAsync("/nothing")).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await server.Client.GetAsync("/predict")).StatusCode);
    }

    [Fact]
    public async Task AFullQueueIs429AndALateAnswer503()
    {
        await using RunningServer server = await RunningServer.Start(options =>
        {
            options.MaxQueuedTexts = 8;
            options.MaxBatchTokens = 1;
            options.Workers = 1;
        });
        string body = JsonSerializer.Serialize(new { inputs = Enumerable.Repeat((string[])["good film bad film a good one"], 8) });
        int refused = 0, answered = 0;
        for (int round = 0; round < 50 && refused == 0; round++)
        {
            foreach (HttpResponseMessage answer in await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => server.Post("/predict", body))))
            {
                using (answer)
                {
                    if (answer.IsSuccessStatusCode) answered++;
                    else
                    {
                        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
                        Assert.True(answer.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
                        refused++;
                    }
                }
            }
        }

        Assert.True(refused > 0 && answered > 0);
        await using RunningServer late = await RunningServer.Start(options => options.Deadline = TimeSpan.FromTicks(1));
        using HttpResponseMessage tooLate = await late.Post("/predict", """{"inputs": "good"}""");
        if (!tooLate.IsSuccessStatusCode) Assert.Equal(HttpStatusCode.ServiceUnavailable, tooLate.StatusCode);
    }

    [Fact]
    public async Task AKeyIsWantedWhereThereIsOne()
    {
        await using RunningServer server = await RunningServer.Start(server: options => options.ApiKey = "secret");
        await server.Ask("/predict", """{"inputs": "good"}""");
        using var stranger = new HttpClient { BaseAddress = server.Client.BaseAddress };
        foreach (string path in (string[])["/health", "/", "/openapi.json"]) Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync(path)).StatusCode);
        foreach (string path in (string[])["/info", "/metrics", "/v1/models", "/adapters"])
        {
            using HttpResponseMessage answer = await stranger.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        }

        foreach (string key in (string[])["secre", "secret2", "Secret", ""])
        {
            stranger.DefaultRequestHeaders.Remove("Authorization");
            stranger.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            Assert.Equal(401, (await RunningServer.Refusal(await stranger.DeleteAsync("/adapters/a"))).Status);
        }

        await using RunningServer open = await RunningServer.Start();
        Assert.Equal(403, (await RunningServer.Refusal(await open.Client.DeleteAsync("/adapters/a"))).Status);
    }

    [Fact]
    public async Task TheDocumentHasEveryRouteAndThePageLoadsNothing()
    {
        await using RunningServer server = await RunningServer.Start();
        JsonElement document = await server.Ask("/openapi.json");
        string[] documented = [.. document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Where(one => one.Name is "get" or "post" or "put" or "delete").Select(one => $"{one.Name.ToUpperInvariant()} {path.Name}")).Order()];
        string[] mapped = [.. server.App.Services.GetServices<Microsoft.AspNetCore.Routing.EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>()
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Routing.IHttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} {endpoint.RoutePattern.RawText}")).Order()];
        Assert.NotEmpty(mapped);
        Assert.Equal(mapped, documented);
        string page = await server.Client.GetStringAsync("/");
        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
    }

    private sealed class Nearly : IEqualityComparer<(string?, double)>
    {
        public bool Equals((string?, double) x, (string?, double) y) => x.Item1 == y.Item1 && Math.Abs(x.Item2 - y.Item2) < 1e-5;

        public int GetHashCode((string?, double) value) => 0;
    }
}
