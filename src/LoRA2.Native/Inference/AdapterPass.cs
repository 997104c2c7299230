using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;

namespace LoRA2.Native.Inference;

/// <summary>
/// Computes tokens of many adapters: in each batch the encoder's own products run once over all rows, the low-rank ones over each adapter's, and then each adapter's head over its rows. Adapters
/// that can't share a batch are computed by themselves.
/// </summary>
internal sealed class AdapterPass(SequenceClassifier model, IReadOnlyList<AdapterTokens> texts)
{
    private const string Name = "input";

    private readonly AdapterVersion[] versions = new AdapterVersion[texts.Count];
    private readonly AdapterOutput[] outputs = new AdapterOutput[texts.Count];

    /// <summary>What the heads give, in the texts' order.</summary>
    public AdapterOutput[] Run(int batchSize, CancellationToken cancellation)
    {
        int held = 0;
        try
        {
            // Whoever has a lease may give it back meanwhile.
            for (; held < versions.Length; held++) versions[held] = texts[held].Adapter.Retain();
            int[] all = [.. Enumerable.Range(0, versions.Length)];
            Together([.. all.Where(i => versions[i].SharesBatches)], batchSize, cancellation);
            foreach (IGrouping<AdapterVersion, int> alone in all.Where(i => !versions[i].SharesBatches).GroupBy(i => versions[i])) Alone(alone.Key, [.. alone], batchSize, cancellation);
            return outputs;
        }
        finally
        {
            for (int i = 0; i < held; i++) versions[i].Release();
        }
    }

    private void Together(int[] asked, int batchSize, CancellationToken cancellation)
    {
        TokenizedDataset data = Data(asked, model.Config);
        float[][] values = new float[asked.Length][];
        foreach (int[] batch in BatchPlan.ForEvaluation(data, batchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            Batch([.. batch.GroupBy(row => versions[asked[row]]).Select(segment => (segment.Key, segment.ToArray()))], data, values);
        }

        Say(asked, values);
    }

    /// <summary>The rows that are answers, and of each other one why it is none.</summary>
    private void Say(int[] asked, float[][] values)
    {
        foreach ((int row, int text) in asked.Index())
        {
            outputs[text] = ElementConversion.IndexOfNonFinite(values[row]) is var at and >= 0
                ? new AdapterOutput([], new InputException($"{(texts[text].Adapter.Name is { } adapter ? $"adapter '{adapter}'" : "the model")} answers {values[row][at]}: numbers on the way overflow"))
                : new AdapterOutput(values[row], null);
        }
    }

    /// <summary>One pass; rows of one adapter follow each other.</summary>
    private void Batch((AdapterVersion Version, int[] Rows)[] segments, TokenizedDataset data, float[][] values)
    {
        using TensorScope scope = model.OpenScope(Array.TrueForAll(segments, segment => segment.Version.KeepsNothing));
        EncoderBatch inputs = data.Batch([.. segments.SelectMany(segment => segment.Rows)]);
        var context = new ForwardContext { Rows = new RowAdapters([.. segments.Select(segment => new AdaptedRows(segment.Rows.Length, segment.Version.Layers))]) };
        Tensor hidden = model.Encode(inputs, context, out Tensor mask);
        int first = 0;
        foreach ((AdapterVersion version, int[] rows) in segments)
        {
            Tensor Own(Tensor all) => segments.Length == 1 ? all : Ops.Slice(all, 0, first, rows.Length);
            Tensor output = version.Head.Forward(Own(hidden), Own(mask), ForwardContext.Inference).To(Device.Cpu);
            version.Task.Kind.Keep(output, data, rows, inputs, values);
            first += rows.Length;
        }
    }

    private void Alone(AdapterVersion version, int[] asked, int batchSize, CancellationToken cancellation)
    {
        try
        {
            float[][] values = new float[asked.Length][];
            Evaluator.Outputs(version.Whole!, Data(asked, version.Config), batchSize, values, cancellation);
            Say(asked, values);
        }
        catch (InputException e)
        {
            foreach (int text in asked) outputs[text] = new AdapterOutput([], e);
        }
    }

    private TokenizedDataset Data(int[] asked, EncoderConfig config)
    {
        var tokens = new TokenizedExamples(Name, config);
        foreach (int text in asked)
        {
            tokens.Ids.AddRange(texts[text].Ids);
            tokens.TypeIds.AddRange(texts[text].TypeIds);
            tokens.Close(isCut: false, targets: null);
        }

        return new TokenizedDataset(tokens);
    }
}
