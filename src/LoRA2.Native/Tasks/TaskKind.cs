using System.Text.Json;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tasks;

/// <summary>
/// What a model is trained to say of a text: how data of it are read and become tokens and targets, the head, the loss, the metrics, the form of an answer, and what files call it.
/// A kind is one immutable record and one line in <see cref="TaskKinds"/>; data, models, trainer, files and the command line know kinds by this class alone.
/// </summary>
public abstract record TaskKind
{
    /// <summary>What <c>task.json</c> and the command line call it.</summary>
    public abstract string Name { get; }

    /// <summary>What is learned, in a few words for help and reports: "one label a text".</summary>
    public abstract string Title { get; }

    /// <summary>What its metrics compare.</summary>
    public abstract MetricInput Input { get; }

    /// <summary>Whether its outputs have names that the model's folder keeps; a single number has none.</summary>
    public virtual bool NamesOutputs => true;

    /// <summary>Whether the model's outputs are labels or numbers of the data's, which its config counts; not so for words of the vocabulary.</summary>
    public virtual bool HasLabels => true;

    /// <summary>The fewest labels there can be.</summary>
    public virtual int LeastLabels => 1;

    /// <summary>What HuggingFace's class for it is called, after the family's name.</summary>
    public virtual string ClassEnding => "ForSequenceClassification";

    /// <summary>Whether a model whose class has that ending is for this.</summary>
    public virtual bool IsSaidByClass => false;

    /// <summary>Whether an answer is about a text as a whole, so that <see cref="TextClassifier"/> can give it.</summary>
    public virtual bool AnswersTexts => true;

    /// <summary>What <c>config.json</c> has as <c>problem_type</c>, or null.</summary>
    public virtual string? ProblemType => null;

    /// <summary>What <c>adapter_config.json</c> has as <c>task_type</c>, or null.</summary>
    public virtual string? PeftTaskType => "SEQ_CLS";

    /// <summary>Whether files have the encoder's tensors under their bare names, without the module that HuggingFace's classes with a head put the encoder in.</summary>
    public virtual bool IsBareEncoder => false;

    /// <summary>Tokens after which an input is cut when nobody says; null for as many as the model takes.</summary>
    public virtual int? UsualLength => null;

    /// <summary>Names of the column of labels, the usual one first, where nobody says which it is.</summary>
    public virtual IReadOnlyList<string> LabelColumns => ["label", "score"];

    /// <summary>Settings of its own, for the command line and for <c>task.json</c>.</summary>
    public virtual IReadOnlyList<TaskOption> Options => [];

    /// <summary>What predictions are scored by when nobody says, the primary metric first.</summary>
    /// <param name="labels">Number of outputs.</param>
    public abstract IReadOnlyList<Metric> MetricsFor(int labels);

    /// <summary>As <see cref="MetricsFor"/>, of data at hand.</summary>
    public virtual IReadOnlyList<Metric> MetricsOf(Dataset data) => MetricsFor(data.LabelNames?.Count ?? 1);

    /// <summary>This kind with what a model's or adapter's folder says of it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="maxLength">Tokens after which an input is to be cut, or null.</param>
    /// <exception cref="InputException">A file there is damaged, or asks for something not supported.</exception>
    public virtual TaskKind ForModel(string folder, int? maxLength) => this;

    /// <summary>Whether its labels are names that a <see cref="LabelMap"/> can translate.</summary>
    public virtual bool MapsLabels => false;

    /// <summary>What examples that must stay together where data are divided have in common, such as the query of a ranking's; null where each stands for itself.</summary>
    public virtual string? GroupOf(Example example) => null;

    /// <summary>This kind with what the training data decide of it, such as weights of classes by how often each occurs.</summary>
    /// <param name="train">The examples that are trained on.</param>
    /// <exception cref="InputException">What was asked for does not fit the data.</exception>
    public virtual TaskKind ForTraining(Dataset train) => this;

    /// <summary>Refuses training data that the loss can't be computed of.</summary>
    /// <exception cref="InputException">They are such; the message says why.</exception>
    public virtual void RequireTrainable(TokenizedDataset train, EncoderConfig config)
    {
    }

    /// <summary>The examples of a table, with their targets where the table has a column of them.</summary>
    /// <exception cref="InputException">A column is missing, or a row is bad; the message names the line.</exception>
    public abstract Dataset Read(Table table, DatasetOptions options);

    /// <summary>The examples as tokens, each cut to <paramref name="maxLength"/>, with a vector of targets each.</summary>
    /// <exception cref="InputException">Tokenizer and model don't belong together.</exception>
    public virtual TokenizedDataset Tokenize(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength) =>
        TokenizedDataset.OfTexts(name, examples, tokenizer, config, maxLength);

    /// <summary>The name of the layer whose outputs are the labels'.</summary>
    public virtual string ClassifierOf(EncoderConfig config) => config.ClassifierName;

    /// <summary>The head. What the source lacks of it is initialised.</summary>
    public virtual EncoderHead CreateHead(EncoderConfig config, ParameterSource source) => config.CreateHead(source);

    /// <summary>What a pass over these examples is given.</summary>
    /// <param name="data">As <see cref="Tokenize"/> made it.</param>
    /// <param name="rows">The examples.</param>
    /// <param name="draw">Which pass of which run, for kinds that draw something; null outside of training.</param>
    public virtual EncoderBatch Inputs(TokenizedDataset data, ReadOnlySpan<int> rows, BatchDraw? draw) => data.Batch(rows);

    /// <summary>What the output of that pass is compared with, on the CPU, in the current tensor scope.</summary>
    public abstract Tensor Targets(TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, BatchDraw? draw);

    /// <summary>How many terms these examples' loss is the mean of, or what they weigh together: what a part of a batch weighs in it.</summary>
    public virtual double Terms(TokenizedDataset data, ReadOnlySpan<int> rows, BatchDraw? draw) => rows.Length;

    /// <summary>The loss, rank 0.</summary>
    /// <param name="output">The head's.</param>
    /// <param name="targets">On the same device.</param>
    public abstract Tensor Loss(Tensor output, Tensor targets);

    /// <summary>Takes from a pass's output what is kept of each of its examples, as a rule the row of logits.</summary>
    /// <param name="output">The head's, Float32 on the CPU.</param>
    /// <param name="data">The data.</param>
    /// <param name="rows">The examples of the pass.</param>
    /// <param name="inputs">Their batch.</param>
    /// <param name="answers">[examples of the data]; those of the pass are set.</param>
    public virtual void Keep(Tensor output, TokenizedDataset data, ReadOnlySpan<int> rows, in EncoderBatch inputs, float[][] answers)
    {
        ReadOnlySpan<float> values = output.AsSpan<float>();
        int width = values.Length / rows.Length;
        for (int row = 0; row < rows.Length; row++) answers[rows[row]] = values.Slice(row * width, width).ToArray();
    }

    /// <summary>Scores answers against the data's targets.</summary>
    public abstract Evaluation Score(float[][] answers, TokenizedDataset data, IReadOnlyList<Metric> metrics, IReadOnlyList<string>? labelNames);

    /// <summary>What a run keeps of the answers to the development data, for its report: a number of each example, or what else the kind's part of the report reads.</summary>
    public abstract float[] Predictions(float[][] answers);

    /// <summary>The answer for one text in words.</summary>
    /// <param name="answer">As <see cref="Keep"/> kept it.</param>
    /// <param name="labelNames">The outputs' names, or null.</param>
    /// <param name="isCut">See <see cref="Prediction.IsCut"/>.</param>
    /// <exception cref="NotSupportedException">Answers are about something else than a text as a whole.</exception>
    public virtual Prediction Interpret(float[] answer, IReadOnlyList<string>? labelNames, bool isCut) => throw new NotSupportedException($"an answer of {Name} is not about a text as a whole");

    /// <summary>Whether a part of the training data is to be held out for <see cref="Fitted"/>.</summary>
    public virtual bool HoldsOut => false;

    /// <summary>The kind with what is found on held-out training data when the weights are settled.</summary>
    public virtual TaskKind Fitted(float[][] answers, TokenizedDataset heldOut) => this;

    /// <summary>How often each label's score on the development data, for reports; empty for kinds without.</summary>
    /// <param name="predictions">As <see cref="Predictions"/> made them.</param>
    /// <param name="development">The examples.</param>
    /// <param name="labelNames">The outputs' names, or null.</param>
    public virtual IReadOnlyList<LabelScore> ByLabel(IReadOnlyList<float> predictions, TokenizedDataset development, IReadOnlyList<string> labelNames) => [];

    /// <summary>The score of knowing nothing but the development data's most frequent answer, in words with its value and what it is to be compared with; null where there is none.</summary>
    public virtual (string Label, string Metric, double Value)? Baseline(Dataset development, IReadOnlyList<string>? labelNames) => null;

    /// <summary>This kind with the settings that <c>task.json</c> has of it.</summary>
    /// <exception cref="InputException">A setting is out of its range.</exception>
    public virtual TaskKind ReadSettings(ConfigFields fields, int labels) => this;

    /// <summary>Writes the settings as properties into an object that is open.</summary>
    public virtual void WriteSettings(Utf8JsonWriter json)
    {
    }

    /// <summary>Files of its own that stand beside the weights of a model or an adapter, by name; those in folders below are written at once.</summary>
    /// <param name="folder">Where the model goes.</param>
    /// <param name="config">The model's shape.</param>
    public virtual IReadOnlyDictionary<string, byte[]> FilesBeside(string folder, EncoderConfig config) => new Dictionary<string, byte[]>();

    /// <summary>The settings as one line of JSON; empty where it has none.</summary>
    public string SettingsText()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteSettings(json);
            json.WriteEndObject();
        }

        return buffer.Length <= 2 ? "" : System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Name;
}

/// <summary>Which pass of a run draws, and from which seed.</summary>
/// <param name="Seed">The run's.</param>
/// <param name="Pass">The pass's number in the run.</param>
public readonly record struct BatchDraw(ulong Seed, uint Pass);

/// <summary>How one label is predicted.</summary>
/// <param name="Label">Its name.</param>
/// <param name="Actual">How often it is true.</param>
/// <param name="Predicted">How often it was predicted.</param>
/// <param name="Right">How often both.</param>
public readonly record struct LabelScore(string Label, int Actual, int Predicted, int Right);
