using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks.Kinds;

/// <summary>
/// Masked language modelling: words of plain text are hidden, anew in every pass, and predicted; the cross-entropy of the hidden tokens. What encoders are pretrained with, and go on with on a
/// customer's own text. Only the hidden tokens go through the head: it has an output a word of the vocabulary.
/// </summary>
public sealed record MaskedTask : TaskKind
{
    private const int Ignored = -100;

    /// <summary>Places are filled up to a multiple of this, so that a device that records steps sees few shapes.</summary>
    private const int PlacesTogether = 32;

    /// <summary>The seed of the stream that hides words outside of training: always the same ones.</summary>
    private const ulong EvaluationSeed = 0x6d61736b;

    /// <inheritdoc/>
    public override string Name => "mlm";

    /// <inheritdoc/>
    public override string Title => "hidden words of plain text";

    /// <inheritdoc/>
    public override MetricInput Input => MetricInput.Losses;

    /// <inheritdoc/>
    public override bool NamesOutputs => false;

    /// <inheritdoc/>
    public override bool HasLabels => false;

    /// <inheritdoc/>
    public override bool AnswersTexts => false;

    /// <inheritdoc/>
    public override string ClassEnding => "ForMaskedLM";

    /// <inheritdoc/>
    public override string? PeftTaskType => null;

    /// <summary>Share of the tokens that is hidden.</summary>
    public double Share { get; init; } = 0.15;

    /// <summary>Whether all tokens of a word are hidden together.</summary>
    public bool WholeWords { get; init; } = true;

    /// <inheritdoc/>
    public override IReadOnlyList<TaskOption> Options { get; } =
    [
        new(
            "mask-share", "mlm: share of the tokens that is hidden [0.15]", "X",
            (kind, text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is > 0 and < 1 ? (MaskedTask)kind with { Share = share } : null, "a number between 0 and 1 was expected"),
        TaskOption.Choice<MaskedTask>("mask", "mlm: whether whole words are hidden or single tokens [words]", (kind, text) => kind with { WholeWords = text == "words" }, "words", "tokens"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> MetricsFor(int labels) => [Metric.Perplexity];

    /// <inheritdoc/>
    public override Dataset Read(Table table, DatasetOptions options)
    {
        var texts = new LabelledTable(table, options with { LabelColumn = null, PairColumn = null, RequireLabels = false }, []);
        return texts.Dataset(null, row => texts.Example(row) with { Targets = [] });
    }

    /// <summary>Lines that follow each other are put together until an input is full; a line that is longer goes on in the next.</summary>
    public override TokenizedDataset Tokenize(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength)
    {
        int mask = tokenizer.MaskId ?? throw new InputException("the tokenizer has no mask token, which masked language modelling hides words with");
        PlacedInput around = tokenizer.EncodePlaced("");
        int before = Array.FindIndex(around.Ids, id => id == tokenizer.SepId) is var sep and > 0 ? sep : around.Ids.Length;
        int room = maxLength - around.Ids.Length;
        if (room < 2) throw new InputException($"the longest input is {maxLength} tokens, of which {around.Ids.Length} are special ones; at least {around.Ids.Length + 2} were expected");
        var tokenized = new TokenizedExamples(name, config);
        var words = new List<int[]>();
        (List<int> ids, List<int> own) = ([], []);
        int word = 0;
        void Close()
        {
            if (ids.Count == 0) return;
            tokenized.Ids.AddRange([.. around.Ids[..before], .. ids, .. around.Ids[before..]]);
            tokenized.TypeIds.AddRange(new int[around.Ids.Length + ids.Count]);
            words.Add([.. Enumerable.Repeat(-1, before), .. own, .. Enumerable.Repeat(-1, around.Ids.Length - before)]);
            tokenized.Close(isCut: false, []);
            ids.Clear();
            own.Clear();
        }

        foreach (Example example in examples)
        {
            PlacedInput input = tokenizer.EncodePlaced(example.Text);
            int last = -1;
            for (int i = 0; i < input.Ids.Length; i++)
            {
                TokenPlace place = input.Places[i];
                if (place.IsSpecial) continue;
                if (place.Word != last) word++;
                last = place.Word;
                if (ids.Count == room) Close();
                ids.Add(input.Ids[i]);
                own.Add(word);
            }
        }

        Close();
        if (words.Count == 0) throw new InputException($"{name}: no text found, expected words");
        return new MaskedDataset(tokenized, words, mask, Math.Min(tokenizer.VocabularySize, config.VocabularySize));
    }

    /// <inheritdoc/>
    public override EncoderHead CreateHead(EncoderConfig config, ParameterSource source) =>
        config.CreateMaskedHead(source) ?? throw new InputException($"there is no head of masked language modelling for {config.Title}");

    /// <summary>The texts with words hidden, and the places of these.</summary>
    public override EncoderBatch Inputs(TokenizedDataset data, ReadOnlySpan<int> rows, BatchDraw? draw)
    {
        EncoderBatch batch = data.Batch(rows);
        var places = new List<int>();
        Span<int> ids = batch.Ids.AsSpan<int>();
        for (int row = 0; row < rows.Length; row++)
        {
            foreach ((int place, int id) in Hidden(data, rows[row], draw))
            {
                ids[(row * batch.Length) + place] = id;
                places.Add((row * batch.Length) + place);
            }
        }

        while (places.Count == 0 || places.Count % PlacesTogether != 0) places.Add(0);
        return batch with { Selected = Tensor.From([.. places], [places.Count]) };
    }

    /// <summary>[places] Int32: what was hidden; −100 for places that fill up.</summary>
    public override Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw)
    {
        Tensor targets = Tensor.Full(inputs.Selected!.Shape, Ignored, DType.Int32);
        int next = 0;
        foreach (int row in rows)
        {
            foreach ((int place, _) in Hidden(data, row, draw)) targets.AsSpan<int>()[next++] = data.IdsOf(row)[place];
        }

        return targets;
    }

    /// <inheritdoc/>
    public override double Terms(TokenizedDataset data, ReadOnlySpan<int> rows, BatchDraw? draw)
    {
        int terms = 0;
        foreach (int row in rows) terms += Hidden(data, row, draw).Count;
        return terms;
    }

    /// <summary>The mean cross-entropy of logits [.., vocabulary] over the places whose word [..] is not negative.</summary>
    public override Tensor Loss(Tensor output, Tensor targets)
    {
        using var scope = new TensorScope();
        return scope.Keep(Ops.CrossEntropy(Ops.Reshape(output, targets.Count, output.Shape[^1]), Ops.Reshape(targets, targets.Count)));
    }

    /// <summary>Keeps the sum of the losses of an example's hidden tokens, and their number.</summary>
    public override void Keep(Tensor output, TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, float[][] answers)
    {
        int vocabulary = output.Shape[^1], next = 0;
        foreach (int row in rows)
        {
            double sum = 0;
            List<(int Place, int Id)> hidden = Hidden(data, row, draw: null);
            foreach ((int place, _) in hidden)
            {
                ReadOnlySpan<float> logits = output.AsSpan<float>().Slice(next++ * vocabulary, vocabulary);
                double largest = float.NegativeInfinity, total = 0;
                foreach (float logit in logits) largest = Math.Max(largest, logit);
                foreach (float logit in logits) total += Math.Exp(logit - largest);
                sum += Math.Log(total) + largest - logits[data.IdsOf(row)[place]];
            }

            answers[row] = [(float)sum, hidden.Count];
        }
    }

    /// <inheritdoc/>
    public override Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames) =>
        Evaluation.Of(metrics, Data.Predictions.OfLosses(Array.ConvertAll(answers, answer => (double)answer[0]), Array.ConvertAll(answers, answer => (double)answer[1])));

    /// <summary>The mean loss of each example.</summary>
    public override float[] Predictions(float[][] answers) => Array.ConvertAll(answers, answer => answer[1] == 0 ? 0 : answer[0] / answer[1]);

    /// <inheritdoc/>
    public override TaskKind ReadSettings(ConfigFields fields, int labels) =>
        this with { Share = fields.Number("mask_share", Share, 1e-6, 0.999999), WholeWords = fields.OneOf("mask", "words", ["words", "tokens"]) == "words" };

    /// <inheritdoc/>
    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteNumber("mask_share", Share);
        json.WriteString("mask", WholeWords ? "words" : "tokens");
    }

    private List<(int Place, int Id)> Hidden(TokenizedDataset data, int row, BatchDraw? draw) =>
        ((MaskedDataset)data).Hide(row, Share, WholeWords, draw is { } pass ? new Philox(pass.Seed, 0x6d6c6d00_00000000ul ^ ((ulong)pass.Pass << 32) ^ (uint)row) : new Philox(EvaluationSeed, (uint)row));
}
