using System.Text.Json;

namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>
/// Where PyTorch 1.13's own gradient is wrong, the right one. <c>masked_select</c> of an input that is not contiguous: its backward pass writes the gradient in the order of the memory (masked_scatter_ does not keep to
/// the order of the elements), though the result was read in the order of the elements; central differences show it.
/// </summary>
internal static class Errata
{
    /// <summary>The gradient of an input where the stored one is wrong, else null.</summary>
    public static Tensor? Gradient(OpSample sample, string name)
    {
        if (sample.Op != "masked_select" || !sample.Line.TryGetProperty("layout", out JsonElement layouts) || !layouts.TryGetProperty(name, out _)) return null;
        Tensor x = sample.Stored(name)!, mask = sample.Stored($"{sample.Id}.in1")!;
        double[] weights = sample.Stored($"{sample.Id}.w")!.ToArray<double>();
        Shape shape = Shape.Broadcast(x.Shape, mask.Shape, "masked_select");
        double[] gradient = new double[x.Count];
        bool[] kept = mask.ToArray<bool>();
        int next = 0;
        for (int i = 0; i < shape.Elements; i++)
        {
            if (kept[At(i, shape, mask.Shape)]) gradient[At(i, shape, x.Shape)] += weights[next++];
        }

        return Tensor.From(gradient, x.Shape);
    }

    /// <summary>Where an element of the broadcast shape is in an operand.</summary>
    private static int At(int element, Shape shape, Shape operand)
    {
        int place = 0, step = 1;
        for (int axis = 1; axis <= shape.Rank; axis++)
        {
            int i = element % shape[^axis];
            element /= shape[^axis];
            if (axis > operand.Rank) continue;
            place += (operand[^axis] == 1 ? 0 : i) * step;
            step *= operand[^axis];
        }

        return place;
    }
}
