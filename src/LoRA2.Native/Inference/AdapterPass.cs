using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>
/// Computes requests of many adapters: in each batch the encoder's own products run once over all rows, the low-rank ones over each adapter's, and then each adapter's head over its rows. Adapters
/// that can't share a batch are computed by themselves.
/// </summary>
internal sealed class AdapterPass(SequenceClassifier model, Tokenizer tokenizer, IReadOnlyList<AdapterRequest> requests, IReadOnlyList<AdapterVersion?> versions, IReadOnlyList<InputException?> errors)
{
    private const string Name = "input";

    private readonly AdapterAnswer[] answers = [.. errors.Select(error => new AdapterAnswer(null, null, error, 0))];

    /// <summary>The answers in the requests' order.</summary>
    public AdapterAnswer[] Run(int batchSize, CancellationToken cancellation)
    {
        int[] known = [.. Enumerable.Range(0, requests.Count).Where(i => versions[i] is not null)];
        Together([.. known.Where(i => versions[i]!.SharesBatches)], batchSize, cancellation);
        foreach (IGrouping<AdapterVersion, int> alone in known.Where(i => !versions[i]!.SharesBatches).GroupBy(i => versions[i]!)) Alone(alone.Key, [.. alone], batchSize, cancellation);
        return answers;
    }

    private void Together(int[] asked, int batchSize, CancellationToken cancellation)
    {
        var tokens = new TokenizedExamples(Name, model.Config);
        foreach (int i in asked)
        {
            AdapterVersion version = versions[i]!;
            string text = version.Task.Kind is EmbeddingsTask { Settings: var settings } ? settings.TextOf(requests[i].Text, settings.DefaultPrompt is { } prompt ? settings.Prompts[prompt] : "") : requests[i].Text;
            tokens.Close(tokenizer.EncodePair(text, requests[i].Pair, version.MaxLength, tokens.Ids, tokens.TypeIds), null);
        }

        var data = new TokenizedDataset(tokens);
        float[][] outputs = Outputs(model, [.. asked.Select(i => versions[i]!)], data, batchSize, cancellation);
        for (int row = 0; row < asked.Length; row++) Interpret(asked[row], outputs[row], data.Length(row), data.IsCut(row));
    }

    /// <summary>The heads' outputs for tokenized texts, each by its own adapter, in batches of similar length; adapters that can't share a batch have batches of their own.</summary>
    public static float[][] Outputs(SequenceClassifier model, IReadOnlyList<AdapterVersion> versions, TokenizedDataset data, int batchSize, CancellationToken cancellation)
    {
        float[][] outputs = new float[data.Count][];
        foreach (int[] batch in BatchPlan.ForEvaluation(data, batchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            (AdapterVersion Version, int[] Rows)[] segments = [.. batch.GroupBy(row => versions[row]).Select(segment => (segment.Key, segment.ToArray()))];
            if (Array.TrueForAll(segments, segment => segment.Version.SharesBatches))
            {
                Batch(model, segments, data, outputs);
                continue;
            }

            Batch(model, [.. segments.Where(segment => segment.Version.SharesBatches)], data, outputs);
            foreach ((AdapterVersion version, int[] rows) in segments.Where(segment => !segment.Version.SharesBatches))
            {
                using TensorScope scope = version.Model.OpenScope();
                EncoderBatch inputs = data.Batch(rows);
                version.Task.Kind.Keep(version.Model.Forward(inputs, ForwardContext.Inference).To(Device.Cpu), data, rows, inputs, outputs);
            }
        }

        return outputs;
    }

    /// <summary>One pass; rows of one adapter follow each other.</summary>
    private static void Batch(SequenceClassifier model, (AdapterVersion Version, int[] Rows)[] segments, TokenizedDataset data, float[][] outputs)
    {
        if (segments.Length == 0) return;
        using TensorScope scope = model.OpenScope(Array.TrueForAll(segments, segment => segment.Version.KeepsNothing));
        EncoderBatch inputs = data.Batch([.. segments.SelectMany(segment => segment.Rows)]);
        var context = new ForwardContext { Rows = new RowAdapters([.. segments.Select(segment => new AdaptedRows(segment.Rows.Length, segment.Version.Layers))]) };
        Tensor hidden = model.Encode(inputs, context, out Tensor mask);
        int first = 0;
        foreach ((AdapterVersion version, int[] rows) in segments)
        {
            Tensor Own(Tensor all) => segments.Length == 1 ? all : Ops.Slice(all, 0, first, rows.Length);
            Tensor output = version.Model.Head.Forward(Own(hidden), Own(mask), ForwardContext.Inference).To(Device.Cpu);
            version.Task.Kind.Keep(output, data, rows, inputs, outputs);
            first += rows.Length;
        }
    }

    private void Alone(AdapterVersion version, int[] asked, int batchSize, CancellationToken cancellation)
    {
        SequenceClassifier own = version.Model;
        try
        {
            TokenizedDataset data = TokenizedDataset.Create(Name, [.. asked.Select(i => new Example(requests[i].Text, requests[i].Pair))], tokenizer, own.Config, version.MaxLength);
            float[][] outputs = Evaluator.Logits(own, data, batchSize, cancellation);
            for (int row = 0; row < asked.Length; row++) Interpret(asked[row], outputs[row], data.Length(row), data.IsCut(row));
        }
        catch (InputException e)
        {
            foreach (int i in asked) answers[i] = new AdapterAnswer(null, null, e, version.Number);
        }
    }

    private void Interpret(int request, float[] output, int tokens, bool isCut)
    {
        AdapterVersion version = versions[request]!;
        (TaskKind kind, string name) = (version.Task.Kind, requests[request].Adapter is { } adapter ? $"adapter '{adapter}'" : "the model");
        if (ElementConversion.IndexOfNonFinite(output) is var at and >= 0)
            answers[request] = new AdapterAnswer(null, null, new InputException($"{name} answers {output[at]}: numbers on the way overflow"), version.Number);
        else if (kind is EmbeddingsTask)
            answers[request] = new AdapterAnswer(null, new TextVector(output, tokens, isCut), null, version.Number);
        else
            answers[request] = new AdapterAnswer(kind.Interpret(output, version.Task.LabelNames, isCut) with { Tokens = tokens, Logits = output }, null, null, version.Number);
    }
}
