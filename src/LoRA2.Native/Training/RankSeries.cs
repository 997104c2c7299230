using System.Runtime.InteropServices;
using LoRA2.Native.Adapters;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Training;

/// <summary>The ranks and the importance of each adapted matrix at intervals of a hundredth of the run, and at its end.</summary>
public sealed class RankSeries
{
    private const int MostSnapshots = 100;
    private const string TensorName = "series/ranks";

    private readonly int totalSteps;
    private readonly int interval;
    private readonly Adapter[] adapters;
    private readonly RankAllocator? allocator;

    // What a point is made of: each matrix's mean importance with a budget, all singular values or gates without.
    private readonly double[] means;
    private readonly Tensor[] tensors;
    private readonly float[] read;

    // [snapshot][matrix][ranks, importance].
    private readonly double[] values;

    internal RankSeries(int totalSteps, Adapter[] adapters, RankAllocator? allocator)
    {
        this.totalSteps = totalSteps;
        this.adapters = adapters;
        this.allocator = allocator;
        interval = TrainingSeries.StrideOf(totalSteps, MostSnapshots);
        Modules = Array.ConvertAll(adapters, adapter => adapter.Module);
        Initial = Array.ConvertAll(adapters, adapter => adapter.RankValues!.Count);
        means = new double[allocator is null ? 0 : adapters.Length];
        tensors = new Tensor[adapters.Length];
        read = new float[allocator is null ? Initial.Sum() : 0];
        values = new double[Snapshots(totalSteps) * adapters.Length * 2];
    }

    /// <summary>The matrices' names.</summary>
    public IReadOnlyList<string> Modules { get; }

    /// <summary>Each matrix's ranks at the start.</summary>
    public IReadOnlyList<int> Initial { get; }

    /// <summary>
    /// Whether importance is what a budget prunes by (AdaLoRA's score, arXiv 2303.10512, equation 10); otherwise it is the mean magnitude of the singular values or gates.
    /// </summary>
    public bool IsScored => allocator is not null;

    /// <summary>Snapshots so far.</summary>
    public int Count { get; private set; }

    /// <summary>Steps done at a snapshot.</summary>
    public int StepOf(int snapshot) => (int)Math.Min((snapshot + 1L) * interval, totalSteps);

    /// <summary>
    /// Ranks of a matrix that the budget's last mask kept; without a budget, those whose singular value or gate is not 0. Between two masks a value that was set to 0 moves again.
    /// </summary>
    public int Kept(int snapshot, int matrix) => (int)values[Place(snapshot, matrix)];

    /// <summary>Importance of a matrix: the mean over its ranks, see <see cref="IsScored"/>.</summary>
    public double Importance(int snapshot, int matrix) => values[Place(snapshot, matrix) + 1];

    /// <summary>Ranks of all matrices together.</summary>
    public int TotalKept(int snapshot)
    {
        int sum = 0;
        for (int matrix = 0; matrix < adapters.Length; matrix++) sum += Kept(snapshot, matrix);
        return sum;
    }

    internal bool IsDue(int step) => step % interval == 0 || step == totalSteps;

    internal void After(int step)
    {
        if (!IsDue(step)) return;
        if (allocator is null) Read();
        else allocator.MeanImportances(means);
        int start = 0;
        for (int matrix = 0; matrix < adapters.Length; matrix++)
        {
            int place = ((Count * adapters.Length) + matrix) * 2;
            if (allocator is null)
            {
                ReadOnlySpan<float> own = read.AsSpan(start, Initial[matrix]);
                (values[place], values[place + 1]) = (own.Length - own.Count(0f), MeanMagnitude(own));
                start += own.Length;
            }
            else
            {
                (values[place], values[place + 1]) = (allocator.KeptCount(matrix), means[matrix]);
            }
        }

        Count++;
    }

    internal void Save(SafetensorsWriter writer) =>
        writer.Add(TensorName, SafetensorsDType.F64, [Count, adapters.Length, 2], MemoryMarshal.AsBytes(values.AsSpan(0, Count * adapters.Length * 2)).ToArray());

    /// <exception cref="InputException">The file has not what a checkpoint after that step has.</exception>
    internal void Load(SafetensorsFile file, int step)
    {
        Count = Snapshots(step);
        TrainingSeries.Read(file, TensorName, [Count, adapters.Length, 2]).CopyTo(values);
    }

    private int Snapshots(int step) => (step / interval) + (step == totalSteps && step % interval != 0 ? 1 : 0);

    private int Place(int snapshot, int matrix)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)snapshot, (uint)Count, nameof(snapshot));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)matrix, (uint)adapters.Length, nameof(matrix));
        return ((snapshot * adapters.Length) + matrix) * 2;
    }

    /// <summary>Reads the singular values or gates of all adapters, in one copy.</summary>
    private void Read()
    {
        if (read.Length == 0) return;
        for (int i = 0; i < adapters.Length; i++) tensors[i] = adapters[i].RankValues!;
        using var scope = new TensorScope();
        Tensor all = Tensor.Empty([read.Length], DType.Float32, tensors[0].Device);
        all.Device.Kernels.Concatenate(tensors, all);
        all.Read<float>(read);
    }

    private static double MeanMagnitude(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += Math.Abs(value);
        return sum / Math.Max(1, values.Length);
    }
}
