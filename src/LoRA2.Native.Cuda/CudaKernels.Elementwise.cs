using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda;

/// <content>Arithmetic and functions of each element.</content>
internal sealed unsafe partial class CudaKernels
{
    public override void Fill(Tensor x, double value)
    {
        if (x.DType != DType.Int32) RequireFloat32(nameof(Fill), x);
        uint bits = x.DType == DType.Int32 ? (uint)(int)value : BitConverter.SingleToUInt32Bits((float)value);
        if (x.Count == 0) return;
        int vectors = Vectors(x.Count, x);
        Launch("Elementwise.Fill", ElementBlocks(x.Count, vectors), ElementThreads, bits, x, vectors, x.Count);
    }

    public override void Add(Tensor a, Tensor b, Tensor y) => Binary(nameof(Add), "Elementwise.Add", a, b, y);

    public override void Subtract(Tensor a, Tensor b, Tensor y) => Binary(nameof(Subtract), "Elementwise.Subtract", a, b, y);

    public override void Multiply(Tensor a, Tensor b, Tensor y) => Binary(nameof(Multiply), "Elementwise.Multiply", a, b, y);

    public override void Scale(Tensor x, double s, Tensor y) => Scaled(nameof(Scale), "Elementwise.Scale", x, (float)s, y);

    public override void ScaleBy(Tensor x, Tensor factor, Tensor y)
    {
        RequireFloat32(nameof(ScaleBy), factor);
        Scaled(nameof(ScaleBy), "Broadcasts.ScaleBy", x, factor, y);
    }

    public override void AddScaled(Tensor x, double s, Tensor y) => Scaled(nameof(AddScaled), "Elementwise.AddScaled", x, (float)s, y);

    public override void AddRow(Tensor x, Tensor row, Tensor y)
    {
        RequireFloat32(nameof(AddRow), x, row, y);
        if (y.Count == 0) return;
        int columns = y.Shape.Columns;
        int vectors = columns % 4 == 0 ? Vectors(columns, x, row, y) : 0;
        if (vectors > 0) Launch("Broadcasts.AddRowFours", ElementBlocks(y.Count, y.Count / 4), ElementThreads, x, row, y, vectors, y.Count / 4);
        else Launch("Broadcasts.AddRow", ElementBlocks(y.Count, 0), ElementThreads, x, row, y, columns, y.Count);
    }

    public override void Gelu(Tensor x, Tensor y) => Unary(nameof(Gelu), "Activations.Gelu", x, y);

    public override void GeluBackward(Tensor x, Tensor dy, Tensor dx) => Binary(nameof(GeluBackward), "Activations.GeluBackward", x, dy, dx);

    public override void Tanh(Tensor x, Tensor y) => Unary(nameof(Tanh), "Activations.Tanh", x, y);

    public override void TanhBackward(Tensor y, Tensor dy, Tensor dx) => Binary(nameof(TanhBackward), "Activations.TanhBackward", y, dy, dx);

    public override void Relu(Tensor x, Tensor y) => Unary(nameof(Relu), "Activations.Relu", x, y);

    public override void ReluBackward(Tensor y, Tensor dy, Tensor dx) => Binary(nameof(ReluBackward), "Activations.ReluBackward", y, dy, dx);

    public override void Dropout(Tensor x, DropoutMask mask, Tensor y)
    {
        RequireFloat32(nameof(Dropout), x, y);
        if (y.Count == 0) return;
        int vectors = Vectors(y.Count, x, y);
        (Philox random, uint threshold, float scale) = WordsOf(mask);
        Launch("Dropout.Apply", ElementBlocks(y.Count, vectors), ElementThreads, mask, 2, x, random.Seed, random.Stream, threshold, scale, y, vectors, y.Count);
    }

    /// <summary>A mask as kernels take it: what decides, the smallest word that keeps an element, and the factor of what is kept.</summary>
    private static (Philox Random, uint Threshold, float Scale) WordsOf(DropoutMask mask) =>
        (mask.Random, mask.Threshold, mask.Probability >= 1 ? 0 : (float)(1 / (1 - mask.Probability)));

    private void Unary(string name, string kernel, Tensor x, Tensor y)
    {
        RequireFloat32(name, x, y);
        if (y.Count == 0) return;
        int vectors = Vectors(y.Count, x, y);
        Launch(kernel, ElementBlocks(y.Count, vectors), ElementThreads, x, y, vectors, y.Count);
    }

    private void Binary(string name, string kernel, Tensor a, Tensor b, Tensor y)
    {
        RequireFloat32(name, a, b, y);
        if (y.Count == 0) return;
        int vectors = Vectors(y.Count, a, b, y);
        Launch(kernel, ElementBlocks(y.Count, vectors), ElementThreads, a, b, y, vectors, y.Count);
    }

    private void Scaled(string name, string kernel, Tensor x, Argument factor, Tensor y)
    {
        RequireFloat32(name, x, y);
        if (y.Count == 0) return;
        int vectors = Vectors(y.Count, x, y);
        Launch(kernel, ElementBlocks(y.Count, vectors), ElementThreads, x, factor, y, vectors, y.Count);
    }
}
