using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Devices;

/// <summary>
/// Everything a backend has to compute, and the only boundary between backends: ops and all above them never ask which one runs. Unless said
/// otherwise tensors are contiguous and of one floating type (Float32 or Float64), shapes were checked by the caller, outputs come last and may
/// not overlap inputs, and a matrix is a tensor seen as (product of all axes but the last) × (last axis). Results don't depend on the number of threads.
/// </summary>
internal abstract partial class Kernels
{
    /// <summary>destination = source, converting types. The source may have any strides.</summary>
    public abstract void Copy(Tensor source, Tensor destination);

    /// <summary>destination += source, where the destination may have any strides, 0 included (a sum over a broadcast axis).</summary>
    public abstract void AccumulateInto(Tensor source, Tensor destination);

    /// <summary>Sets every element.</summary>
    public abstract void Fill(Tensor x, double value);

    /// <summary>Whether no element is NaN or infinite.</summary>
    public abstract bool IsFinite(Tensor x);

    /// <summary>sum (Float64, one element) = Σ of the squares of all tensors, accumulated in double in a fixed order, each tensor's first. Tensors may differ in type.</summary>
    public abstract void SumOfSquares(ReadOnlySpan<Tensor> tensors, Tensor sum);

    /// <summary>y = a + b.</summary>
    public abstract void Add(Tensor a, Tensor b, Tensor y);

    /// <summary>y = a − b.</summary>
    public abstract void Subtract(Tensor a, Tensor b, Tensor y);

    /// <summary>y = a ∘ b.</summary>
    public abstract void Multiply(Tensor a, Tensor b, Tensor y);

    /// <summary>y = s x.</summary>
    public abstract void Scale(Tensor x, double s, Tensor y);

    /// <summary>y = factor x, where the factor is a tensor of one element.</summary>
    public abstract void ScaleBy(Tensor x, Tensor factor, Tensor y);

    /// <summary>y += s x.</summary>
    public abstract void AddScaled(Tensor x, double s, Tensor y);

    /// <summary>y[r, c] = x[r, c] + row[c].</summary>
    public abstract void AddRow(Tensor x, Tensor row, Tensor y);

    /// <summary>sums[c] = Σ_r x[r, c].</summary>
    public abstract void SumRows(Tensor x, Tensor sums);

    /// <summary>sums[r] = Σ_c x[r, c].</summary>
    public abstract void SumColumns(Tensor x, Tensor sums);

    /// <summary>y = f(x); f is not <see cref="Activation.None"/>.</summary>
    public abstract void Activate(Activation activation, Tensor x, Tensor y);

    /// <summary>dx = dy · f′(x).</summary>
    public abstract void ActivateBackward(Activation activation, Tensor x, Tensor dy, Tensor dx);

    /// <summary>y = x / (1 − p) where the mask keeps, else 0; its own backward.</summary>
    public abstract void Dropout(Tensor x, DropoutMask mask, Tensor y);

    /// <summary>y[r] = softmax(x[r]); where <paramref name="mask"/> (Int32, one value an element of x) is 0, exactly 0. A row with nothing kept is all 0.</summary>
    public abstract void Softmax(Tensor x, Tensor? mask, Tensor y);

    /// <summary>dx = y ∘ (dy − Σ_c dy ∘ y).</summary>
    public abstract void SoftmaxBackward(Tensor y, Tensor dy, Tensor dx);

    /// <summary>y = x r for each row, with r = 1 / max(‖x‖₂, ε) to reciprocal [rows], negative where ε was divided by.</summary>
    public abstract void Normalize(Tensor x, double epsilon, Tensor y, Tensor reciprocal);

    /// <summary>dx = |r| (dy − y Σ y dy) for each row; without the sum where r is negative.</summary>
    public abstract void NormalizeBackward(Tensor y, Tensor reciprocal, Tensor dy, Tensor dx);

    /// <summary>The largest of each column over the rows that the mask keeps, and their places: see <see cref="Ops.MaskedMax"/>.</summary>
    public abstract void MaskedMax(Tensor x, Tensor mask, Tensor y, Tensor places);

    /// <summary>dx[b, places[b, c], c] = dy[b, c]; the rest of dx stays as it is.</summary>
    public abstract void MaskedMaxBackward(Tensor places, Tensor dy, Tensor dx);

    /// <summary>y = (x − mean) · rstd · gain + bias for each row; mean and rstd are saved, one a row.</summary>
    public abstract void LayerNorm(Tensor x, Tensor gain, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd);

    /// <summary>The gradients of <see cref="LayerNorm"/>; each may be null when not wanted.</summary>
    public abstract void LayerNormBackward(Tensor x, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dgain, Tensor? dbias);

    /// <summary><see cref="LayerNorm"/> of sum = residual + dropout(x); the sum is saved for the gradient.</summary>
    public abstract void AddLayerNorm(Tensor x, DropoutMask dropout, Tensor residual, Tensor gain, Tensor bias, double epsilon, Tensor sum, Tensor y, Tensor mean, Tensor rstd);

    /// <summary>The gradients of <see cref="AddLayerNorm"/>; each may be null when not wanted. dx is dropout(dresidual).</summary>
    public abstract void AddLayerNormBackward(
        Tensor sum, DropoutMask dropout, Tensor gain, Tensor mean, Tensor rstd, Tensor dy, Tensor? dx, Tensor? dresidual, Tensor? dgain, Tensor? dbias);

    /// <summary>y[i] = table[ids[i]]; ids (Int32) are within range.</summary>
    public abstract void Embedding(Tensor table, Tensor ids, Tensor y);

    /// <summary>dtable[ids[i]] += dy[i], in the order of i; rows of id <paramref name="paddingId"/> are left out. dtable is not cleared first.</summary>
    public abstract void EmbeddingBackward(Tensor ids, Tensor dy, int paddingId, Tensor dtable);

    /// <summary>
    /// c = alpha · op(a) op(b) + beta · c + epilogue, all seen as matrices. A frozen b is packed once and kept with it; it may be BFloat16 when the
    /// precision is. Float64 tensors are multiplied in double whatever the precision.
    /// </summary>
    public abstract void MatMul(
        Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, double alpha = 1, double beta = 0, Epilogue epilogue = default, Precision precision = Precision.Float32);

    /// <summary>The same for each matrix of the last two axes; a and b have the same leading axes.</summary>
    public abstract void BatchedMatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c);

    /// <summary>What <see cref="AttentionBackward"/> takes of <see cref="Attention"/>. It grows with the length and not, beyond some length, with its square.</summary>
    public abstract AttentionMemory KeptOfAttention(Tensor q, AttentionTerms terms);

    /// <summary>
    /// Multi-head attention: q, k, v and y are [batch, length, width]. The probabilities before dropout are written to
    /// <paramref name="probabilities"/>, [batch, heads, length, length], and what the backward pass wants to <paramref name="kept"/>, of the shape that
    /// <see cref="KeptOfAttention"/> says and in the backend's own form; either may be null.
    /// </summary>
    public abstract void Attention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities, Tensor? kept, Tensor y);

    /// <summary>
    /// The gradients of <see cref="Attention"/>; each may be null when not wanted. Relative gradients are [positions, width]. <paramref name="kept"/> is what the
    /// forward pass kept and <paramref name="y"/> its result; null where <see cref="KeptOfAttention"/> names none, which also says whether
    /// q, k and v still have their values.
    /// </summary>
    public abstract void AttentionBackward(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? kept, Tensor? y, Tensor dy, AttentionGradients gradients);

    /// <summary>
    /// reciprocal[j] = 1 / √(squared[j] + Σ_i b[j, i] (2 s linear[i, j] + s² quadratic[i, j])), summed in double: DoRA's norms (arXiv 2402.09353, equation 5) of
    /// W + s B A, with squared (Float64) the squared norms of W's rows, linear = A Wᵀ and quadratic = A Aᵀ Bᵀ.
    /// </summary>
    public abstract void ReciprocalNorms(Tensor squared, Tensor b, Tensor linear, Tensor quadratic, double s, Tensor reciprocal);

    /// <summary>
    /// SoRA's threshold step in place (arXiv 2311.11696): x − t above t, x + t below −t, else 0; as its authors' code has it, x between them, and what is then below t in size is 0.
    /// </summary>
    public abstract void Shrink(Tensor x, double threshold, bool released);

    /// <summary>middle = v diag(λ) 𝒰 [k, k] and folded = u · middle [in, k], of LoRA2's factors.</summary>
    public abstract void LoRA2Fold(LoRA2Factors factors, Tensor middle, Tensor folded);

    /// <summary>
    /// The gradients of <see cref="LoRA2Fold"/> given that of folded, scale · xᵀ h, of x [.., in] and h [.., k]; each may be null when not wanted. With <paramref name="adds"/> they are
    /// added to what is there.
    /// </summary>
    public abstract void LoRA2FoldBackward(
        LoRA2Factors factors, Tensor middle, Tensor x, Tensor h, double scale, Tensor? douterLeft, Tensor? dinnerLeft, Tensor? dsingularValues, Tensor? dinnerRight, bool adds);

    /// <summary>
    /// loss (rank 0) = scale · Σ of the planes' orthogonality losses, and a row of <paramref name="kept"/>, [planes, k² + k r at the most], for each plane's
    /// gradient. With <paramref name="norms"/> a plane's loss is the norm, and it has no inner matrix.
    /// </summary>
    public abstract void Orthogonality(ReadOnlySpan<OrthogonalityPlane> planes, bool norms, double scale, Tensor loss, Tensor kept);

    /// <summary>
    /// Adds scale · dloss · the gradients of each plane's loss, from what <see cref="Orthogonality"/> kept, to those that are not null; dloss has one element.
    /// </summary>
    public abstract void OrthogonalityBackward(
        ReadOnlySpan<OrthogonalityPlane> planes, Tensor kept, double scale, Tensor dloss, ReadOnlySpan<OrthogonalityGradients> gradients);

    /// <summary>
    /// Mean cross-entropy of logits [rows, classes] and labels (Int32) over the rows whose label is not negative, and its gradient for a loss
    /// gradient of 1; 0 when there is no such row.
    /// </summary>
    public abstract void CrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor dlogits);

    /// <summary>Mean of (x − target)², and its gradient for a loss gradient of 1.</summary>
    public abstract void MeanSquaredError(Tensor x, Tensor target, Tensor loss, Tensor dx);

    /// <summary>loss = mean of max(x, 0) − x t + ln(1 + e^−|x|), and dx = (σ(x) − t) / count; 0 when there is no element.</summary>
    public abstract void BinaryCrossEntropy(Tensor x, Tensor target, Tensor loss, Tensor dx);

    /// <summary>
    /// One AdamW step in place (Loshchilov and Hutter, arXiv 1711.05101, as PyTorch orders it), and after it the sensitivities of the parameters that
    /// have them. Parameters may differ in type; no two are the same tensor, and those of a group follow each other.
    /// </summary>
    /// <param name="parameters">What is changed.</param>
    /// <param name="numbers">[groups, 8] Float64: what <see cref="AdamWStep.Write"/> writes for each group.</param>
    /// <param name="squares">The sum of the squares of all gradients, for clipping; when it is not finite nothing is changed. Null: no clipping.</param>
    public abstract void AdamW(ReadOnlySpan<AdamWParameter> parameters, Tensor numbers, Tensor? squares);

    /// <summary>The update of one <see cref="Sensitivity"/> by itself.</summary>
    public abstract void UpdateSensitivity(Sensitivity sensitivity, Tensor gradient);

    /// <summary>
    /// scores (Float64) = the importances of each scorer's singular values, one scorer after the other. Products and sums are made in double, each sum in the order
    /// of its elements and then of its factors: backends agree to the bit, and so on what is pruned.
    /// </summary>
    public abstract void ImportanceScores(ReadOnlySpan<ImportanceScorer> scorers, Tensor scores);

    /// <summary>Sets every element to 0 whose <paramref name="kept"/> (Int32, of all tensors' elements, one tensor after the other) is 0. Tensors may differ in type.</summary>
    public abstract void Prune(ReadOnlySpan<Tensor> tensors, Tensor kept);

    /// <summary>y (of as many elements) = the elements of all tensors, of its type, one tensor after the other.</summary>
    public abstract void Concatenate(ReadOnlySpan<Tensor> tensors, Tensor y);
}

/// <summary>What is added to a matrix product in the same pass over its result.</summary>
/// <param name="Bias">One value a column.</param>
/// <param name="Left">rows × k, the left factor of a low-rank update, or null.</param>
/// <param name="Right">k × columns, its right factor.</param>
/// <param name="Scale">Factor of Left · Right.</param>
/// <param name="Residual">rows × columns, added after the rest.</param>
/// <param name="Activated">rows × columns, receives the activation of the finished result, which itself stays the activation's argument; unless it is that result.</param>
/// <param name="Activation">What <paramref name="Activated"/> receives.</param>
/// <param name="RightTransposed">Whether Right is stored as columns × k.</param>
/// <param name="Down">Where given, Left is first set to the product's left operand times this, inner × k: one pass over that operand may do both.</param>
/// <param name="DownTransposed">Whether Down is stored as k × inner.</param>
internal readonly record struct Epilogue(
    Tensor? Bias = null, Tensor? Left = null, Tensor? Right = null, double Scale = 1, Tensor? Residual = null, Tensor? Activated = null, Activation Activation = Activation.None, bool RightTransposed = false,
    Tensor? Down = null, bool DownTransposed = false);
