using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Operands that don't fit are refused in one sentence that names the op and what it was given.</summary>
public sealed class OpErrorsTests
{
    private static readonly Dictionary<string, Action> Wrong = new()
    {
        ["Add: shapes [2, 3] and [2] don't broadcast"] = () => Ops.Add(Of(2, 3), Of(2)),
        ["Subtract: shapes [2] and [3] don't broadcast"] = () => Ops.Subtract(Of(2), Double(3)),
        ["Multiply: an operand is BFloat16 [2]; Float32 or Float64 is needed"] = () => Ops.Multiply(Of(2).To(DType.BFloat16), Of(2).To(DType.BFloat16)),
        ["Divide: an operand is Float16 [2]; Float32 or Float64 is needed"] = () => Ops.Divide(Of(2).To(DType.Float16), Of(2).To(DType.Float16)),
        ["Where: shapes [3] and [2] don't broadcast"] = () => Ops.Where(Ints(2), Of(3), Of(3)),
        ["ArgMax: shape [0] has nothing to choose from"] = () => Ops.ArgMax(Of(0)),
        ["IndexSelect: index 2 is outside an axis of 2"] = () => Ops.IndexSelect(Of(2), 0, Tensor.From([2], [1])),
        ["TakeAlongAxis: the index is Float32; Int32 or Int64 is needed"] = () => Ops.TakeAlongAxis(Of(2), Of(2), 0),
        ["Solve: a matrix of Float32 [2, 2] is singular"] = () => Ops.Solve(Of(2, 2), Of(2, 1)),
        ["Cholesky: matrix 0 is not positive definite: its leading minor of order 1 is not"] = () => Ops.Cholesky(Of(2, 2)),
        ["Conv2d: x [1, 3, 4, 4] does not fit a weight of shape [2, 2, 3, 3] ([out, in / groups, …]) in 1 groups"] = () => Ops.Conv2d(Of(1, 3, 4, 4), Of(2, 2, 3, 3)),
        ["Conv: windows of 5 positions are larger than the padded input, 4 along axis 2 of shape [1, 2, 4, 4]"] = () => Ops.Conv2d(Of(1, 2, 4, 4), Of(2, 2, 3, 3), steps: new ConvolutionSteps { Dilation = [2] }),
        ["Conv: a bias of shape [3] does not fit a weight of shape [2, 2, 3, 3]"] = () => Ops.Conv2d(Of(1, 2, 4, 4), Of(2, 2, 3, 3), Of(3)),
        ["MaxPool: window 0 of axis 1 of shape [4, 4] reads padding alone"] = () => Ops.MaxPool2d(Of(4, 4), new PoolWindows([1, 2]) { Padding = [0, 1], Dilation = [1, 5] }),
        ["Lstm: weights of shapes [8, 3] and [8, 3] don't fit x of shape [4, 1, 3] and states of shape [1, 2]"] = () => Ops.Lstm(Of(4, 1, 3), Of(1, 1, 2), Of(1, 1, 2), [new RecurrentWeights(Of(8, 3), Of(8, 3))]),
        ["Einsum: 'ij' does not fit an operand of shape [2]"] = () => Ops.Einsum("ij->i", Of(2)),
        ["Scale: an operand is Int32 [2]; Float32 or Float64 is needed"] = () => Ops.Scale(Ints(2), 2),
        ["Gelu: an operand is Int32 [2]; Float32 or Float64 is needed"] = () => Ops.Gelu(Ints(2)),
        ["Tanh: an operand is Int32 [2]; Float32 or Float64 is needed"] = () => Ops.Tanh(Ints(2)),
        ["Relu: an operand is BFloat16 [2]; Float32 or Float64 is needed"] = () => Ops.Relu(Of(2).To(DType.BFloat16)),
        ["Softmax: an operand is Int32 [2]; Float32 or Float64 is needed"] = () => Ops.Softmax(Ints(2)),
        ["MaskedSoftmax: the mask is Float32; Int32 is needed"] = () => Ops.MaskedSoftmax(Of(2), Of(2)),
        ["MaskedSoftmax: a mask of shape [3, 2] is larger than x, [2]"] = () => Ops.MaskedSoftmax(Of(2), Ints(3, 2)),
        ["MaskedMax: the mask is Float32; Int32 is needed"] = () => Ops.MaskedMax(Of(2, 3, 4), Of(2, 3)),
        ["MaskedMax: x [2, 3, 4] must be [batch, length, width] and the mask [2, 4] [batch, length]"] = () => Ops.MaskedMax(Of(2, 3, 4), Ints(2, 4)),
        ["Normalize: an operand is Int32 [2]; Float32 or Float64 is needed"] = () => Ops.Normalize(Ints(2)),
        ["Normalize: the least length must be above 0 (Parameter 'epsilon')\nActual value was 0."] = () => Ops.Normalize(Of(2), 0),
        ["LayerNorm: gain [3] and bias [4] must both be [4] for x [2, 4]"] = () => Ops.LayerNorm(Of(2, 4), Of(3), Of(4), 1e-5),
        ["LayerNorm: operands are Float32 [2, 4] and Float64 [4]; they must be of one type"] = () => Ops.LayerNorm(Of(2, 4), Of(4), Double(4), 1e-5),
        ["Dropout: the probability must be in [0, 1) (Parameter 'mask')\nActual value was 1."] = () => Ops.Dropout(Of(2), new DropoutMask(1, 1, 1, 1)),
        ["Dropout: an operand is Int32 [2]; Float32 or Float64 is needed"] = () => Ops.Dropout(Ints(2), new DropoutMask(0, 1, 1, 1)),
        ["Dropout: the mask's rows are Int64 [3]; a contiguous Int64 [2] is needed"] = () => Ops.Dropout(Of(2, 4), new DropoutMask(0.5, 1, 1, 1) { Rows = Longs(3) }),
        ["AddLayerNorm: the mask's rows are Int32 [2]; a contiguous Int64 [2] is needed"] = () => Ops.AddLayerNorm(Of(2, 4), Of(2, 4), Of(4), Of(4), 1e-5, new DropoutMask(0.5, 1, 1, 1) { Rows = Ints(2) }),
        ["Attention: q is [2, 3, 4]; of sequences without padding [tokens, 1, width] and no mask is needed"] = () => Ops.Attention(Of(2, 3, 4), Of(2, 3, 4), Of(2, 3, 4), new AttentionTerms(2, 1) { Starts = Ints(2), Longest = 2 }),
        ["Attention: q is [2, 1, 4] with a mask; of sequences without padding [tokens, 1, width] and no mask is needed"] = () => Ops.Attention(Of(2, 1, 4), Of(2, 1, 4), Of(2, 1, 4), new AttentionTerms(2, 1, Ints(2, 1)) { Starts = Ints(2), Longest = 2 }),
        ["Attention: the starts are Int64 [2]; a contiguous Int32 [sequences + 1] on the CPU is needed"] = () => Ops.Attention(Of(2, 1, 4), Of(2, 1, 4), Of(2, 1, 4), new AttentionTerms(2, 1) { Starts = Longs(2), Longest = 2 }),
        ["Attention: the starts don't rise from 0 to 2, the number of tokens, by 2 at most"] = () => Ops.Attention(Of(2, 1, 4), Of(2, 1, 4), Of(2, 1, 4), new AttentionTerms(2, 1) { Starts = Ints(2), Longest = 2 }),
        ["Attention: the starts don't rise from 0 to 3, the number of tokens, by 2 at most"] = () => Ops.Attention(Of(3, 1, 4), Of(3, 1, 4), Of(3, 1, 4), new AttentionTerms(2, 1) { Starts = Tensor.From([0, 3], [2]), Longest = 2 }),
        ["Attention: its dropout is counted by sequences; there are no rows to be picked"] = () => Ops.Attention(Of(2, 1, 4), Of(2, 1, 4), Of(2, 1, 4), new AttentionTerms(2, 1, Dropout: new DropoutMask(0.5, 1, 1, 1) { Rows = Longs(2) })),
        ["Reshape: shape [2, 3] of 6 elements can't become [4, 2] of 8"] = () => Ops.Reshape(Of(2, 3), 4, 2),
        ["Permute: 1 axes were given for shape [2, 3]"] = () => Ops.Permute(Of(2, 3), 0),
        ["Permute: axis 1 of shape [2, 3] was given twice"] = () => Ops.Permute(Of(2, 3), 1, 1),
        ["Transpose: shape [2] has fewer than two axes"] = () => Ops.Transpose(Of(2)),
        ["Slice: 2 … 4 is not within axis 1 of shape [2, 3] (Parameter 'start')"] = () => Ops.Slice(Of(2, 3), 1, 2, 3),
        ["Concat: there is nothing to join"] = () => Ops.Concat(0),
        ["Concat: shapes [2, 3] and [2, 4] can't be joined along axis 0"] = () => Ops.Concat(0, Of(2, 3), Of(2, 4)),
        ["Concat: operands are Float32 [2] and Float64 [2]; they must be of one type"] = () => Ops.Concat(0, Of(2), Double(2)),
        ["Gather: an index of shape [1, 2] was given; it must have one axis"] = () => Ops.Gather(Of(2, 3), Ints(1, 2)),
        ["Gather: ids are Float32; Int32 is needed"] = () => Ops.Gather(Of(2, 3), Of(2)),
        ["Embedding: the table's shape is [3]; two axes are needed"] = () => Ops.Embedding(Of(3), Ints(1)),
        ["Embedding: id 5 at position 1 is outside 0 … 4"] = () => Ops.Embedding(Of(5, 2), Tensor.From([4, 5], [2])),
        ["Embedding: id -1 at position 0 is outside 0 … 4"] = () => Ops.Embedding(Of(5, 2), Tensor.From([-1], [1])),
        ["Sum: an operand is BFloat16 [2]; Float32 or Float64 is needed"] = () => Ops.Sum(Of(2).To(DType.BFloat16)),
        ["MatMul: inner extents differ, [2, 3] × [2, 3]"] = () => Ops.MatMul(Of(2, 3), Of(2, 3)),
        ["MatMul: inner extents differ, [2, 3] transposed × [3, 4]"] = () => Ops.MatMul(Of(2, 3), Of(3, 4), transposeA: true),
        ["MatMul: shapes [2, 2, 3] and [3, 3, 4] must have the same leading axes and two more"] = () => Ops.MatMul(Of(2, 2, 3), Of(3, 3, 4)),
        ["Linear: x of shape [2, 3] does not fit a weight of shape [4, 5] ([out, in])"] = () => Ops.Linear(Of(2, 3), Of(4, 5)),
        ["Linear: a bias of shape [3] does not fit a weight of shape [4, 3]"] = () => Ops.Linear(Of(2, 3), Of(4, 3), Of(3)),
        ["Linear: operands are Float32 [2, 3] and Float64 [4]; they must be of one type"] = () => Ops.Linear(Of(2, 3), Of(4, 3), Double(4)),
        ["LoRALinear: A [2, 5] and B [4, 2] don't fit a weight of shape [4, 3]"] = () => Ops.LoRALinear(Of(2, 3), Of(4, 3), null, Of(2, 5), Of(4, 2), 1),
        ["LoRALinear: operands are Float32 [2, 3] and Float64 [4, 2]; they must be of one type"] = () => Ops.LoRALinear(Of(2, 3), Of(4, 3), null, Of(2, 3), Double(4, 2), 1),
        ["LoRA2: factors u [3, 2], v [2, 5], λ [5], U [5, 2], V [2, 9] don't fit a layer of 3 inputs and 4 outputs"] =
            () => Ops.LoRA2Linear(Of(2, 3), Of(4, 3), null, new LoRA2Factors(Of(3, 2), Of(2, 5), Of(5), Of(5, 2), Of(2, 9)), 1),
        ["LoRA2Linear: operands are Float32 [2, 3] and Float64 [5]; they must be of one type"] =
            () => Ops.LoRA2Linear(Of(2, 3), Of(4, 3), null, new LoRA2Factors(Of(3, 2), Of(2, 5), Double(5), Of(5, 2), Of(2, 4)), 1),
        ["Attention: q [2, 3, 4], k [2, 3, 4] and v [2, 3, 5] must all be the same [batch, length, width]"] = () => Attend(Of(2, 3, 5), new AttentionTerms(2, 1)),
        ["Attention: a width of 4 can't be split into 3 heads"] = () => Attend(Of(2, 3, 4), new AttentionTerms(3, 1)),
        ["Attention: the mask is Int32 [3]; Int32 [2, 3] is needed"] = () => Attend(Of(2, 3, 4), new AttentionTerms(2, 1, Ints(3))),
        ["Attention: dropout 1 is not in [0, 1)"] = () => Attend(Of(2, 3, 4), new AttentionTerms(2, 1, Dropout: new DropoutMask(1, 0, 0, 0))),
        ["Attention: position tables belong to DisentangledAttention"] = () => Attend(Of(2, 3, 4), new AttentionTerms(2, 1, PositionKey: Of(5, 4))),
        ["DisentangledAttention: PositionOf is missing"] = () => Disentangle(new AttentionTerms(2, 1, PositionKey: Of(5, 4))),
        ["DisentangledAttention: a position table is [5, 3]; [positions, 4] is needed"] = () => Disentangle(new AttentionTerms(2, 1, PositionKey: Of(5, 3), PositionOf: new int[5])),
        ["DisentangledAttention: PositionOf has 4 entries for length 3"] = () => Disentangle(new AttentionTerms(2, 1, PositionKey: Of(5, 4), PositionOf: new int[4])),
        ["DisentangledAttention: PositionOf names row 5 of 5"] = () => Disentangle(new AttentionTerms(2, 1, PositionKey: Of(5, 4), PositionOf: [0, 1, 2, 3, 5])),
        ["DisentangledAttention: operands are Float32 [2, 3, 4] and Float64 [5, 4]; they must be of one type"] =
            () => Disentangle(new AttentionTerms(2, 1, PositionKey: Double(5, 4), PositionOf: new int[5])),
        ["CrossEntropy: logits [2, 3] need labels of shape [2], not [3]"] = () => Ops.CrossEntropy(Of(2, 3), Ints(3)),
        ["CrossEntropy: labels are Float32; Int32 is needed"] = () => Ops.CrossEntropy(Of(2, 3), Of(2)),
        ["CrossEntropy: label 3 is not one of 3 classes"] = () => Ops.CrossEntropy(Of(1, 3), Tensor.From([3], [1])),
        ["MeanSquaredError: shapes [2] and [3] differ"] = () => Ops.MeanSquaredError(Of(2), Of(3)),
        ["BinaryCrossEntropy: shapes [2] and [3] differ"] = () => Ops.BinaryCrossEntropy(Of(2), Of(3)),
        ["OrthogonalityNorm: there are no matrices"] = () => Ops.OrthogonalityNorm(),
        ["OrthogonalityNorm: operands of shapes [2] and [2, 2] must be matrices"] = () => Ops.OrthogonalityNorm((Of(2), Of(2, 2))),
        ["OrthogonalityNorm: operands are Float32 [2, 2] and Float64 [2, 2]; they must be of one type"] = () => Ops.OrthogonalityNorm((Of(2, 2), Double(2, 2))),
        ["LoRA2Orthogonality: there are no adapters"] = () => Ops.LoRA2Orthogonality([], OrthogonalityKind.All),
        ["LoRA2: factors u [5, 2], v [3, 4], λ [4], U [4, 2], V [2, 5] don't fit each other"] =
            () => Ops.LoRA2Orthogonality([new LoRA2Factors(Of(5, 2), Of(3, 4), Of(4), Of(4, 2), Of(2, 5))], OrthogonalityKind.All),
        ["LoRA2Orthogonality: operands are Float32 [5, 2] and Float64 [2, 5]; they must be of one type"] =
            () => Ops.LoRA2Orthogonality([new LoRA2Factors(Of(5, 2), Of(2, 4), Of(4), Of(4, 2), Double(2, 5))], OrthogonalityKind.All),
        ["shape [2, 3] has no such axis (Parameter 'axis')\nActual value was 2."] = () => Ops.Sum(Of(2, 3), 2),
        ["shape [2, -1] has a negative extent"] = () => Of(2, -1),
        ["shape [65536, 65536] has 2^31 elements or more"] = () => Of(65536, 65536),
        ["3 values don't fill shape [2] of 2"] = () => Tensor.From([1f, 2, 3], [2]),
    };

    public static TheoryData<string> Messages => [.. Wrong.Keys];

    [Theory]
    [MemberData(nameof(Messages))]
    public void OperandsThatDoNotFitAreRefusedByName(string message)
    {
        using var scope = new TensorScope();
        Assert.Equal(message, Assert.ThrowsAny<ArgumentException>(Wrong[message]).Message.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void TensorsRefuseRolesThatTheyCanNotHave()
    {
        using var scope = new TensorScope();
        Assert.Equal("a tensor of Int32 can't require a gradient; Float32 or Float64 can", Assert.Throws<InvalidOperationException>(() => Ints(2).RequiresGrad = true).Message);
        Tensor frozen = Of(2).Freeze();
        Assert.Equal("a frozen tensor can't require a gradient", Assert.Throws<InvalidOperationException>(() => frozen.RequiresGrad = true).Message);
        Assert.Equal("a frozen tensor can't be written", Assert.Throws<InvalidOperationException>(() => frozen.CopyFrom(Of(2))).Message);
        Tensor trained = Of(2);
        trained.RequiresGrad = true;
        Assert.Equal("a tensor that requires a gradient can't be frozen", Assert.Throws<InvalidOperationException>(() => trained.Freeze()).Message);
    }

    private static Tensor Of(params ReadOnlySpan<int> extents) => Tensor.Zeros(new Shape(extents));

    private static Tensor Double(params ReadOnlySpan<int> extents) => Tensor.Zeros(new Shape(extents), DType.Float64);

    private static Tensor Longs(params ReadOnlySpan<int> extents) => Tensor.Zeros(new Shape(extents), DType.Int64);

    private static Tensor Ints(params ReadOnlySpan<int> extents) => Tensor.Zeros(new Shape(extents), DType.Int32);

    private static Tensor Attend(Tensor v, AttentionTerms terms) => Ops.Attention(Of(2, 3, 4), Of(2, 3, 4), v, terms);

    private static Tensor Disentangle(AttentionTerms terms) => Ops.DisentangledAttention(Of(2, 3, 4), Of(2, 3, 4), Of(2, 3, 4), terms);
}
