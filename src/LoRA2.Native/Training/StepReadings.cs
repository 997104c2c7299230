using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Training;

/// <summary>
/// What this process wants to know of the training steps, kept where the model is until it is read: on a device many steps at once, since every reading waits for
/// the device.
/// </summary>
internal sealed class StepReadings : IDisposable
{
    private const int MostOnDevice = 16;

    private readonly float[] losses;
    private readonly float[] regularisers;
    private readonly double[] squares;
    private readonly Tensor[] all;
    private readonly Tensor[] lossOf;
    private readonly Tensor[] regulariserOf;
    private readonly Tensor[] squaresOf;

    public StepReadings(Device device)
    {
        int steps = device == Device.Cpu ? 1 : MostOnDevice;
        (losses, regularisers, squares) = (new float[steps], new float[steps], new double[steps]);
        using var scope = new TensorScope();
        Loss = scope.Detach(Tensor.Zeros([], DType.Float32, device));
        Regulariser = scope.Detach(Tensor.Zeros([], DType.Float32, device));
        all = [.. new[] { DType.Float32, DType.Float32, DType.Float64 }.Select(dtype => scope.Detach(Tensor.Zeros([steps], dtype, device)))];
        Tensor[] Each(Tensor of) => [.. Enumerable.Range(0, steps).Select(i => scope.Detach(Ops.Slice(of, 0, i, 1)))];
        (lossOf, regulariserOf, squaresOf) = (Each(all[0]), Each(all[1]), Each(all[2]));
    }

    /// <summary>The task loss of the step in progress, for it to add to.</summary>
    public Tensor Loss { get; }

    /// <summary>The regulariser of the step in progress, for it to set.</summary>
    public Tensor Regulariser { get; }

    /// <summary>Steps not yet read.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the next step has no place.</summary>
    public bool IsFull => Count == losses.Length;

    /// <summary>Keeps the readings of the step that has just been started.</summary>
    public void Keep(Tensor? squaredNorm)
    {
        Copy(Loss, lossOf[Count]);
        Copy(Regulariser, regulariserOf[Count]);
        if (squaredNorm is not null) Copy(squaredNorm, squaresOf[Count]);
        Count++;
    }

    /// <summary>Waits for all steps that were kept; <see cref="At"/> then has them.</summary>
    /// <returns>Their number; there is room for as many again.</returns>
    public int Read()
    {
        all[0].Read<float>(losses);
        all[1].Read<float>(regularisers);
        all[2].Read<double>(squares);
        int count = Count;
        Count = 0;
        return count;
    }

    /// <summary>Loss, regulariser and gradient's norm of one of the steps read.</summary>
    public (double Loss, double Regulariser, double GradientNorm) At(int index) => (losses[index], regularisers[index], Math.Sqrt(squares[index]));

    public void Dispose()
    {
        foreach (Tensor tensor in (ReadOnlySpan<Tensor>)[.. lossOf, .. regulariserOf, .. squaresOf, .. all, Loss, Regulariser]) tensor.Dispose();
    }

    private static void Copy(Tensor from, Tensor to) => to.Device.Kernels.Copy(from, to);
}
