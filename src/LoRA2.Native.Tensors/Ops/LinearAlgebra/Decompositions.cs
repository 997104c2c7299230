using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Decompositions of the matrices that the last two axes are.</content>
public static partial class Ops
{
    /// <summary>
    /// The lower triangular L with L Lᵀ = a, or with <paramref name="upper"/> its transpose, of each symmetric positive definite matrix of [.., n, n]; its lower triangle is read. The
    /// gradient is symmetric (Murray, "Differentiation of the Cholesky decomposition", arXiv 1602.07527).
    /// </summary>
    /// <exception cref="ArgumentException">The matrices are not square, or one is not positive definite.</exception>
    public static Tensor Cholesky(Tensor a, bool upper = false)
    {
        ArgumentNullException.ThrowIfNull(a);
        RequireSquare("Cholesky", a);
        a = Contiguous(a);
        Tensor l = Tensor.Empty(a.Shape, a.DType, a.Device);
        a.Device.Kernels.Factorise(Factorisation.Cholesky, a, l);
        if (Tape.Records(a)) l = Tape.Record(new CholeskyNode(a, l), l);
        return upper ? Transpose(l) : l;
    }

    /// <summary>
    /// Q with orthonormal columns and upper triangular R with Q R = a: [.., m, n] gives [.., m, k] and [.., k, n], k the less of m and n. Signs are LAPACK's: R's diagonal may be negative. The gradient
    /// needs m ≥ n (Walter and Lehmann, arXiv 1009.6112), or the first m columns (arXiv 2009.10071).
    /// </summary>
    /// <exception cref="ArgumentException">There are fewer than two axes.</exception>
    public static (Tensor Q, Tensor R) QR(Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        RequireMatrices("QR", a);
        if (a.Shape[^1] > a.Shape[^2])
        {
            // The first columns make Q, and Qᵀ the rest of R.
            (Tensor square, Tensor left) = QR(Slice(a, -1, 0, a.Shape[^2]));
            Tensor right = MatMul(square, Slice(a, -1, a.Shape[^2], a.Shape[^1] - a.Shape[^2]), true, false);
            return (square, Concat(-1, left, right));
        }

        a = Contiguous(a);
        int k = a.Shape[^1];
        Tensor q = Tensor.Empty(a.Shape, a.DType, a.Device);
        Tensor r = Tensor.Zeros(a.Shape.WithLast(2, k, k), a.DType, a.Device);
        a.Device.Kernels.Factorise(Factorisation.QR, a, q, r);
        if (!Tape.Records(a)) return (q, r);
        // Each result is a node of its own, whose gradient is that of the decomposition with the other's left out: they add up.
        Tensor recordedQ = Tape.Record(new QRNode(a, ofR: false), q);
        Tensor recordedR = Tape.Record(new QRNode(a, ofR: true), r);
        return (recordedQ, recordedR);
    }

    /// <summary>
    /// U, the singular values in descending order and Vᵀ with U diag(s) Vᵀ = a, reduced: [.., m, n] gives [.., m, k], [.., k] and [.., k, n]. The values have a gradient; for U and Vᵀ, which are defined up to
    /// signs, take one of an expression that does not depend on them by other means: none flows.
    /// </summary>
    /// <exception cref="ArgumentException">There are fewer than two axes.</exception>
    public static (Tensor U, Tensor S, Tensor Vt) Svd(Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        RequireMatrices("Svd", a);
        a = Contiguous(a);
        int k = Math.Min(a.Shape[^2], a.Shape[^1]);
        Tensor u = Tensor.Empty(a.Shape.WithLast(1, k), a.DType, a.Device);
        Tensor s = Tensor.Empty(a.Shape.WithLast(2, k), a.DType, a.Device);
        Tensor vt = Tensor.Empty(a.Shape.WithLast(2, k, a.Shape[^1]), a.DType, a.Device);
        a.Device.Kernels.Factorise(Factorisation.Svd, a, u, s, vt);
        if (Tape.Records(a)) s = Tape.Record(new SingularValuesNode(a, u, vt), s);
        return (u, s, vt);
    }

    /// <summary>The singular values of each matrix in descending order: [.., m, n] gives [.., k].</summary>
    /// <exception cref="ArgumentException">There are fewer than two axes.</exception>
    public static Tensor SingularValues(Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return Svd(a).S;
    }

    private static void RequireMatrices(string op, Tensor a)
    {
        RequireFloating(op, a);
        if (a.Shape.Rank < 2) throw new ArgumentException($"{op}: shape {a.Shape} has fewer than two axes");
    }

    /// <summary>The lower triangle, half of the diagonal.</summary>
    private static Tensor HalfTril(Tensor x) => Scale(Add(Tril(x), Tril(x, -1)), 0.5);

    private sealed class CholeskyNode : OpNode
    {
        private readonly Tensor a;
        private readonly Tensor l;

        public CholeskyNode(Tensor a, Tensor l) => (this.a, this.l) = (a, Save(l));

        protected internal override void Backward(Tensor gradient)
        {
            Tensor inner = HalfTril(MatMul(l, gradient, true, false));
            // L⁻ᵀ inner L⁻¹, then its symmetric part.
            Tensor half = SolveTriangular(l, inner, upper: false, transposed: true);
            Tensor whole = Transpose(SolveTriangular(l, Transpose(half), upper: false, transposed: true));
            Accumulate(a, Scale(Add(whole, Transpose(whole)), 0.5));
        }
    }

    private sealed class QRNode : OpNode
    {
        private readonly Tensor a;
        private readonly bool ofR;

        public QRNode(Tensor a, bool ofR) => (this.a, this.ofR) = (Save(a), ofR);

        protected internal override void Backward(Tensor gradient)
        {
            // In double and of a decomposition of its own: R⁻¹ costs digits that single precision does not have, and a second derivative goes through it.
            (Tensor basis, Tensor triangle) = QR(Cast(a, DType.Float64));
            gradient = Cast(gradient, DType.Float64);
            // With M = R dRᵀ − dQᵀ Q: da = (dQ + Q copyltu(M)) R⁻ᵀ, where copyltu mirrors the lower triangle.
            Tensor m = ofR ? MatMul(triangle, gradient, false, true) : Negate(MatMul(gradient, basis, true, false));
            Tensor lower = Tril(m, -1);
            Tensor mirrored = Add(Tril(m), Contiguous(Transpose(lower)));
            Tensor right = MatMul(basis, mirrored);
            if (!ofR) right = Add(right, gradient);
            // right R⁻ᵀ = (R⁻¹ rightᵀ)ᵀ.
            Accumulate(a, Cast(Contiguous(Transpose(SolveTriangular(triangle, Transpose(right), upper: true))), a.DType));
        }
    }

    private sealed class SingularValuesNode : Node
    {
        private readonly Tensor a;
        private readonly Tensor u;
        private readonly Tensor vt;

        public SingularValuesNode(Tensor a, Tensor u, Tensor vt) => (this.a, this.u, this.vt) = (a, Save(u), Save(vt));

        protected internal override void Backward(Tensor gradient) => Accumulate(a, MatMul(Multiply(u, Unsqueeze(gradient, -2)), vt));
    }
}
