using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Training;

/// <summary>A data set as token ids with a vector of targets for each example, and batches made of it. Kinds of tasks that need more of an example derive from it.</summary>
public class TokenizedDataset
{
    private readonly int[] ids;
    private readonly int[] typeIds;
    private readonly int[] starts;
    private readonly bool[] cut;
    private readonly float[]?[] targets;
    private readonly int padId;

    /// <summary>Takes what was added.</summary>
    /// <exception cref="InputException">An id or a length is not the model's: tokenizer and model don't belong together.</exception>
    public TokenizedDataset(TokenizedExamples examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        Name = examples.Name;
        ids = [.. examples.Ids];
        typeIds = [.. examples.TypeIds];
        starts = [.. examples.Starts];
        cut = [.. examples.Cut];
        targets = [.. examples.Targets];
        padId = examples.PadId;
    }

    /// <summary>What the data is called.</summary>
    public string Name { get; }

    /// <summary>Number of examples.</summary>
    public int Count => targets.Length;

    /// <summary>Number of tokens, padding not counted.</summary>
    public long Tokens => ids.Length;

    /// <summary>Number of examples that were longer than what they were cut to.</summary>
    public int CutCount => cut.Count(isCut => isCut);

    /// <summary>What is to be known of how targets became those of tokens, each a sentence.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>Whether every example has a label or score.</summary>
    public bool HasTargets => targets.Length > 0 && Array.TrueForAll(targets, target => target is not null);

    /// <summary>Tokenizes every example as the model's kind of task does it, each cut to <paramref name="maxLength"/> tokens.</summary>
    /// <exception cref="InputException">Tokenizer and model don't belong together.</exception>
    public static TokenizedDataset Create(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        return config.Kind.Tokenize(name, examples, tokenizer, config, maxLength);
    }

    /// <summary>Texts and pairs as the tokenizer joins them, with the targets as they are.</summary>
    internal static TokenizedDataset OfTexts(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength)
    {
        var tokenized = new TokenizedExamples(name, config);
        foreach (Example example in examples)
        {
            bool isCut = tokenizer.EncodePair(example.Text, example.Pair, maxLength, tokenized.Ids, tokenized.TypeIds);
            tokenized.Close(isCut, example.Targets is { } several ? [.. several] : example.Target is { } one ? [one] : null);
        }

        return new TokenizedDataset(tokenized);
    }

    /// <summary>What fills up a batch.</summary>
    protected int PadId => padId;

    /// <summary>Tokens of one example.</summary>
    public int Length(int index) => starts[index + 1] - starts[index];

    /// <summary>Whether an example was longer than what it was cut to.</summary>
    public bool IsCut(int index) => cut[index];

    /// <summary>The class or score of one example that has no more than one.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public float Target(int index) => TargetsOf(index)[0];

    /// <summary>All targets of one example.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public ReadOnlySpan<float> TargetsOf(int index) => targets[index] ?? throw new InvalidOperationException($"example {index} of {Name} has no label");

    /// <summary>The token ids of one example.</summary>
    public ReadOnlySpan<int> IdsOf(int index) => ids.AsSpan(starts[index], Length(index));

    /// <summary>A batch padded to its own longest sequence, on the CPU, in the current tensor scope.</summary>
    public EncoderBatch Batch(ReadOnlySpan<int> indices)
    {
        int length = 1;
        foreach (int index in indices) length = Math.Max(length, Length(index));
        Shape shape = [indices.Length, length];
        Tensor batchIds = Tensor.Empty(shape, DType.Int32, Device.Cpu);
        batchIds.AsSpan<int>().Fill(padId);
        Tensor mask = Tensor.Zeros(shape, DType.Int32, Device.Cpu);
        Tensor types = Tensor.Zeros(shape, DType.Int32, Device.Cpu);
        for (int row = 0; row < indices.Length; row++)
        {
            int start = starts[indices[row]];
            int count = Length(indices[row]);
            ids.AsSpan(start, count).CopyTo(batchIds.AsSpan<int>()[(row * length)..]);
            typeIds.AsSpan(start, count).CopyTo(types.AsSpan<int>()[(row * length)..]);
            mask.AsSpan<int>().Slice(row * length, count).Fill(1);
        }

        return new EncoderBatch(batchIds, mask, types);
    }

    /// <summary>A hash of every id and target: two data sets with the same are the same to a training run.</summary>
    internal string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>(ids));
        hash.AppendData(MemoryMarshal.AsBytes<int>(typeIds));
        hash.AppendData(MemoryMarshal.AsBytes<int>(starts));
        foreach (float[]? values in targets) hash.AppendData(MemoryMarshal.AsBytes<float>(values ?? [float.NaN]));
        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }
}
