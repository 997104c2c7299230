using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tests.Encoders;

namespace LoRA2.Native.Tests.Inference;

/// <summary>The oracle is a <see cref="TextClassifier"/> with one adapter, which the golden traces check.</summary>
public sealed class AdapterHostTests
{
    private static readonly string[] Texts = HostedFolders.Texts;

    public static TheoryData<string> Types => [.. ConfigText.Types];

    public static TheoryData<string> Methods => [.. HostedFolders.Methods];

    /// <summary>Adapters of every method in one batch, each with other labels and another length, give what each gives alone.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void ABatchOfAllMethodsGivesEachItsOwnAnswers(string type)
    {
        using var folders = new HostedFolders(type);
        using AdapterHost host = AdapterHost.Load(folders.Base);
        var requests = new List<AdapterRequest>();
        var expected = new List<Prediction>();
        foreach ((int i, string method) in HostedFolders.Methods.Index())
        {
            string adapter = folders.Adapter(method, method, 2 + (i % 4), 10 + i, maxLength: i % 2 == 0 ? null : 5 + i, head: i % 3 == 0 ? HeadTraining.Classifier : HeadTraining.All);
            HostedAdapter put = host.Put(method, adapter);
            Assert.Equal(method, put.Settings.Method.Name);
            // ModernBERT has no biases.
            Assert.Equal(method != "bitfit" || type == "modernbert", put.SharesBatches);
            using TextClassifier alone = TextClassifier.Load(folders.Base, adapter);
            Assert.Equal(alone.MaxLength, put.MaxLength);
            requests.AddRange(Texts.Select(text => new AdapterRequest(method, text)));
            expected.AddRange(Texts.Select(text => alone.Predict(text)));
        }

        requests.Add(new AdapterRequest(null, Texts[0], type == "bert" ? Texts[1] : null));
        using (TextClassifier alone = TextClassifier.Load(folders.Base)) expected.Add(alone.Predict(Texts[0], type == "bert" ? Texts[1] : null));
        int[] order = [.. Enumerable.Range(0, requests.Count)];
        new Random(5).Shuffle(order);
        foreach (int batchSize in (int[])[1, 7, 64])
        {
            IReadOnlyList<Prediction> answers = host.Predict([.. order.Select(i => requests[i])], batchSize);
            foreach ((int place, int i) in order.Index()) Same(expected[i], answers[place], 1e-5);
        }
    }

    /// <summary>DeBERTa's positions go through the layers of keys and queries too, and have no rows of the batch's.</summary>
    [Theory]
    [InlineData("value_proj")]
    [InlineData("key_proj")]
    public void AdaptersOnOneLayerShareABatch(string target)
    {
        using var folders = new HostedFolders("deberta-v2");
        using AdapterHost host = AdapterHost.Load(folders.Base);
        string[] adapters = [folders.Adapter("a", targets: [target]), folders.Adapter("b", targets: [target], seed: 2)];
        foreach (string adapter in adapters) host.Put(Path.GetFileName(adapter), adapter);
        IReadOnlyList<Prediction> found = host.Predict([.. Texts.SelectMany(text => (AdapterRequest[])[new("a", text), new("b", text)])]);
        for (int which = 0; which < 2; which++)
        {
            using TextClassifier alone = TextClassifier.Load(folders.Base, adapters[which]);
            for (int i = 0; i < Texts.Length; i++) Same(alone.Predict(Texts[i]), found[(2 * i) + which], 1e-5);
        }
    }

    /// <summary>Where the host computes the products that the classifier computes, its bits are the classifier's; the others' factors are multiplied in another order.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void AloneItHasTheBitsOfAClassifier(string method)
    {
        using var folders = new HostedFolders("deberta-v2");
        using AdapterHost host = AdapterHost.Load(folders.Base);
        string adapter = folders.Adapter("own", method);
        using TextClassifier alone = TextClassifier.Load(folders.Base, adapter);
        host.Put("own", adapter);
        IReadOnlyList<Prediction> expected = alone.Predict([.. Texts.Select(text => new Example(text))], batchSize: 2);
        IReadOnlyList<Prediction> found = host.Predict([.. Texts.Select(text => new AdapterRequest("own", text))], batchSize: 2);
        for (int i = 0; i < Texts.Length; i++) Same(expected[i], found[i], method is "lora-xs" ? 1e-6 : 0);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void MergedItGivesTheSameAnswers(string method)
    {
        using var folders = new HostedFolders();
        using AdapterHost host = AdapterHost.Load(folders.Base);
        string adapter = folders.Adapter("own", method);
        host.Put("own", adapter);
        host.Put("other", folders.Adapter("other", seed: 2));
        using TextClassifier merged = TextClassifier.Load(folders.Base, adapter);
        using MergedAdapters weights = merged.Model.Merge();
        IReadOnlyList<Prediction> found = host.Predict([.. Texts.SelectMany(text => (AdapterRequest[])[new("own", text), new("other", text)])]);
        for (int i = 0; i < Texts.Length; i++) Same(merged.Predict(Texts[i]), found[2 * i], 2e-5);
    }

    [Theory]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.BFloat16x3)]
    public void RoundedProductsAreThoseOfAClassifier(Precision precision)
    {
        using var folders = new HostedFolders();
        using AdapterHost host = AdapterHost.Load(folders.Base, precision);
        string[] adapters = [folders.Adapter("one", "lora2"), folders.Adapter("two", "lora", 3, 2)];
        foreach (string adapter in adapters) Assert.Empty(host.Put(Path.GetFileName(adapter), adapter).Settings.Warnings);
        IReadOnlyList<Prediction> found = host.Predict([.. Texts.SelectMany(text => (AdapterRequest[])[new("one", text), new("two", text)])]);
        for (int which = 0; which < 2; which++)
        {
            using TextClassifier alone = TextClassifier.Load(folders.Base, adapters[which], precision);
            for (int i = 0; i < Texts.Length; i++) Same(alone.Predict(Texts[i]), found[(2 * i) + which], precision == Precision.BFloat16 ? 1e-2 : 1e-4);
        }
    }

    [Fact]
    public void AnAdapterIsReplacedAndRemoved()
    {
        using var folders = new HostedFolders();
        using AdapterHost host = AdapterHost.Load(folders.Base);
        HostedAdapter first = host.Put("b", folders.Adapter("first")), other = host.Put("a", folders.Adapter("other", labels: 4));
        Prediction before = host.Predict("b", Texts[0]);
        HostedAdapter second = host.Put("b", folders.Adapter("second", labels: 3, seed: 7));
        Assert.True(first.Version < other.Version && other.Version < second.Version);
        Assert.Equal(["a", "b"], host.Adapters.Select(adapter => adapter.Name));
        Assert.Equal(3, host.Predict("b", Texts[0]).Probabilities!.Count);
        Assert.Equal(2, before.Probabilities!.Count);
        Assert.Equal(second.Version, host.Answer([new("b", Texts[0])])[0].Version);
        Assert.True(host.Remove("b"));
        Assert.False(host.Remove("b"));
        Assert.Null(host.Find("b"));
        Assert.Equal("there is no adapter 'b'", Assert.Throws<InputException>(() => host.Predict("b", Texts[0])).Message);
        IReadOnlyList<AdapterAnswer> answers = host.Answer([new("b", Texts[0]), new("a", Texts[0])]);
        Assert.Equal("there is no adapter 'b'", answers[0].Error!.Message);
        Assert.Equal(4, answers[1].Prediction!.Probabilities!.Count);
    }

    [Fact]
    public void AnEmptyNameIsNotTheModelAlone()
    {
        using var folders = new HostedFolders();
        using AdapterHost host = AdapterHost.Load(folders.Base);
        IReadOnlyList<AdapterAnswer> first = host.Answer([new("", Texts[0]), new(null, Texts[0])]), last = host.Answer([new(null, Texts[0]), new("", Texts[0])]);
        Assert.All([first[0], last[1]], answer => Assert.Equal("there is no adapter ''", answer.Error?.Message));
        Assert.All([first[1], last[0]], answer => Assert.NotNull(answer.Prediction));
    }

    /// <summary>A word whose vector overflows in the first sum, beside texts without it: with an adapter that shares batches, and with one that can't.</summary>
    [Theory]
    [InlineData("lora")]
    [InlineData("bitfit")]
    public void ATextThatOverflowsLeavesTheOthersTheirAnswers(string method)
    {
        using var folders = new HostedFolders();
        folders.Overflow(Texts[2]);
        using AdapterHost host = AdapterHost.Load(folders.Base);
        Assert.Equal(method == "lora", host.Put("own", folders.Adapter("own", method)).SharesBatches);
        IReadOnlyList<AdapterAnswer> answers = host.Answer([.. Texts.Select(text => new AdapterRequest("own", text))]);
        foreach ((int i, AdapterAnswer answer) in answers.Index())
        {
            if (i == 2) Assert.Equal("adapter 'own' answers NaN: numbers on the way overflow", answer.Error?.Message);
            else Assert.NotNull(answer.Prediction);
        }
    }

    [Fact]
    public void AFolderWithAFaultLeavesTheAdapterThatWasThere()
    {
        using var folders = new HostedFolders();
        using AdapterHost host = AdapterHost.Load(folders.Base);
        host.Put("own", folders.Adapter("good"));
        Prediction before = host.Predict("own", Texts[0]);
        string bad = folders.Adapter("bad");
        string weights = Path.Combine(bad, AdapterFolder.WeightsFile);
        byte[] whole = File.ReadAllBytes(weights);
        foreach (int length in (int[])[0, 7, 100, whole.Length - 1])
        {
            File.WriteAllBytes(weights, whole[..length]);
            Assert.Throws<InputException>(() => host.Put("own", bad));
        }

        Assert.Contains("is a model's folder, not an adapter's", Assert.Throws<InputException>(() => host.Put("own", folders.Base)).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => host.Put("own", Path.Combine(bad, "nowhere")));
        Assert.Equal(before.Probabilities, host.Predict("own", Texts[0]).Probabilities);
        Assert.Single(host.Adapters);
    }

    /// <summary>More adapters than fit: those asked for least recently go, and come back with the same bits.</summary>
    [Fact]
    public void ColdAdaptersAreReadAgain()
    {
        using var folders = new HostedFolders();
        using AdapterHost all = AdapterHost.Load(folders.Base);
        using AdapterHost few = AdapterHost.Load(folders.Base, options: new AdapterHostOptions { MaxResident = 2 });
        string[] names = [.. Enumerable.Range(0, 5).Select(i => $"a{i}")];
        foreach ((int i, string name) in names.Index())
        {
            string adapter = folders.Adapter(name, i % 2 == 0 ? "lora2" : "bitfit", 2 + i, 20 + i);
            Assert.Equal(all.Put(name, adapter).Version, few.Put(name, adapter).Version);
        }

        Assert.Equal(["a3", "a4"], few.Adapters.Where(adapter => adapter.IsResident).Select(adapter => adapter.Name));
        AdapterRequest[] requests = [.. names.SelectMany(name => Texts.Select(text => new AdapterRequest(name, text)))];
        for (int round = 0; round < 3; round++)
        {
            foreach ((AdapterAnswer expected, AdapterAnswer found) in all.Answer(requests).Zip(few.Answer(requests)))
            {
                Assert.Equal(expected.Prediction!.Probabilities, found.Prediction!.Probabilities);
                Assert.Equal(expected.Version, found.Version);
            }

            Assert.Equal(2, few.Adapters.Count(adapter => adapter.IsResident));
        }

        long bytes = all.Adapters.Sum(adapter => adapter.Bytes);
        using AdapterHost small = AdapterHost.Load(folders.Base, options: new AdapterHostOptions { MaxResidentBytes = bytes / 2 });
        foreach (string name in names) small.Put(name, all.Find(name)!.Folder);
        Assert.InRange(small.Adapters.Where(adapter => adapter.IsResident).Sum(adapter => adapter.Bytes), 1, bytes / 2);
    }

    [Fact]
    public void AColdAdapterWhoseFilesChangedIsRefusedUntilItIsPutAgain()
    {
        using var folders = new HostedFolders();
        using AdapterHost host = AdapterHost.Load(folders.Base, options: new AdapterHostOptions { MaxResident = 1 });
        host.Put("own", folders.Adapter("own"));
        host.Put("other", folders.Adapter("other", seed: 2));
        folders.Adapter("own", seed: 3);
        IReadOnlyList<AdapterAnswer> answers = host.Answer([new("own", Texts[0]), new("other", Texts[0])]);
        Assert.Contains("the files have changed since the adapter 'own' was put here; put it here again", answers[0].Error!.Message, StringComparison.Ordinal);
        Assert.NotNull(answers[1].Prediction);
        host.Put("own", host.Find("own")!.Folder);
        using TextClassifier alone = TextClassifier.Load(folders.Base, host.Find("own")!.Folder);
        Assert.Equal(alone.Predict(Texts[0]).Probabilities, host.Predict("own", Texts[0]).Probabilities);
    }

    [Fact]
    public void AModelWithoutAHeadOfItsOwnAnswersByAdaptersAlone()
    {
        using var folders = new HostedFolders();
        folders.SaveAsEncoder();
        using AdapterHost host = AdapterHost.Load(folders.Base);
        Assert.Null(host.OwnTask);
        Assert.Null(host.TakeEmbedder());
        Assert.Contains("without it the answers would be random", Assert.Throws<InputException>(() => host.Predict(null, Texts[0])).Message, StringComparison.Ordinal);
        host.Put("own", folders.Adapter("own", labels: 5));
        Assert.Equal(5, host.Predict("own", Texts[0]).Probabilities!.Count);
    }

    /// <summary>As a server asks for it: vectors are made of a model that does nothing else, and of another only where a pooling is given.</summary>
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, null)]
    [InlineData(false, Pooling.Max)]
    public void AModelWithoutAHeadEmbedsWhereThatIsAskedFor(bool isHeadless, Pooling? pooling)
    {
        using var folders = new HostedFolders();
        if (isHeadless) folders.SaveAsEncoder();
        using AdapterHost host = AdapterHost.Load(folders.Base, options: new AdapterHostOptions { EmbedsWithoutHead = true, Pooling = pooling });
        using AdapterLease? vectors = host.TakeEmbedder();
        Assert.Equal(isHeadless ? Pooling.Mean : pooling, vectors?.Embeds!.Pooling);
        if (!isHeadless) return;
        using TextEmbedder alone = TextEmbedder.Load(folders.Base);
        Near(alone.Embed(Texts[0]), host.Answer([new(null, Texts[0])])[0].Vector!);
    }

    /// <summary>Vectors and predictions share batches; the oracle of vectors is <see cref="TextEmbedder"/>.</summary>
    [Fact]
    public void VectorsAreThoseOfAnEmbedder()
    {
        using var folders = new HostedFolders();
        folders.SaveWithoutHead();
        string adapter = folders.Embedder("vectors");
        using AdapterHost host = AdapterHost.Load(folders.Base);
        host.Put("vectors", adapter);
        host.Put("labels", folders.Adapter("labels"));
        IReadOnlyList<AdapterAnswer> answers = host.Answer([.. Texts.SelectMany(text => (AdapterRequest[])[new("vectors", text), new(null, text), new("labels", text)])]);
        using TextEmbedder alone = TextEmbedder.Load(folders.Base), adapted = TextEmbedder.Load(folders.Base, adapter);
        for (int i = 0; i < Texts.Length; i++)
        {
            Near(adapted.Embed(Texts[i]), answers[3 * i].Vector!);
            Near(alone.Embed(Texts[i]), answers[(3 * i) + 1].Vector!);
            Assert.NotNull(answers[(3 * i) + 2].Prediction);
        }

        Assert.Contains("makes vectors", Assert.Throws<InputException>(() => host.Predict("vectors", Texts[0])).Message, StringComparison.Ordinal);
        using AdapterHost unit = AdapterHost.Load(folders.Base, options: new AdapterHostOptions { Pooling = Pooling.Cls, Normalises = true });
        Assert.Equal(1, System.Numerics.Tensors.TensorPrimitives.Norm<float>(unit.Answer([new(null, Texts[0])])[0].Vector!.Values), 1e-5);
    }

    /// <summary>An adapter's folder that is not sentence-transformers' leaves pooling, length and prompts to the base's, as for <see cref="TextEmbedder"/>.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnAdapterThatSaysNothingOfVectorsHasThoseOfItsBase(bool isBelow)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Embedder("vectors");
        foreach (string file in Directory.GetFiles(adapter, "*sentence*").Append(Path.Combine(adapter, "modules.json"))) File.Delete(file);
        string model = folders.SaveAsSentences(isBelow, new EmbeddingSettings { Pooling = Pooling.Cls, Normalises = true, MaxLength = 9, Prompts = new Dictionary<string, string> { ["query"] = "good " }, DefaultPrompt = "query" });
        using AdapterHost host = AdapterHost.Load(model);
        host.Put("vectors", adapter);
        using TextEmbedder alone = TextEmbedder.Load(model, adapter);
        foreach (string text in Texts) Near(alone.Embed(text), host.Answer([new("vectors", text)])[0].Vector!);
    }

    /// <summary>A request that waits is answered by the version that it was accepted for, which is freed with its lease.</summary>
    [Fact]
    public void ALeaseKeepsItsVersion()
    {
        using var folders = new HostedFolders();
        AdapterHost host = AdapterHost.Load(folders.Base);
        host.Put("own", folders.Adapter("first"));
        host.Put("alone", folders.Adapter("alone", "bitfit", 3));
        AdapterTokens Tokens(AdapterLease lease)
        {
            List<int> ids = [], types = [];
            host.Tokenizer.EncodePair(Texts[0], null, lease.MaxLength, ids, types);
            return new AdapterTokens(lease, ids, types);
        }

        IReadOnlyList<float> first = host.Predict("own", Texts[0]).Logits;
        AdapterLease before = host.Take("own");
        host.Put("own", folders.Adapter("second", labels: 4, seed: 8));
        using AdapterLease after = host.Take("own"), alone = host.Take("alone");
        host.Remove("own");
        IReadOnlyList<AdapterOutput> outputs = host.Compute([Tokens(before), Tokens(after), Tokens(alone)]);
        foreach ((float right, float found) in first.Zip(outputs[0].Values)) Assert.Equal(right, found, 1e-5);
        Assert.Equal([2, 4, 3], outputs.Select(output => output.Values.Length));
        Assert.Equal((4, "own", after.Version), (after.Config.Labels, after.Name, before.Version + 2));
        before.Dispose();
        before.Dispose();
        Assert.Throws<ObjectDisposedException>(() => host.Compute([Tokens(before)]));
        Assert.Throws<InputException>(() => host.Take("own"));
        Assert.Throws<InputException>(() => host.Compute([new AdapterTokens(after, [3, 10_000], [0, 0])]));
        host.Dispose();
        Assert.Throws<ObjectDisposedException>(() => host.Compute([Tokens(after)]));
        Assert.Throws<ObjectDisposedException>(() => host.Take("alone"));
    }

    /// <summary>The last lease of a version that is given back in the middle of a pass.</summary>
    [Theory]
    [InlineData("lora")]
    [InlineData("bitfit")]
    public void ALeaseThatIsGivenBackMeanwhileIsComputed(string method)
    {
        using var folders = new HostedFolders();
        using AdapterHost host = AdapterHost.Load(folders.Base);
        host.Put("own", folders.Adapter("own", method));
        IReadOnlyList<float> expected = host.Predict("own", Texts[0]).Logits;
        AdapterLease lease = host.Take("own");
        host.Remove("own");
        List<int> ids = [], types = [];
        host.Tokenizer.EncodePair(Texts[0], null, lease.MaxLength, ids, types);
        float[] found = host.Compute([new AdapterTokens(lease, new ReturnedWhenRead(ids, lease), types)])[0].Values;
        Assert.Equal(expected, found);
        Assert.Throws<ObjectDisposedException>(lease.Share);
    }

    [Fact]
    public void OptionsOutOfRangeAndNoTextsAreRefusedOrNothing()
    {
        using var folders = new HostedFolders();
        Assert.Throws<InputException>(() => AdapterHost.Load(folders.Base, options: new AdapterHostOptions { MaxResident = 0 }));
        Assert.Throws<InputException>(() => AdapterHost.Load(folders.Base, options: new AdapterHostOptions { MaxResidentBytes = 0 }));
        using AdapterHost host = AdapterHost.Load(folders.Base, options: new AdapterHostOptions { MaxLength = 4 });
        Assert.Empty(host.Answer([]));
        Assert.Equal(4, host.Put("own", folders.Adapter("own", maxLength: 9)).MaxLength);
        Prediction answer = host.Predict("own", Texts[1]);
        Assert.Equal((4, true), (answer.Tokens, answer.IsCut));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => host.Predict([new("own", Texts[0])], cancellation: cancelled.Token));
    }

    /// <summary>Tokens whose reader's lease is given back.</summary>
    private sealed class ReturnedWhenRead(List<int> ids, AdapterLease lease) : IReadOnlyList<int>
    {
        public int Count => ids.Count;

        public int this[int index] => ids[index];

        public IEnumerator<int> GetEnumerator()
        {
            lease.Dispose();
            return ids.GetEnumerator();
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private static void Near(TextVector expected, TextVector found)
    {
        foreach ((float right, float value) in expected.Values.Zip(found.Values)) Assert.Equal(right, value, 1e-5 * Math.Max(1, Math.Abs(right)));
        Assert.Equal((expected.Tokens, expected.IsCut, expected.Values.Length), (found.Tokens, found.IsCut, found.Values.Length));
    }

    private static void Same(Prediction expected, Prediction found, double tolerance)
    {
        Assert.Equal(expected.Probabilities!.Count, found.Probabilities!.Count);
        foreach ((double right, double value) in expected.Probabilities.Zip(found.Probabilities)) Assert.Equal(right, value, tolerance);
        Assert.Equal((expected.IsCut, expected.Tokens), (found.IsCut, found.Tokens));
        if (expected.Probabilities.Order().TakeLast(2).ToArray() is [var second, var first] && first - second > 2 * tolerance) Assert.Equal(expected.Label, found.Label);
    }
}
