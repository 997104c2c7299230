using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Arithmetic and functions of each element.</content>
internal sealed unsafe partial class CudaKernels
{
    public override void Fill(Tensor x, double value)
    {
        if (x.DType != DType.Int32) RequireFloat32(nameof(Fill), x);
        uint bits = x.DType == DType.Int32 ? (uint)(int)value : BitConverter.SingleToUInt32Bits((float)value);
        if (x.Count == 0) return;
        int vectors = Vectors(x.Count, x);
        launch.Elementwise.Fill(ElementBlocks(x.Count, vectors), ElementThreads, bits, x, vectors, x.Count);
    }

    public override void Add(Tensor a, Tensor b, Tensor y)
    {
        if (ElementsOf(nameof(Add), a, b, y) is ({ } blocks, var vectors, var count)) launch.Elementwise.Add(blocks, ElementThreads, a, b, y, vectors, count);
    }

    public override void Subtract(Tensor a, Tensor b, Tensor y)
    {
        if (ElementsOf(nameof(Subtract), a, b, y) is ({ } blocks, var vectors, var count)) launch.Elementwise.Subtract(blocks, ElementThreads, a, b, y, vectors, count);
    }

    public override void Multiply(Tensor a, Tensor b, Tensor y)
    {
        if (ElementsOf(nameof(Multiply), a, b, y) is ({ } blocks, var vectors, var count)) launch.Elementwise.Multiply(blocks, ElementThreads, a, b, y, vectors, count);
    }

    public override void Scale(Tensor x, double s, Tensor y)
    {
        if (ElementsOf(nameof(Scale), x, y) is ({ } blocks, var vectors, var count)) launch.Elementwise.Scale(blocks, ElementThreads, x, (float)s, y, vectors, count);
    }

    public override void ScaleBy(Tensor x, Tensor factor, Tensor y)
    {
        RequireFloat32(nameof(ScaleBy), factor);
        if (ElementsOf(nameof(ScaleBy), x, y) is ({ } blocks, var vectors, var count)) launch.Broadcasts.ScaleBy(blocks, ElementThreads, x, factor, y, vectors, count);
    }

    public override void AddScaled(Tensor x, double s, Tensor y)
    {
        if (ElementsOf(nameof(AddScaled), x, y) is ({ } blocks, var vectors, var count)) launch.Elementwise.AddScaled(blocks, ElementThreads, x, (float)s, y, vectors, count);
    }

    public override void AddRow(Tensor x, Tensor row, Tensor y)
    {
        RequireFloat32(nameof(AddRow), x, row, y);
        if (y.Count == 0) return;
        int columns = y.Shape.Columns;
        int vectors = columns % 4 == 0 ? Vectors(columns, x, row, y) : 0;
        if (vectors > 0) launch.Broadcasts.AddRowFours(ElementBlocks(y.Count, y.Count / 4), ElementThreads, x, row, y, vectors, y.Count / 4);
        else launch.Broadcasts.AddRow(ElementBlocks(y.Count, 0), ElementThreads, x, row, y, columns, y.Count);
    }

    public override void Activate(Activation activation, Tensor x, Tensor y)
    {
        if (ElementsOf(nameof(Activate), x, y) is not ({ } blocks, var vectors, var count)) return;
        switch (activation)
        {
            case Activation.Gelu:
                launch.Activations.Gelu(blocks, ElementThreads, x, y, vectors, count);
                break;
            case Activation.Relu:
                launch.Activations.Relu(blocks, ElementThreads, x, y, vectors, count);
                break;
            case Activation.Tanh:
                launch.Activations.Tanh(blocks, ElementThreads, x, y, vectors, count);
                break;
            case Activation.GeluTanh:
                launch.Activations.GeluTanh(blocks, ElementThreads, x, y, vectors, count);
                break;
            case Activation.QuickGelu:
                launch.Activations.QuickGelu(blocks, ElementThreads, x, y, vectors, count);
                break;
            case Activation.Mish:
                launch.Activations.Mish(blocks, ElementThreads, x, y, vectors, count);
                break;
            case Activation.Silu:
                launch.Activations.Silu(blocks, ElementThreads, x, y, vectors, count);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "there is no such activation");
        }
    }

    public override void ActivateBackward(Activation activation, Tensor x, Tensor dy, Tensor dx)
    {
        if (ElementsOf(nameof(ActivateBackward), x, dy, dx) is not ({ } blocks, var vectors, var count)) return;
        switch (activation)
        {
            case Activation.Gelu:
                launch.Activations.GeluBackward(blocks, ElementThreads, x, dy, dx, vectors, count);
                break;
            case Activation.Relu:
                launch.Activations.ReluBackward(blocks, ElementThreads, x, dy, dx, vectors, count);
                break;
            case Activation.Tanh:
                launch.Activations.TanhBackward(blocks, ElementThreads, x, dy, dx, vectors, count);
                break;
            case Activation.GeluTanh:
                launch.Activations.GeluTanhBackward(blocks, ElementThreads, x, dy, dx, vectors, count);
                break;
            case Activation.QuickGelu:
                launch.Activations.QuickGeluBackward(blocks, ElementThreads, x, dy, dx, vectors, count);
                break;
            case Activation.Mish:
                launch.Activations.MishBackward(blocks, ElementThreads, x, dy, dx, vectors, count);
                break;
            case Activation.Silu:
                launch.Activations.SiluBackward(blocks, ElementThreads, x, dy, dx, vectors, count);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "there is no such activation");
        }
    }

    public override void Dropout(Tensor x, DropoutMask mask, Tensor y)
    {
        (ulong seed, MaskStream stream, uint threshold, float scale) = WordsOf(mask);
        if (ElementsOf(nameof(Dropout), x, y) is ({ } blocks, var vectors, var count)) launch.Dropout.Apply(blocks, ElementThreads, x, seed, stream, threshold, scale, y, vectors, count);
    }

    /// <summary>A mask as kernels take it: what decides, the smallest word that keeps an element, and the factor of what is kept.</summary>
    private static (ulong Seed, MaskStream Stream, uint Threshold, float Scale) WordsOf(DropoutMask mask) =>
        mask.Rows is not null ? throw new NotSupportedException("dropout of rows picked from a whole (Rows) is computed on the CPU alone") :
        (mask.Random.Seed, new MaskStream(mask.Random.Stream, mask.Probability > 0), mask.Threshold, mask.Probability >= 1 ? 0 : (float)(1 / (1 - mask.Probability)));

    /// <summary>How a loop over the elements of arrays of one size is started; no blocks where there are no elements.</summary>
    private (Grid3? Blocks, int Vectors, int Count) ElementsOf(string op, params ReadOnlySpan<Tensor?> arrays)
    {
        RequireFloat32(op, arrays);
        int count = arrays[^1]!.Count, vectors = Vectors(count, arrays);
        return (count == 0 ? null : ElementBlocks(count, vectors), vectors, count);
    }
}
