using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda;

/// <content>Kernels that are still to be written; this file goes when it is empty.</content>
internal sealed unsafe partial class CudaKernels
{
    public override void Copy(Tensor source, Tensor destination) => throw new NotImplementedException();

    public override void AccumulateInto(Tensor source, Tensor destination) => throw new NotImplementedException();

    public override void Fill(Tensor x, double value) => throw new NotImplementedException();

    public override bool IsFinite(Tensor x) => throw new NotImplementedException();

    public override double SumOfSquares(params ReadOnlySpan<Tensor> tensors) => throw new NotImplementedException();

    public override void Add(Tensor a, Tensor b, Tensor y) => throw new NotImplementedException();

    public override void Subtract(Tensor a, Tensor b, Tensor y) => throw new NotImplementedException();

    public override void Multiply(Tensor a, Tensor b, Tensor y) => throw new NotImplementedException();

    public override void Scale(Tensor x, double s, Tensor y) => throw new NotImplementedException();

    public override void ScaleBy(Tensor x, Tensor factor, Tensor y) => throw new NotImplementedException();

    public override void AddScaled(Tensor x, double s, Tensor y) => throw new NotImplementedException();

    public override void AddRow(Tensor x, Tensor row, Tensor y) => throw new NotImplementedException();

    public override void SumRows(Tensor x, Tensor sums) => throw new NotImplementedException();

    public override void SumColumns(Tensor x, Tensor sums) => throw new NotImplementedException();

    public override void Gelu(Tensor x, Tensor y) => throw new NotImplementedException();

    public override void GeluBackward(Tensor x, Tensor dy, Tensor dx) => throw new NotImplementedException();

    public override void Tanh(Tensor x, Tensor y) => throw new NotImplementedException();

    public override void TanhBackward(Tensor y, Tensor dy, Tensor dx) => throw new NotImplementedException();

    public override void Relu(Tensor x, Tensor y) => throw new NotImplementedException();

    public override void ReluBackward(Tensor y, Tensor dy, Tensor dx) => throw new NotImplementedException();

    public override void Dropout(Tensor x, DropoutMask mask, Tensor y) => throw new NotImplementedException();

    public override void Softmax(Tensor x, Tensor? mask, Tensor y) => throw new NotImplementedException();

    public override void SoftmaxBackward(Tensor y, Tensor dy, Tensor dx) => throw new NotImplementedException();

    public override void LayerNorm(Tensor x, Tensor gain, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd) => throw new NotImplementedException();

    public override void LayerNormBackward(Tensor x, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dgain, Tensor? dbias) => throw new NotImplementedException();

    public override void AddLayerNorm(Tensor x, DropoutMask dropout, Tensor residual, Tensor gain, Tensor bias, double epsilon, Tensor sum, Tensor y, Tensor mean, Tensor rstd) => throw new NotImplementedException();

    public override void AddLayerNormBackward(Tensor sum, DropoutMask dropout, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dresidual, Tensor? dgain, Tensor? dbias) => throw new NotImplementedException();

    public override void Embedding(Tensor table, Tensor ids, Tensor y) => throw new NotImplementedException();

    public override void EmbeddingBackward(Tensor ids, Tensor dy, int paddingId, Tensor dtable) => throw new NotImplementedException();

    public override void LoRA2Fold(LoRA2Factors factors, Tensor middle, Tensor folded) => throw new NotImplementedException();

    public override void LoRA2FoldBackward(LoRA2Factors factors, Tensor middle, Tensor dfolded, Tensor? douterLeft, Tensor? dinnerLeft, Tensor? dsingularValues, Tensor? dinnerRight) => throw new NotImplementedException();

    public override void Orthogonality(ReadOnlySpan<OrthogonalityPlane> planes, bool norms, double scale, Tensor loss, Tensor kept) => throw new NotImplementedException();

    public override void OrthogonalityBackward(ReadOnlySpan<OrthogonalityPlane> planes, Tensor kept, double scale, Tensor dloss, ReadOnlySpan<OrthogonalityGradients> gradients) => throw new NotImplementedException();

    public override void CrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor dlogits) => throw new NotImplementedException();

    public override void MeanSquaredError(Tensor x, Tensor target, Tensor loss, Tensor dx) => throw new NotImplementedException();

    public override void AdamW(ReadOnlySpan<AdamWParameter> parameters) => throw new NotImplementedException();

    public override void UpdateSensitivity(Sensitivity sensitivity, Tensor gradient) => throw new NotImplementedException();
}
