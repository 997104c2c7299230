using System.Diagnostics;
using System.Diagnostics.Metrics;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Hosting.Models;
using LoRA2.Native.Hosting.Queueing;
using LoRA2.Native.Hosting.Telemetry;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tests.Embeddings;
using LoRA2.Native.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Hosting.Tests;

public sealed class TextServiceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task AnswersAreTheClassifiersWhoeverAsksBeside()
    {
        await using TextService service = TinyTenants.Load();
        Assert.Equal(["a", "b"], service.Adapters);
        foreach ((string? adapter, string? place) in ((string?, string?)[])[(null, null), ("a", TinyTenants.A), ("b", TinyTenants.B)])
        {
            using TextClassifier alone = TextClassifier.Load(TinyTenants.Base, place);
            IReadOnlyList<Prediction> expected = alone.Predict([.. TinyTenants.Texts.Select(text => new Example(text))]);
            Prediction[] found = await Task.WhenAll(TinyTenants.Texts.Select(text => service.PredictAsync(text, request: new TextRequest { Adapter = adapter })));
            for (int i = 0; i < found.Length; i++) Same(expected[i], found[i]);
            Same(alone.Predict("good", "bad film"), await service.PredictAsync("good", "bad film", new TextRequest { Adapter = adapter }));
        }
    }

    [Fact]
    public async Task AnAnswerSaysHowManyTokensThereWereAndWhetherTheTextWasCut()
    {
        await using TextService service = TinyTenants.Load(options => options.MaxLength = 6);
        Prediction whole = await service.PredictAsync("good film"), cut = await service.PredictAsync("good film good film good film");
        Assert.Equal((4, false), (whole.Tokens, whole.IsCut));
        Assert.Equal((6, true), (cut.Tokens, cut.IsCut));
        TextTooLongException refused = await Assert.ThrowsAsync<TextTooLongException>(() => service.PredictAsync([new Example("good"), new Example("good film good film good film")], new TextRequest { Truncates = false }));
        Assert.Equal(1, refused.Index);
    }

    [Fact]
    public async Task WhatAModelCannotDoIsOneSentence()
    {
        await using TextService service = TinyTenants.Load();
        Assert.Contains("makes no vectors", (await Assert.ThrowsAsync<NotSupportedException>(() => service.EmbedAsync("good"))).Message, StringComparison.Ordinal);
        UnknownAdapterException unknown = await Assert.ThrowsAsync<UnknownAdapterException>(() => service.PredictAsync("good", request: new TextRequest { Adapter = "c" }));
        Assert.Equal("model 'tiny' has no adapter 'c'; it has a, b", unknown.Message);
        await using TextService vectors = TextService.Load(new LoRA2Options { ModelFolder = SentenceModel.Write(folder), ModelName = "tiny" });
        Assert.Contains("predicts nothing", (await Assert.ThrowsAsync<NotSupportedException>(() => vectors.PredictAsync("good"))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => vectors.EmbedAsync("good", new TextRequest { Dimensions = 17 }));
        await Assert.ThrowsAsync<ArgumentException>(() => vectors.EmbedAsync("good", new TextRequest { Prompt = "none" }));
    }

    [Fact]
    public async Task AServicesOwnPrecisionIsFloat32WithoutTilesAndNearItWithThem()
    {
        var options = new LoRA2Options { ModelFolder = SentenceModel.Write(folder) };
        Assert.Equal(Precision.BFloat16x3, options.Precision);
        await using TextService service = TextService.Load(options), exact = TextService.Load(new LoRA2Options { ModelFolder = options.ModelFolder, Precision = Precision.Float32 });
        foreach (string text in TinyTenants.Texts)
        {
            float[] expected = (await exact.EmbedAsync(text)).Values, found = (await service.EmbedAsync(text)).Values;
            if (Compute.BFloat16Path != "AMX") Assert.Equal(expected, found);
            else Near(expected, found);
        }
    }

    [Fact]
    public async Task VectorsAreTheEmbedders()
    {
        string model = SentenceModel.Write(folder);
        using TextEmbedder embedder = TextEmbedder.Load(model);
        await using TextService service = TextService.Load(new LoRA2Options { ModelFolder = model, Precision = Precision.Float32 });
        Assert.Equal((true, false), (service.Embeds(), service.Predicts()));
        IReadOnlyList<TextVector> expected = embedder.Embed(TinyTenants.Texts), found = await service.EmbedAsync(TinyTenants.Texts);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal((expected[i].Tokens, expected[i].IsCut), (found[i].Tokens, found[i].IsCut));
            Near(expected[i].Values, found[i].Values);
        }

        Near(embedder.EmbedQueries(["good"])[0].Values, (await service.EmbedAsync("good", new TextRequest { Prompt = "query" })).Values);
        float[] raw = (await service.EmbedAsync("good", new TextRequest { Normalises = false })).Values, five = (await service.EmbedAsync("good", new TextRequest { Dimensions = 5 })).Values;
        Assert.NotEqual(1, Length(raw), 1e-3);
        Assert.Equal(5, five.Length);
        Assert.Equal(1, Length(five), 1e-6);
    }

    [Fact]
    public async Task AClassifierMakesVectorsWhenAPoolingIsGiven()
    {
        await using TextService service = TinyTenants.Load(options => options.Pooling = Pooling.Mean);
        using TextEmbedder embedder = TextEmbedder.Load(TinyTenants.Base);
        Near(embedder.Embed("a good film").Values, (await service.EmbedAsync("a good film", new TextRequest { Normalises = false })).Values);
        Assert.True(service.Predicts());
    }

    [Fact]
    public async Task TextsAreRanked()
    {
        await using TextService service = TinyTenants.Load();
        using TextReranker reranker = TextReranker.Load(TinyTenants.Base);
        IReadOnlyList<RankedText> expected = reranker.Rank("good film", TinyTenants.Texts), found = await service.RankAsync("good film", TinyTenants.Texts);
        Assert.Equal(expected.Select(text => text.Index), found.Select(text => text.Index));
    }

    [Fact]
    public async Task AnswersWhileAnAdapterIsReplacedAreOneVersions()
    {
        await using TextService service = TinyTenants.Load(options => options.Adapters.Remove("b"));
        Prediction ofA = await service.PredictAsync("a good film", request: new TextRequest { Adapter = "a" });
        Assert.True(await service.PutAdapterAsync("a", TinyTenants.B));
        Prediction ofB = await service.PredictAsync("a good film", request: new TextRequest { Adapter = "a" });
        Assert.NotEqual(ofA.Score, ofB.Score, 1e-4);
        using var stop = new CancellationTokenSource();
        Task<int>[] callers = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            int answers = 0;
            // One at least, also where the machine has other work.
            do
            {
                double score = (await service.PredictAsync("a good film", request: new TextRequest { Adapter = "a" })).Score;
                Assert.True(Math.Abs(score - ofA.Score) < 1e-5 || Math.Abs(score - ofB.Score) < 1e-5, $"{score} is neither {ofA.Score} nor {ofB.Score}");
                answers++;
            }
            while (!stop.IsCancellationRequested);

            return answers;
        }))];
        for (int i = 0; i < 20; i++) await service.PutAdapterAsync("a", i % 2 == 0 ? TinyTenants.A : TinyTenants.B);
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(callers), answers => Assert.True(answers > 0));
        await Assert.ThrowsAsync<InputException>(() => service.PutAdapterAsync("a", folder.Path));
        await Assert.ThrowsAsync<ArgumentException>(() => service.PutAdapterAsync("../a", TinyTenants.A));
        Assert.Equal(ofB.Score, (await service.PredictAsync("a good film", request: new TextRequest { Adapter = "a" })).Score, 1e-5);
        Assert.True(service.RemoveAdapter("a"));
        Assert.False(service.RemoveAdapter("a"));
        await Assert.ThrowsAsync<UnknownAdapterException>(() => service.PredictAsync("good", request: new TextRequest { Adapter = "a" }));
    }

    [Fact]
    public async Task AdaptersThatAreNotInMemoryAreReadWhenTheyAreAskedFor()
    {
        await using TextService service = TinyTenants.Load(options => options.MaxResidentAdapters = 1);
        await using TextService all = TinyTenants.Load();
        Prediction[] found = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => service.PredictAsync("a good film", request: new TextRequest { Adapter = i % 2 == 0 ? "a" : "b" })));
        Prediction a = await all.PredictAsync("a good film", request: new TextRequest { Adapter = "a" }), b = await all.PredictAsync("a good film", request: new TextRequest { Adapter = "b" });
        for (int i = 0; i < found.Length; i++) Same(i % 2 == 0 ? a : b, found[i]);
        Assert.Single(service.Hosted, adapter => adapter.IsResident);
    }

    [Fact]
    public async Task DisposalUnderLoadAnswersOrRefuses()
    {
        TextService service = TinyTenants.Load();
        int answered = 0;
        Task[] callers = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await service.PredictAsync("a good film", request: new TextRequest { Adapter = "b" });
                    Interlocked.Increment(ref answered);
                }
            }
            catch (ObjectDisposedException)
            {
            }
        }))];
        while (Volatile.Read(ref answered) < 50) await Task.Delay(1);
        await service.DisposeAsync();
        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.False(service.IsOpen);
        await service.DisposeAsync();
    }

    [Fact]
    public async Task AnAdaptersVectorsHaveTheLengthThatIsAskedFor()
    {
        string adapter = OddAdapters.Embedder(folder);
        await using TextService service = TinyTenants.Load(options => options.Adapters["e"] = adapter);
        using TextEmbedder embedder = TextEmbedder.Load(TinyTenants.Base, adapter, new EmbedderOptions { Normalises = false });
        float[] expected = embedder.Embed("a good film").Values;
        Assert.NotEqual(1, Length(expected), 1e-2);
        Near(expected, (await Of(new TextRequest { Adapter = "e", Normalises = false })).Values);
        Near(expected[..5], (await Of(new TextRequest { Adapter = "e", Normalises = false, Dimensions = 5 })).Values);
        Near(Array.ConvertAll(expected, value => (float)(value / Length(expected))), (await Of(new TextRequest { Adapter = "e" })).Values);
        Task<TextVector> Of(TextRequest request) => service.EmbedAsync("a good film", request);
    }

    [Fact]
    public async Task AnAdapterHasAnotherNameThanTheModel()
    {
        await using TextService service = TinyTenants.Load();
        InputException wrong = await Assert.ThrowsAsync<InputException>(() => service.PutAdapterAsync("tiny", TinyTenants.A));
        Assert.Equal("an adapter was to be called 'tiny', which is the model's own name", wrong.Message);
        Assert.Equal(["a", "b"], service.Adapters);
        Assert.Throws<InputException>(() => TinyTenants.Load(options => options.Adapters["tiny"] = TinyTenants.A));
    }

    [Fact]
    public void AServiceWhoseAdapterIsDamagedLeavesNothingBehind()
    {
        Assert.Throws<InputException>(() => TinyTenants.Load(options => (options.ModelName, options.Adapters["c"]) = ("leaving", folder.Path)));
        var seen = new List<string>();
        using var meters = new MeterListener { InstrumentPublished = static (instrument, own) => own.EnableMeasurementEvents(instrument) };
        meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) =>
        {
            if (tags.ToArray().Contains(new("gen_ai.request.model", "leaving"))) seen.Add(instrument.Name);
        });
        meters.Start();
        meters.RecordObservableInstruments();
        Assert.Empty(seen);
    }

    [Fact]
    public void AListenerThatAsksWhileAServiceIsMadeIsAnswered()
    {
        var seen = new Dictionary<string, double>();
        using var meters = new MeterListener
        {
            InstrumentPublished = static (instrument, own) =>
            {
                own.EnableMeasurementEvents(instrument);
                own.RecordObservableInstruments();
            },
        };
        meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => See(instrument, value, tags));
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => See(instrument, value, tags));
        meters.Start();
        using TextService service = TinyTenants.Load(options => options.ModelName = "asked");
        Assert.Equal(["lora2.adapters", "lora2.queue.texts", "lora2.queue.tokens"], seen.Keys.Order(StringComparer.Ordinal));

        void See(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (!tags.ToArray().Contains(new("gen_ai.request.model", "asked"))) return;
            lock (seen) seen[instrument.Name] = value;
        }
    }

    [Fact]
    public void AServiceThatIsOverShowsNothingThroughAFactorysMeter()
    {
        using ServiceProvider provider = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var seen = new List<string>();
        using var meters = new MeterListener { InstrumentPublished = static (instrument, own) => own.EnableMeasurementEvents(instrument) };
        meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) =>
        {
            if (tags.ToArray().Contains(new("gen_ai.request.model", "over"))) seen.Add(instrument.Name);
        });
        meters.Start();
        var options = new LoRA2Options { ModelFolder = TinyTenants.Base, ModelName = "over" };
        using (TextService.Load(options, null, provider.GetRequiredService<IMeterFactory>())) meters.RecordObservableInstruments();
        Assert.Equal(["lora2.adapters", "lora2.queue.texts"], seen.Order(StringComparer.Ordinal));
        seen.Clear();
        meters.RecordObservableInstruments();
        Assert.Empty(seen);
    }

    [Fact]
    public void AnAdapterOfAnotherBaseIsInTheLog()
    {
        var log = new RecordingLog();
        using var logging = new LoggerFactory([log]);
        using TextService service = TextService.Load(new LoRA2Options { ModelFolder = TinyTenants.Base, ModelName = "tiny", Adapters = { ["a"] = TinyTenants.A, ["x"] = OddAdapters.OfAnotherBase(folder) } }, logging);
        Assert.Contains("Adapter x of model tiny: adapter_model.safetensors: the adapter was trained on a base model with other weights", log.Lines);
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("Adapter a of model tiny:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AFileThatIsCutWhileItIsReadIsRefused()
    {
        string adapter = folder.File("cut"), weights = Path.Combine(adapter, "adapter_model.safetensors");
        SentenceModel.Copy(TinyTenants.A, adapter);
        byte[] whole = File.ReadAllBytes(weights);
        await using TextService service = TinyTenants.Load();
        using var stop = new CancellationTokenSource();
        Task cutting = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                // In place, as a copy over it does; a mapping of the file would end the process.
                using var file = new FileStream(weights, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 0);
                file.SetLength(0);
                file.Write(whole);
            }
        });
        var results = new List<Exception?>();
        for (int i = 0; i < 300; i++) results.Add(await Record.ExceptionAsync(() => service.PutAdapterAsync("cut", adapter)));
        await stop.CancelAsync();
        await cutting;
        Assert.All(results, result => Assert.True(result is null or InputException, result?.ToString()));
        await service.PutAdapterAsync("cut", adapter);
    }

    [Fact]
    public async Task AnAdapterWhosePoolingHasChangedIsNotReadAgain()
    {
        string adapter = OddAdapters.Embedder(folder), pooling = Path.Combine(adapter, "1_Pooling", "config.json");
        await using TextService service = TinyTenants.Load(options => (options.MaxResidentAdapters, options.Adapters["0"]) = (1, adapter));
        await service.EmbedAsync("good", new TextRequest { Adapter = "0" });
        await service.PredictAsync("good", request: new TextRequest { Adapter = "a" });
        File.WriteAllText(pooling, $$"""{"word_embedding_dimension": {{SentenceModel.Width}}, "pooling_mode_cls_token": true}""");
        InputException changed = await Assert.ThrowsAsync<InputException>(() => service.EmbedAsync("good", new TextRequest { Adapter = "0" }));
        Assert.Contains("the files have changed", changed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OnlyWhatIsComputedBringsAnAdapterIntoMemory()
    {
        string adapter = folder.File("cold");
        SentenceModel.Copy(TinyTenants.A, adapter);
        await using TextService service = TinyTenants.Load(options => (options.MaxResidentAdapters, options.MaxQueuedTexts, options.Adapters["0"]) = (1, 2, adapter));
        await service.PredictAsync("good", request: new TextRequest { Adapter = "a" });
        Directory.Delete(adapter, recursive: true);
        Assert.Equal(service.Tokenize("good film").Ids, service.Tokenize("good film", adapter: "0").Ids);
        Assert.Throws<UnknownAdapterException>(() => service.Tokenize("good film", adapter: "c"));
        // Nor is one read for a call that there is no room for.
        await Assert.ThrowsAsync<ArgumentException>(() => service.PredictAsync([.. TinyTenants.Texts.Select(text => new Example(text))], new TextRequest { Adapter = "0" }));
        await Assert.ThrowsAsync<ArgumentException>(() => service.EmbedAsync(TinyTenants.Texts, new TextRequest { Adapter = "0" }));
        Assert.Equal("a", Assert.Single(service.Hosted, hosted => hosted.IsResident).Name);
        await service.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => service.Tokenize("good film"));
    }

    [Fact]
    public async Task ATokenTypeThatTheModelLacksIsRefusedBeforeItIsComputed()
    {
        string model = folder.File("untyped");
        Directory.CreateDirectory(model);
        using (SequenceClassifier untyped = SequenceClassifier.Create(EncoderConfigReader.FromFolder(TinyTenants.Base) with { TypeVocabularySize = 1 }, 3)) ModelFolder.Save(untyped, TinyTenants.Base, model);
        string config = Path.Combine(model, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"type_vocab_size\": 2", "\"type_vocab_size\": 1", StringComparison.Ordinal));
        var log = new RecordingLog();
        using var logging = new LoggerFactory([log]);
        await using TextService service = TextService.Load(new LoRA2Options { ModelFolder = model, ModelName = "tiny" }, logging);
        await service.PredictAsync("good");
        InputException wrong = await Assert.ThrowsAsync<InputException>(() => service.PredictAsync("good", "film"));
        Assert.Contains("type_vocab_size is 1", wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Model tiny could not compute a text", log.Lines);
    }

    [Fact]
    public async Task TooManyTextsAtOnceAreRefused()
    {
        await using TextService service = TinyTenants.Load(options => options.MaxQueuedTexts = 2);
        await Assert.ThrowsAsync<ArgumentException>(() => service.PredictAsync([.. TinyTenants.Texts.Select(text => new Example(text))]));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => service.PredictAsync("good", cancellation: new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task CallsAreMeasuredAndTraced()
    {
        var spans = new List<Activity>();
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == LoRA2Telemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if ((string?)activity.GetTagItem("gen_ai.request.model") == "measured") lock (spans) spans.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(activities);
        long tokens = 0;
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Name == "gen_ai.client.token.usage") own.EnableMeasurementEvents(instrument);
            },
        };
        meters.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (tags.ToArray().Contains(new("gen_ai.request.model", "measured"))) Interlocked.Add(ref tokens, value);
        });
        meters.Start();
        await using TextService service = TinyTenants.Load(options => options.ModelName = "measured");
        await service.PredictAsync("good film", request: new TextRequest { Adapter = "a" });
        await Assert.ThrowsAsync<NotSupportedException>(() => service.EmbedAsync("good"));
        Assert.Equal(4, tokens);
        Assert.Equal(["classify measured", "embeddings measured"], spans.Select(span => span.DisplayName));
        Assert.Equal(("a", 4L), ((string)spans[0].GetTagItem("lora2.adapter")!, (long)spans[0].GetTagItem("gen_ai.usage.input_tokens")!));
        Assert.Equal((ActivityStatusCode.Error, typeof(NotSupportedException).FullName), (spans[1].Status, (string?)spans[1].GetTagItem("error.type")));
    }

    private static void Same(Prediction expected, Prediction found)
    {
        Assert.Equal((expected.Label, expected.Tokens, expected.IsCut), (found.Label, found.Tokens, found.IsCut));
        for (int i = 0; i < expected.Probabilities!.Count; i++) Assert.Equal(expected.Probabilities[i], found.Probabilities![i], 1e-5);
    }

    private static void Near(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-5f);
    }

    private static double Length(float[] vector) => Math.Sqrt(vector.Sum(value => (double)value * value));
}
