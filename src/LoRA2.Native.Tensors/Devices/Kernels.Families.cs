using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Devices;

/// <content>
/// Families of kernels, each given its operation as a value. A backend that lacks one says so by the family's name; the other kernels are what every backend has.
/// </content>
internal abstract partial class Kernels
{
    /// <summary>Where the kernels run, for messages.</summary>
    protected abstract string DeviceName { get; }

    /// <summary>y = f(x), both contiguous. y is of x's type, or of Bool where f is a predicate. Integers where f keeps them.</summary>
    public virtual void Unary(UnaryFunction f, Tensor x, Tensor y) => throw Missing(f.Kind.ToString());

    /// <summary>y = f(a, b): a and b are of one type and of y's shape with any strides, 0 included; y is contiguous. Sums, differences and products are computed everywhere.</summary>
    public virtual void Binary(BinaryKind f, Tensor a, Tensor b, Tensor y)
    {
        if (f > BinaryKind.Multiply) throw Missing(f.ToString());
        (a, b) = (a.To(a.DType), b.To(b.DType));
        switch (f)
        {
            case BinaryKind.Add: Add(a, b, y); break;
            case BinaryKind.Subtract: Subtract(a, b, y); break;
            default: Multiply(a, b, y); break;
        }
    }

    /// <summary>y = condition ? a : b, all of y's shape with any strides, 0 included; condition is of Bool, the others of one type, and y is contiguous.</summary>
    public virtual void Select(Tensor condition, Tensor a, Tensor b, Tensor y) => throw Missing();

    /// <summary>y[o, i] = the reduction of x[o, :, i], for x seen as outer × length × inner. The length is not 0, but for sums, products, any and all.</summary>
    public virtual void Reduce(ReduceKind kind, Tensor x, int outer, int length, int inner, Tensor y) => throw Missing(kind.ToString());

    /// <summary>y[o, n, i] = the scan of x[o, 0 … n, i], for both seen as outer × length × inner.</summary>
    public virtual void Scan(ScanKind kind, Tensor x, int outer, int length, int inner, Tensor y) => throw Missing(kind.ToString());

    /// <summary>order (Int64) = where each element of the sorted row stood, for rows of the last axis: stable, NaN largest.</summary>
    public virtual void Sort(Tensor x, bool descending, Tensor order) => throw Missing();

    /// <summary>
    /// Between dense, seen as outer × length × inner, and picked, seen as outer × count × inner, by indices (Int64, within the length) of picked's shape, or of one axis
    /// of count that serve every o and i.
    /// </summary>
    public virtual void Index(IndexAccess access, Tensor dense, int outer, int length, int inner, Tensor index, Tensor picked) => throw Missing(access.ToString());

    /// <summary>destination[strided] = source, contiguous and of its type; elements of the destination don't overlap.</summary>
    public virtual void Place(Tensor source, Tensor destination) => throw Missing();

    /// <summary>The decomposition of each matrix of a; results as <see cref="Factorisation"/> says, the last null where it has fewer.</summary>
    public virtual void Factorise(Factorisation kind, Tensor a, Tensor first, Tensor? second = null, Tensor? third = null) => throw Missing(kind.ToString());

    /// <summary>y = op(a)⁻¹ b for each matrix of a batch: a [.., n, n] triangular, b and y [.., n, m]; with <paramref name="unit"/> a's diagonal is taken for ones.</summary>
    public virtual void SolveTriangular(Tensor a, bool upper, bool transposed, bool unit, Tensor b, Tensor y) => throw Missing();

    /// <summary>
    /// The steps of one direction of an LSTM layer. gates [length, batch, 4 · size] have the input's part of the gates' arguments, biases included, and receive the gates' values; weight is [4 · size, size].
    /// hidden and cells are [length + 1, batch, size]: the first state (in reverse the last) is given, the others are written.
    /// </summary>
    public virtual void Lstm(Tensor gates, Tensor weight, bool reverse, Tensor hidden, Tensor cells) => throw Missing();

    /// <summary>
    /// The gradients of <see cref="Lstm"/>: gates have its gates' values and receive the gradient of their arguments; dhidden, [length, batch, size], is that of the states which were written.
    /// dcell [batch, size] has the gradient of the last cell and receives that of the first; dfirst receives that of the first hidden state if it is needed, and else anything.
    /// </summary>
    public virtual void LstmBackward(Tensor gates, Tensor weight, bool reverse, Tensor cells, Tensor dhidden, Tensor dcell, Tensor dfirst, bool needsFirst) => throw Missing();

    /// <summary>
    /// The steps of one direction of a GRU layer. gates [length, batch, 3 · size] have the input's part of the gates' arguments, its bias included, and receive the gates' values; own, of that shape, receives
    /// the hidden state's part, weight is [3 · size, size] and bias [3 · size], which may be null. hidden is that of <see cref="Lstm"/>.
    /// </summary>
    public virtual void Gru(Tensor gates, Tensor own, Tensor weight, Tensor? bias, bool reverse, Tensor hidden) => throw Missing();

    /// <summary>
    /// The gradients of <see cref="Gru"/>: gates and own have what it wrote and receive the gradients of the input's and of the hidden state's part; dhidden, [length, batch, size], is that of the states which were
    /// written, and dfirst receives that of the first if it is needed, and else anything.
    /// </summary>
    public virtual void GruBackward(Tensor gates, Tensor own, Tensor weight, bool reverse, Tensor hidden, Tensor dhidden, Tensor dfirst, bool needsFirst) => throw Missing();

    /// <summary>Whether <see cref="Convolution"/> and its gradients are there. Without them a convolution is ops over its windows.</summary>
    public virtual bool Convolves => false;

    /// <summary>
    /// y [batch, out, height', width'] = the cross-correlation of x [batch, in, height, width] with weight [out, in / groups, rows, columns], and bias [out], which may be null.
    /// </summary>
    public virtual void Convolution(Tensor x, Tensor weight, Tensor? bias, WindowPlan windows, int groups, Tensor y) => throw Missing();

    /// <summary>dx = the gradient of <see cref="Convolution"/> with respect to x.</summary>
    public virtual void ConvolutionInput(Tensor weight, Tensor dy, WindowPlan windows, int groups, Tensor dx) => throw Missing();

    /// <summary>dweight = the gradient of <see cref="Convolution"/> with respect to the weight, added to what is there with <paramref name="adds"/>.</summary>
    public virtual void ConvolutionWeight(Tensor x, Tensor dy, WindowPlan windows, int groups, Tensor dweight, bool adds) => throw Missing();

    /// <summary>
    /// places (Int64, [.., height', width']) = where the largest of each window of the last two axes of x is, counted through both: the first of equal ones, the first NaN where there is one. Every window has a
    /// position within the axes.
    /// </summary>
    public virtual void MaxPool(Tensor x, WindowPlan windows, Tensor places) => throw Missing();

    private NotSupportedException Missing(string operation = "", [CallerMemberName] string family = "") =>
        new($"{DeviceName} has no kernel for {family}{(operation.Length > 0 ? $" ({operation})" : "")}; move the tensor to {Device.Cpu.Name}");
}
