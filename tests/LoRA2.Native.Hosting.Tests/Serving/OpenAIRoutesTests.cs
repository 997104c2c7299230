using System.ClientModel;
using System.Text.Json;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Embeddings;

namespace LoRA2.Native.Hosting.Tests.Serving;

/// <summary>OpenAI's routes, also by OpenAI's own client.</summary>
public sealed class OpenAIRoutesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task OpenAIsClientGetsTheEmbeddersVectors()
    {
        await using RunningServer server = await Start("secret");
        var client = new OpenAIClient(new ApiKeyCredential("secret"), new OpenAIClientOptions { Endpoint = new Uri(server.Client.BaseAddress!, "v1") });
        using IEmbeddingGenerator<string, Embedding<float>> generator = client.GetEmbeddingClient("tiny").AsIEmbeddingGenerator();
        using TextEmbedder embedder = TextEmbedder.Load(folder.File("sentence"));
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(TinyTenants.Texts);
        IReadOnlyList<TextVector> expected = embedder.Embed(TinyTenants.Texts);
        for (int i = 0; i < expected.Count; i++) Assert.Equal(expected[i].Values, found[i].Vector.ToArray(), (x, y) => Math.Abs(x - y) < 1e-5);
        Assert.Equal(expected.Sum(vector => vector.Tokens), found.Usage!.InputTokenCount);
        Assert.Equal(5, (await generator.GenerateVectorAsync("good", new Microsoft.Extensions.AI.EmbeddingGenerationOptions { Dimensions = 5 })).Length);
        OpenAIEmbeddingCollection ids = await client.GetEmbeddingClient("tiny").GenerateEmbeddingsAsync([(ReadOnlyMemory<int>)embedder.Tokenizer.Encode("good")]);
        Assert.Equal(embedder.Embed("good").Values, ids[0].ToFloats().ToArray(), (x, y) => Math.Abs(x - y) < 1e-5);
        ClientResultException unknown = await Assert.ThrowsAsync<ClientResultException>(() => client.GetEmbeddingClient("gpt").GenerateEmbeddingAsync("good"));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("model 'tiny' has no adapter 'gpt'", unknown.Message, StringComparison.Ordinal);
        Assert.Equal(["tiny"], (await client.GetOpenAIModelClient().GetModelsAsync()).Value.Select(model => model.Id));
        var stranger = new OpenAIClient(new ApiKeyCredential("other"), new OpenAIClientOptions { Endpoint = new Uri(server.Client.BaseAddress!, "v1") });
        Assert.Equal(401, (await Assert.ThrowsAsync<ClientResultException>(() => stranger.GetEmbeddingClient("tiny").GenerateEmbeddingAsync("good"))).Status);
    }

    [Fact]
    public async Task FloatsAndBase64AreTheSameNumbers()
    {
        await using RunningServer server = await Start();
        JsonElement floats = await server.Ask("/v1/embeddings", """{"input": "good", "model": "tiny"}"""), packed = await server.Ask("/v1/embeddings", """{"input": ["good"], "encoding_format": "base64"}""");
        Assert.Equal(("list", "tiny", "embedding", 0), (floats.GetProperty("object").GetString(), floats.GetProperty("model").GetString(), floats.GetProperty("data")[0].GetProperty("object").GetString(), floats.GetProperty("data")[0].GetProperty("index").GetInt32()));
        float[] values = [.. floats.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(value => value.GetSingle())];
        byte[] bytes = packed.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        Assert.Equal(values, Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToSingle(bytes, 4 * i)));
        Assert.Equal((3, 3), (floats.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), floats.GetProperty("usage").GetProperty("total_tokens").GetInt32()));
    }

    [Fact]
    public async Task ErrorsAreOpenAIs()
    {
        await using RunningServer server = await Start();
        foreach ((string body, int status, string part) in ((string, int, string)[])
        [
            ("{}", 400, "missing"),
            ("""{"input": []}""", 400, "empty"),
            ("""{"input": [[]]}""", 400, "no tokens"),
            ("""{"input": [[99999]]}""", 400, "token 99999"),
            ("""{"input": [[-1]]}""", 400, "token -1"),
            ("""{"input": [1.5]}""", 400, "no whole number"),
            ("""{"input": "good", "encoding_format": "int8"}""", 400, "encoding_format"),
            ("""{"input": "good", "dimensions": 0}""", 400, "0 dimensions"),
            ("""{"input": "good", "dimensions": 17}""", 400, "17 dimensions"),
            ("""{"input": "good", "model": "x"}""", 404, "no adapter 'x'"),
        ])
        {
            using HttpResponseMessage answer = await server.Post("/v1/embeddings", body);
            JsonElement error = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Contains(part, error.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Equal(["code", "message", "param", "type"], error.EnumerateObject().Select(field => field.Name).Order());
        }
    }

    private Task<RunningServer> Start(string? key = null)
    {
        string model = SentenceModel.Write(folder);
        return RunningServer.Start(
            options =>
            {
                options.ModelFolder = model;
                options.Adapters.Clear();
            },
            options => options.ApiKey = key);
    }
}
