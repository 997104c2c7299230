using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Checks;

/// <summary>Where an op on a device differs most from the same op on the CPU, both in single precision.</summary>
/// <param name="Error">|device − CPU| over the largest size of an element of the tensor, or 1 if that is less; infinite for a NaN on one side alone.</param>
/// <param name="What">"the result", or "the gradient of input 2".</param>
/// <param name="Element">The element's place.</param>
/// <param name="OnCpu">Its value on the CPU.</param>
/// <param name="OnDevice">Its value on the device.</param>
public readonly record struct DeviceCheckResult(double Error, string What, int Element, double OnCpu, double OnDevice)
{
    /// <inheritdoc/>
    public override string ToString() => $"{What} at element {Element} is {OnDevice:g9} on the device and {OnCpu:g9} on the CPU: error {Error:g3}";
}

/// <summary>Compares an op, its result and its gradients, on a device with the CPU.</summary>
public static class DeviceCheck
{
    /// <summary>Runs a case of the catalogue, or of your own, on both.</summary>
    public static DeviceCheckResult Run(OpCase op, Device device)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(device);
        using var scope = new TensorScope();
        (double[] Result, double[]?[] Gradients) cpu = On(Device.Cpu, op), there = On(device, op);
        var worst = new DeviceCheckResult(0, "the result", 0, 0, 0);
        Compare("the result", cpu.Result, there.Result, ref worst);
        for (int i = 0; i < cpu.Gradients.Length; i++)
        {
            if (cpu.Gradients[i] is { } expected) Compare($"the gradient of input {i}", expected, there.Gradients[i]!, ref worst);
        }

        return worst;
    }

    private static (double[] Result, double[]?[] Gradients) On(Device device, OpCase op)
    {
        using var tape = new Tape();
        Tensor[] inputs = [.. op.Inputs.Select(input => Copy(input, device))];
        Tensor y = op.Apply(inputs);
        if (y.RequiresGrad) tape.Backward(y, Projection(y.Shape));
        return (Values(y), Array.ConvertAll(inputs, input => input.RequiresGrad ? input.Grad is { } gradient ? Values(gradient) : new double[input.Count] : null));
    }

    private static Tensor Copy(Tensor input, Device device)
    {
        Tensor single = input.DType.IsFloat() ? input.To(DType.Float32) : input;
        Tensor copy = Tensor.Empty(single.Shape, single.DType, device);
        copy.CopyFrom(single);
        copy.RequiresGrad = input.RequiresGrad;
        return copy;
    }

    /// <summary>The gradient of the result: the same numbers, between −1 and 1, on every device.</summary>
    private static Tensor Projection(Shape shape)
    {
        var random = new Random(20240813);
        float[] values = new float[shape.Elements];
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() * 2) - 1;
        return Tensor.From(values, shape);
    }

    private static double[] Values(Tensor x) => Array.ConvertAll(x.ToArray<float>(), value => (double)value);

    private static void Compare(string what, double[] cpu, double[] there, ref DeviceCheckResult worst)
    {
        double scale = 1;
        foreach (double value in cpu) scale = Math.Max(scale, double.IsFinite(value) ? Math.Abs(value) : 1);
        for (int i = 0; i < cpu.Length; i++)
        {
            double error = cpu[i].Equals(there[i]) ? 0 : Math.Abs(cpu[i] - there[i]) / scale;
            if (double.IsNaN(error)) error = double.PositiveInfinity;
            if (error > worst.Error) worst = new DeviceCheckResult(error, what, i, cpu[i], there[i]);
        }
    }
}
