using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>
/// Adam (arXiv 1412.6980) as PyTorch orders it: m ← m + (1 − β₁)(g − m); v ← β₂ v + (1 − β₂) g²; w ← w − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε). Weight decay is added to the gradient; with <c>amsgrad</c> the largest v so far
/// takes v's place (arXiv 1904.09237).
/// </summary>
public class Adam(IEnumerable<OptimizerGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsgrad = false)
    : Optimizer(groups, learningRate, weightDecay)
{
    private readonly List<AdamWParameter> stepped = [];
    private double[] numbers = [];

    /// <summary>Whether the decay is taken off the parameter (AdamW), and not added to the gradient.</summary>
    private protected virtual bool DecaysApart => false;

    /// <inheritdoc/>
    /// <remarks>Of <c>amsgrad</c> alone: other steps are one kernel over all parameters.</remarks>
    protected sealed override Tensor Updated(OptimizerState state, Tensor value, Tensor gradient, double rate, double weightDecay)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(gradient);
        Tensor g = DecaysApart ? gradient : Decayed(value, gradient, weightDecay);
        Tensor first = state.Of("exp_avg", value), second = state.Of("exp_avg_sq", value);
        first = state.Set("exp_avg", first + ((1 - beta1) * (g - first)));
        second = state.Set("exp_avg_sq", (beta2 * second) + ((1 - beta2) * Ops.Square(g)));
        second = state.Set("max_exp_avg_sq", Ops.Maximum(state.Of("max_exp_avg_sq", value), second));
        Tensor root = (Ops.Sqrt(second) / Math.Sqrt(1 - Math.Pow(beta2, state.Steps))) + epsilon;
        Tensor from = DecaysApart ? (1 - (rate * weightDecay)) * value : value;
        return from - (rate / (1 - Math.Pow(beta1, state.Steps)) * (first / root));
    }

    private protected override void Change(List<ParameterStep> steps)
    {
        if (amsgrad)
        {
            base.Change(steps);
            return;
        }

        // One kernel for each device: most often one in all.
        for (int first = 0, next; first < steps.Count; first = next)
        {
            using var scope = new TensorScope();
            Device device = steps[first].Value.Device;
            stepped.Clear();
            next = first;
            int row = -1;
            for (; next < steps.Count && steps[next].Value.Device == device; next++)
            {
                ParameterStep step = steps[next];
                Tensor average = step.State.Of("exp_avg", step.Value), second = step.State.Of("exp_avg_sq", step.Value);
                if (average.Device != device || average.DType != step.Value.DType) throw new InvalidOperationException($"the optimizer's averages of a parameter are {average.Description} on {average.Device.Name}; the parameter is {step.Value.Description} on {device.Name} now");
                var own = new AdamWStep(step.Rate, beta1, beta2, epsilon, DecaysApart ? step.WeightDecay : 0, 0, step.State.Steps);
                row = Write(own, row);
                stepped.Add(new AdamWParameter(step.Value, DecaysApart ? step.Gradient : Decayed(step.Value, step.Gradient, step.WeightDecay), average, second, row));
            }

            Tensor rows = Tensor.Empty([row + 1, AdamWStep.Columns], DType.Float64, device);
            rows.Write<double>(numbers.AsSpan(0, rows.Count));
            device.Kernels.AdamW(CollectionsMarshal.AsSpan(stepped), rows, null);
        }
    }

    /// <summary>The row of a step's numbers after row <paramref name="last"/>: that row itself where they are the same.</summary>
    private int Write(in AdamWStep step, int last)
    {
        int end = (last + 1) * AdamWStep.Columns;
        if (numbers.Length < end + AdamWStep.Columns) Array.Resize(ref numbers, 2 * (end + AdamWStep.Columns));
        Span<double> row = numbers.AsSpan(end, AdamWStep.Columns);
        step.Write(row);
        return last >= 0 && row.SequenceEqual(numbers.AsSpan(end - AdamWStep.Columns, AdamWStep.Columns)) ? last : last + 1;
    }

    private static Tensor Decayed(Tensor value, Tensor gradient, double weightDecay)
    {
        if (weightDecay == 0) return gradient;
        Tensor sum = gradient.Clone();
        value.Device.Kernels.AddScaled(value, weightDecay, sum);
        return sum;
    }
}

/// <summary>Adam whose weight decay is taken off the parameter, not added to the gradient (arXiv 1711.05101), as PyTorch has it.</summary>
public sealed class AdamW(IEnumerable<OptimizerGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0.01, bool amsgrad = false)
    : Adam(groups, learningRate, beta1, beta2, epsilon, weightDecay, amsgrad)
{
    private protected override bool DecaysApart => true;
}
