using System.Collections;
using System.Runtime.InteropServices;
using LoRA2.Native.Adapters;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Serialization;

namespace LoRA2.Native.Training;

/// <summary>A stretch of <see cref="TrainingSeries.Stride"/> steps, as a rule of one.</summary>
/// <param name="Step">Steps done at its end.</param>
/// <param name="Loss">Mean of the task loss.</param>
/// <param name="Regulariser">Mean of the method's regulariser, before its weight; 0 without.</param>
/// <param name="GradientNorm">Mean of the gradient's norm before clipping.</param>
/// <param name="LearningRate">The last step's learning rate.</param>
/// <param name="Budget">Singular values the budget allows after the last step, or null without a budget.</param>
public readonly record struct SeriesPoint(int Step, double Loss, double Regulariser, double GradientNorm, double LearningRate, int? Budget);

/// <summary>
/// How a run went, from its first step on: part of the checkpoint, so that of a run that was resumed nothing is missing or there twice. A run of more than
/// <see cref="MostPoints"/> steps is kept in stretches. All memory is taken at the start.
/// </summary>
public sealed class TrainingSeries : IReadOnlyList<SeriesPoint>
{
    /// <summary>Points at most, whatever the length of the run.</summary>
    public const int MostPoints = 8192;

    private const string TensorName = "series/steps";
    private const int Columns = 5;

    private readonly int totalSteps;

    // A row of sums of loss, regulariser and norm, the last rate and the last budget (-1: none) for each point.
    private readonly double[] rows;
    private int steps;

    internal TrainingSeries(int totalSteps, IEnumerable<Adapter> adapters, RankAllocator? allocator)
    {
        this.totalSteps = totalSteps;
        Stride = StrideOf(totalSteps, MostPoints);
        rows = new double[Columns * Points(totalSteps)];
        Adapter[] ranked = [.. (allocator?.Adapters ?? adapters).Where(adapter => adapter.RankValues is not null)];
        if (ranked.Length > 0) Ranks = new RankSeries(totalSteps, ranked, allocator);
    }

    /// <summary>Steps that one point stands for.</summary>
    public int Stride { get; }

    /// <inheritdoc/>
    public int Count => Points(steps);

    /// <summary>What became of the singular values or gates; null for methods that have none.</summary>
    public RankSeries? Ranks { get; }

    /// <inheritdoc/>
    public SeriesPoint this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            ReadOnlySpan<double> row = rows.AsSpan(index * Columns, Columns);
            int end = Math.Min((index + 1) * Stride, steps), count = end - (index * Stride);
            return new SeriesPoint(end, row[0] / count, row[1] / count, row[2] / count, row[3], row[4] < 0 ? null : (int)row[4]);
        }
    }

    /// <inheritdoc/>
    public IEnumerator<SeriesPoint> GetEnumerator()
    {
        for (int i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The least stretch of which no more than <paramref name="most"/> make up the run.</summary>
    internal static int StrideOf(int totalSteps, int most) => Math.Max(1, ((totalSteps - 1) / most) + 1);

    /// <summary>Whether ranks and importances are taken after that step: <see cref="Took"/> reads them off the adapters as they then are.</summary>
    internal bool HasRanksAt(int step) => Ranks?.IsDue(step) ?? false;

    internal void Took(double loss, double regulariser, double gradientNorm, double learningRate, int? budget)
    {
        Span<double> row = rows.AsSpan(steps / Stride * Columns, Columns);
        row[0] += loss;
        row[1] += regulariser;
        row[2] += gradientNorm;
        row[3] = learningRate;
        row[4] = budget ?? -1;
        steps++;
        Ranks?.After(steps);
    }

    internal void Save(SafetensorsWriter writer)
    {
        writer.Add(TensorName, SafetensorsDType.F64, [Count, Columns], MemoryMarshal.AsBytes(rows.AsSpan(0, Count * Columns)).ToArray());
        Ranks?.Save(writer);
    }

    /// <exception cref="InputException">The file has not what a checkpoint after that step has.</exception>
    internal void Load(SafetensorsFile file, int step)
    {
        steps = step <= totalSteps ? step : throw new InputException($"{file.Path}: the checkpoint is after step {step} of a run of {totalSteps} steps");
        Array.Clear(rows);
        Read(file, TensorName, [Count, Columns]).CopyTo(rows);
        Ranks?.Load(file, step);
    }

    internal static double[] Read(SafetensorsFile file, string name, ReadOnlySpan<long> shape)
    {
        SafetensorsEntry entry = file.GetEntry(name);
        if (entry.Type != SafetensorsDType.F64 || !entry.Shape.SequenceEqual(shape))
            throw new InputException($"{file.Path}: tensor '{name}' is {entry.Type} {entry.ShapeText}; F64 [{string.Join(", ", shape.ToArray())}] was expected");
        double[] values = new double[entry.ElementCount];
        file.GetBytes(entry).CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    // Written so that no number of steps overflows.
    private int Points(int count) => count == 0 ? 0 : ((count - 1) / Stride) + 1;
}
