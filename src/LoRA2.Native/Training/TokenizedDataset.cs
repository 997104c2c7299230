using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Training;

/// <summary>A data set as token ids, and batches made of it.</summary>
public sealed class TokenizedDataset
{
    private readonly int[] ids;
    private readonly int[] typeIds;
    private readonly int[] starts;
    private readonly bool[] cut;
    private readonly float?[] targets;
    private readonly int padId;

    private TokenizedDataset(string name, int[] ids, int[] typeIds, int[] starts, bool[] cut, float?[] targets, int padId)
    {
        Name = name;
        this.ids = ids;
        this.typeIds = typeIds;
        this.starts = starts;
        this.cut = cut;
        this.targets = targets;
        this.padId = padId;
    }

    /// <summary>What the data is called.</summary>
    public string Name { get; }

    /// <summary>Number of examples.</summary>
    public int Count => targets.Length;

    /// <summary>Number of tokens, padding not counted.</summary>
    public long Tokens => ids.Length;

    /// <summary>Number of examples that were longer than what they were cut to.</summary>
    public int CutCount => cut.Count(isCut => isCut);

    /// <summary>Whether every example has a label or score.</summary>
    public bool HasTargets => targets.Length > 0 && Array.TrueForAll(targets, target => target is not null);

    /// <summary>Tokenizes every example, each cut to <paramref name="maxLength"/> tokens.</summary>
    public static TokenizedDataset Create(string name, IReadOnlyList<Example> examples, Tokenizer tokenizer, EncoderConfig config, int maxLength)
    {
        var ids = new List<int>();
        var types = new List<int>();
        int[] starts = new int[examples.Count + 1];
        bool[] cut = new bool[examples.Count];
        for (int i = 0; i < examples.Count; i++)
        {
            cut[i] = tokenizer.EncodePair(examples[i].Text, examples[i].Pair, maxLength, ids, types);
            starts[i + 1] = ids.Count;
            if (starts[i + 1] - starts[i] > config.LongestInput)
                throw new InputException($"the tokenizer's special tokens alone are {starts[i + 1] - starts[i]}; the model has {config.LongestInput} positions");
        }

        foreach (int id in ids)
        {
            if (id >= config.VocabularySize)
                throw new InputException($"the tokenizer gives id {id}, but the model's vocab_size is {config.VocabularySize}; they don't belong together");
        }

        if (config.TypeVocabularySize > 0 && types.Find(type => type >= config.TypeVocabularySize) is > 0 and var beyond)
            throw new InputException($"the tokenizer gives token type {beyond}, but the model's type_vocab_size is {config.TypeVocabularySize}; they don't belong together");
        return new TokenizedDataset(name, [.. ids], [.. types], starts, cut, [.. examples.Select(example => example.Target)], config.PadTokenId);
    }

    /// <summary>Tokens of one example.</summary>
    public int Length(int index) => starts[index + 1] - starts[index];

    /// <summary>Whether an example was longer than what it was cut to.</summary>
    public bool IsCut(int index) => cut[index];

    /// <summary>The label or score of one example.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public float Target(int index) => targets[index] ?? throw new InvalidOperationException($"example {index} of {Name} has no label");

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

    /// <summary>The targets of a batch, on the CPU: Int32 labels, or Float32 scores for regression.</summary>
    public Tensor Targets(ReadOnlySpan<int> indices, bool regression)
    {
        Tensor batch = Tensor.Empty([indices.Length], regression ? DType.Float32 : DType.Int32, Device.Cpu);
        for (int row = 0; row < indices.Length; row++)
        {
            if (regression) batch.AsSpan<float>()[row] = Target(indices[row]);
            else batch.AsSpan<int>()[row] = (int)Target(indices[row]);
        }

        return batch;
    }

    /// <summary>A hash of every id and target: two data sets with the same are the same to a training run.</summary>
    internal string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>(ids));
        hash.AppendData(MemoryMarshal.AsBytes<int>(typeIds));
        hash.AppendData(MemoryMarshal.AsBytes<int>(starts));
        float[] values = [.. targets.Select(target => target ?? float.NaN)];
        hash.AppendData(MemoryMarshal.AsBytes<float>(values));
        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }
}
