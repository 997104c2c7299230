using System.Runtime.InteropServices;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Training;

/// <summary>Parameters that share a weight decay and a learning rate.</summary>
/// <param name="Parameters">Trainable parameters, each in one group only.</param>
/// <param name="WeightDecay">Decoupled weight decay.</param>
/// <param name="RateFactor">Factor of the schedule's learning rate.</param>
/// <param name="Schedule">The learning rate by step, where it is not the one that a step is asked for with.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay, double RateFactor = 1, LearningRateSchedule? Schedule = null)
{
    internal double RateAt(long step, double asked) => RateFactor * (Schedule is null ? asked : Schedule.At(checked((int)step)));
}

/// <summary>AdamW (arXiv 1711.05101) as PyTorch computes it, over groups of parameters.</summary>
public sealed class AdamWOptimizer : IDisposable
{
    private readonly double beta1;
    private readonly double beta2;
    private readonly double epsilon;
    private readonly List<Slot> slots = [];
    private readonly Dictionary<Tensor, int> places = new(ReferenceEqualityComparer.Instance);
    private readonly List<Tensor> gradients = [];
    private readonly List<AdamWParameter> stepped = [];
    private readonly List<Sensitivity> apart = [];
    private readonly ParameterGroup[] kinds;
    private readonly double[] rows;
    private readonly Tensor? numbers;
    private readonly Tensor? squares;

    /// <summary>Starts with all moments 0.</summary>
    /// <exception cref="ArgumentException">A parameter is frozen or in two groups.</exception>
    public AdamWOptimizer(IEnumerable<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        ArgumentNullException.ThrowIfNull(groups);
        foreach ((double beta, string name) in ((double, string)[])[(beta1, nameof(beta1)), (beta2, nameof(beta2))])
            if (!(beta is >= 0 and < 1)) throw new ArgumentOutOfRangeException(name, beta, "0 or more and less than 1 was expected");
        if (!(epsilon >= 0)) throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "0 or more was expected");
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        var seen = new HashSet<Parameter>();
        using var scope = new TensorScope();
        kinds = [.. groups];
        for (int i = 0; i < kinds.Length; i++)
        {
            ParameterGroup group = kinds[i];
            foreach (Parameter parameter in group.Parameters)
            {
                if (!parameter.IsTrainable) throw new ArgumentException($"parameter {parameter.Name} is frozen");
                if (!seen.Add(parameter)) throw new ArgumentException($"parameter {parameter.Name} is in two groups");
                Tensor Moment() => scope.Detach(Tensor.Zeros(parameter.Value.Shape, parameter.Value.DType, parameter.Value.Device));
                slots.Add(new Slot(parameter, Moment(), Moment(), i));
            }
        }

        rows = new double[kinds.Length * AdamWStep.Columns];
        if (slots.Count == 0) return;
        numbers = scope.Detach(Tensor.Empty([kinds.Length, AdamWStep.Columns], DType.Float64, slots[0].Parameter.Value.Device));
        squares = scope.Detach(Tensor.Zeros([], DType.Float64, slots[0].Parameter.Value.Device));
    }

    /// <summary>Steps taken.</summary>
    public long Steps { get; internal set; }

    /// <summary>All parameters.</summary>
    public IEnumerable<Parameter> Parameters => slots.Select(slot => slot.Parameter);

    /// <summary>Both moments of every parameter by name, for checkpoints.</summary>
    internal IEnumerable<(string Name, Tensor Values)> State =>
        slots.SelectMany(slot => ((string, Tensor)[])[($"{slot.Parameter.Name}.exp_avg", slot.First), ($"{slot.Parameter.Name}.exp_avg_sq", slot.Second)]);

    /// <summary>The sum of the squares of all gradients at the last <see cref="Update"/> (Float64, one element), where the parameters are; null without parameters.</summary>
    internal Tensor? SquaredNorm => squares;

    /// <summary>The Euclidean norm of all gradients together.</summary>
    public double GradientNorm()
    {
        Measure();
        return squares is null ? 0 : Math.Sqrt(squares.Item());
    }

    /// <summary>
    /// One step with the gradients as they stand, clipped on the fly. Parameters without a gradient are left alone, as in PyTorch; when the norm of all gradients
    /// is not finite, all are.
    /// </summary>
    /// <param name="learningRate">η of the groups without a schedule, before a group's factor.</param>
    /// <param name="clipNorm">Limit of the norm of all gradients together (PyTorch's clip_grad_norm_); 0 for none.</param>
    /// <param name="scorers">
    /// Importance scorers that take the new values and the gradients, not clipped, into their averages: as <see cref="ImportanceScorer.Update"/> after the
    /// step, but in the same pass over the parameters.
    /// </param>
    public void Step(double learningRate, double clipNorm = 0, params ReadOnlySpan<ImportanceScorer> scorers)
    {
        Prepare(learningRate, clipNorm);
        Update(scorers);
    }

    /// <summary>Begins a step: what of it is new in every step goes to where the parameters are.</summary>
    internal void Prepare(double learningRate, double clipNorm)
    {
        Steps++;
        for (int i = 0; i < kinds.Length; i++)
        {
            var step = new AdamWStep(kinds[i].RateAt(Steps - 1, learningRate), beta1, beta2, epsilon, kinds[i].WeightDecay, clipNorm, checked((int)Steps));
            step.Write(rows.AsSpan(i * AdamWStep.Columns, AdamWStep.Columns));
        }

        numbers?.Write<double>(rows);
    }

    /// <summary>The rest of the step: kernels alone, the same in every step with gradients of the same parameters.</summary>
    internal void Update(ReadOnlySpan<ImportanceScorer> scorers)
    {
        Measure();
        stepped.Clear();
        places.Clear();
        foreach (Slot slot in slots)
        {
            Tensor value = slot.Parameter.Value;
            if (value.Grad is not { } gradient) continue;
            if (scorers.Length > 0) places[value] = stepped.Count;
            stepped.Add(new AdamWParameter(value, gradient, slot.First, slot.Second, slot.Group));
        }

        Score(scorers);
        if (stepped.Count > 0) stepped[0].Value.Device.Kernels.AdamW(CollectionsMarshal.AsSpan(stepped), numbers!, squares);
        foreach (Sensitivity sensitivity in apart) sensitivity.Update();
    }

    /// <summary>Gives each stepped parameter its sensitivity. What has no gradient, or a second scorer's, is updated apart.</summary>
    private void Score(ReadOnlySpan<ImportanceScorer> scorers)
    {
        apart.Clear();
        Span<AdamWParameter> parameters = CollectionsMarshal.AsSpan(stepped);
        foreach (ImportanceScorer scorer in scorers)
        {
            foreach (Sensitivity sensitivity in scorer.Sensitivities)
            {
                if (places.TryGetValue(sensitivity.Weight, out int place) && parameters[place].Sensitivity is null)
                    parameters[place] = parameters[place] with { Sensitivity = sensitivity };
                else apart.Add(sensitivity);
            }
        }
    }

    /// <summary>Forgets all gradients.</summary>
    public void ClearGradients()
    {
        foreach (Slot slot in slots) slot.Parameter.Value.ClearGrad();
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose()
    {
        foreach (Slot slot in slots)
        {
            slot.First.Dispose();
            slot.Second.Dispose();
        }

        numbers?.Dispose();
        squares?.Dispose();
    }

    private void Measure()
    {
        gradients.Clear();
        foreach (Slot slot in slots)
        {
            if (slot.Parameter.Value.Grad is { } gradient) gradients.Add(gradient);
        }

        squares?.Device.Kernels.SumOfSquares(CollectionsMarshal.AsSpan(gradients), squares);
    }

    private sealed record Slot(Parameter Parameter, Tensor First, Tensor Second, int Group);
}
