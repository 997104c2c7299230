using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <content>Kernels that are still to be written; this file goes when it is empty.</content>
internal sealed unsafe partial class CudaKernels
{
    public override void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha = 1, double beta = 0, Epilogue epilogue = default, Precision precision = Precision.Float32) => throw new NotImplementedException();

    public override void BatchedMatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c) => throw new NotImplementedException();

    public override bool KeepsAttention(int length) => throw new NotImplementedException();

    public override void Attention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities, Tensor? kept, Tensor y) => throw new NotImplementedException();

    public override void AttentionBackward(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? kept, Tensor dy, AttentionGradients gradients) => throw new NotImplementedException();
}
