using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LoRA2.Native.Hosting.Tests;

public sealed class DependencyInjectionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task AnAppHasAServiceAGeneratorAndAHealthCheck()
    {
        var log = new RecordingLog();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(log);
        builder.Services.AddLoRA2(options => options.ModelFolder = SentenceModel.Write(folder));
        builder.Services.AddHealthChecks().AddLoRA2();
        IHost host = builder.Build();
        await host.StartAsync();
        Assert.Contains(log.Lines, line => line.Contains("Model sentence loaded from", StringComparison.Ordinal));
        IEmbeddingGenerator<string, Embedding<float>> generator = host.Services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        using (TextEmbedder embedder = TextEmbedder.Load(folder.File("sentence")))
        {
            GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(["good", "bad film"]);
            Assert.Equal(embedder.Embed("good").Values[0], found[0].Vector.Span[0], 1e-5f);
            Assert.Equal(7, found.Usage!.InputTokenCount);
        }

        Assert.Equal(16, generator.GetRequiredService<EmbeddingGeneratorMetadata>().DefaultModelDimensions);
        TextService service = generator.GetRequiredService<TextService>();
        HealthReport health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, health.Status);
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
        Assert.False(service.IsOpen);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["good"]));
    }

    [Fact]
    public async Task SeveralModelsAreKeyedServices()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddLoRA2("vectors", options => options.ModelFolder = SentenceModel.Write(folder));
        services.AddLoRA2("labels", options =>
        {
            options.ModelFolder = TinyTenants.Base;
            options.Adapters["a"] = TinyTenants.A;
        });
        await using ServiceProvider provider = services.BuildServiceProvider();
        TextService labels = provider.GetRequiredKeyedService<TextService>("labels"), vectors = provider.GetRequiredKeyedService<TextService>("vectors");
        Assert.Equal(("labels", "vectors"), (labels.Name, vectors.Name));
        Assert.Equal(["a"], labels.Adapters);
        Assert.NotNull((await labels.PredictAsync("good", request: new TextRequest { Adapter = "a" })).Label);
        Assert.Equal(16, (await provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("vectors").GenerateVectorAsync("good")).Length);
        Assert.Null(provider.GetService<TextService>());
    }

    [Fact]
    public async Task WrongOptionsStopTheStart()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLoRA2(options =>
        {
            options.ModelFolder = folder.File("nowhere");
            options.Adapters["../x"] = folder.File("neither");
            options.MaxBatchTokens = 0;
        });
        using IHost host = builder.Build();
        OptionsValidationException wrong = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(4, wrong.Failures.Count());
        Assert.Contains("there is no such folder", wrong.Message, StringComparison.Ordinal);
    }
}
