using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>Parameters that share settings.</summary>
/// <param name="Parameters">Trainable parameters, each in one group only.</param>
public sealed record OptimizerGroup(IReadOnlyList<Parameter> Parameters)
{
    /// <summary>Factor of the optimizer's learning rate.</summary>
    public double RateFactor { get; init; } = 1;

    /// <summary>Weight decay in place of the optimizer's.</summary>
    public double? WeightDecay { get; init; }
}

/// <summary>
/// A rule that changes parameters by their gradients, in the steps of PyTorch's <c>torch.optim</c>: trajectories agree with it. What a rule remembers of a parameter has PyTorch's names, so that it can be saved
/// under them.
/// </summary>
/// <example><code>
/// using var optimizer = new Adam([new OptimizerGroup([.. model.Parameters])], learningRate: 1e-3);
/// tape.Backward(loss);
/// optimizer.Step();
/// optimizer.ClearGradients();
/// </code></example>
public abstract class Optimizer : IDisposable
{
    private readonly List<(Parameter Parameter, OptimizerGroup Group, OptimizerState State)> slots = [];
    private readonly List<ParameterStep> ready = [];

    /// <summary>Starts with nothing remembered.</summary>
    /// <exception cref="ArgumentException">A parameter is frozen or in two groups.</exception>
    protected Optimizer(IEnumerable<OptimizerGroup> groups, double learningRate, double weightDecay = 0)
    {
        ArgumentNullException.ThrowIfNull(groups);
        (LearningRate, WeightDecay) = (learningRate, weightDecay);
        var seen = new HashSet<Parameter>();
        foreach (OptimizerGroup group in groups)
        {
            foreach (Parameter parameter in group.Parameters)
            {
                if (!parameter.IsTrainable) throw new ArgumentException($"parameter {parameter.Name} is frozen");
                if (!seen.Add(parameter)) throw new ArgumentException($"parameter {parameter.Name} is in two groups");
                slots.Add((parameter, group, new OptimizerState()));
            }
        }
    }

    /// <summary>The learning rate of the next step, before a group's factor: set it from a <see cref="Schedule"/>.</summary>
    public double LearningRate { get; set; }

    /// <summary>The weight decay of groups without one of their own.</summary>
    public double WeightDecay { get; }

    /// <summary>All parameters.</summary>
    public IEnumerable<Parameter> Parameters => slots.Select(slot => slot.Parameter);

    /// <summary>One step with the gradients as they stand. Parameters without a gradient are left alone, as in PyTorch.</summary>
    public void Step()
    {
        ready.Clear();
        foreach ((Parameter parameter, OptimizerGroup group, OptimizerState state) in slots)
        {
            if (parameter.Value.Grad is not { } gradient) continue;
            state.Steps++;
            ready.Add(new ParameterStep(parameter.Value, gradient, state, LearningRate * group.RateFactor, group.WeightDecay ?? WeightDecay));
        }

        Change(ready);
        ready.Clear();
    }

    /// <summary>Forgets all gradients.</summary>
    public void ClearGradients()
    {
        foreach ((Parameter parameter, _, _) in slots) parameter.Value.ClearGrad();
    }

    /// <summary>What is remembered of a parameter, by PyTorch's names.</summary>
    public IReadOnlyDictionary<string, Tensor> StateOf(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return slots.First(slot => slot.Parameter == parameter).State.Tensors;
    }

    /// <summary>Frees what is remembered.</summary>
    public void Dispose()
    {
        foreach ((_, _, OptimizerState state) in slots) state.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The parameter's new value. Tensors made here are freed afterwards; what must stay goes to <paramref name="state"/>.</summary>
    protected abstract Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay);

    /// <summary>Changes all parameters of a step: one after the other by <see cref="Updated"/>, unless a rule has a kernel for all of them.</summary>
    private protected virtual void Change(List<ParameterStep> steps)
    {
        foreach (ParameterStep step in steps)
        {
            using var scope = new TensorScope();
            step.Value.CopyFrom(Tape.Unrecorded(() => Updated(step.State, step.Value, step.Gradient, step.Rate, step.WeightDecay)));
        }
    }

    /// <summary>What a step changes of one parameter, and its numbers.</summary>
    private protected readonly record struct ParameterStep(Tensor Value, Tensor Gradient, OptimizerState State, double Rate, double WeightDecay);
}

/// <summary>What an optimizer remembers of one parameter.</summary>
public sealed class OptimizerState : IDisposable
{
    private readonly Dictionary<string, Tensor> tensors = [];

    /// <summary>Number of the step, from 1.</summary>
    public int Steps { get; internal set; }

    /// <summary>By PyTorch's names.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => tensors;

    /// <summary>What is remembered under a name; at first zeros of a shape.</summary>
    public Tensor Of(string name, Tensor like)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(like);
        return Of(name, like.Shape, like, 0);
    }

    /// <summary>What is remembered under a name; at first a value everywhere.</summary>
    public Tensor Of(string name, Shape shape, Tensor like, double first)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(like);
        if (!tensors.TryGetValue(name, out Tensor? tensor)) tensors[name] = tensor = Tensor.Full(shape, first, like.DType, like.Device).Leave();
        return tensor;
    }

    /// <summary>Remembers new values; returns what is remembered.</summary>
    public Tensor Set(string name, Tensor values)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(values);
        if (tensors.TryGetValue(name, out Tensor? tensor)) tensor.CopyFrom(values);
        else tensors[name] = tensor = values.Clone().Leave();
        return tensor;
    }

    /// <summary>Frees everything.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in tensors.Values) tensor.Dispose();
        tensors.Clear();
    }
}
