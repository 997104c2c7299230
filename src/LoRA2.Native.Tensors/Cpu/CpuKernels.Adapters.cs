using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Adapters;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Kernels of adapters' factors.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void ReciprocalNorms(Tensor squared, Tensor b, Tensor linear, Tensor quadratic, double s, Tensor reciprocal)
    {
        if (IsDouble(b)) ReciprocalNorms<double>(squared, b, linear, quadratic, s, reciprocal);
        else ReciprocalNorms<float>(squared, b, linear, quadratic, s, reciprocal);
        Keep(squared, b, linear, quadratic, reciprocal);
    }

    public override void LoRA2Fold(LoRA2Factors factors, Tensor middle, Tensor folded)
    {
        if (IsDouble(middle)) Fold<double>(factors, middle, folded);
        else Fold<float>(factors, middle, folded);
    }

    public override void LoRA2FoldBackward(
        LoRA2Factors factors, Tensor middle, Tensor x, Tensor h, double scale, Tensor? douterLeft, Tensor? dinnerLeft, Tensor? dsingularValues, Tensor? dinnerRight, bool adds)
    {
        Tensor dfolded = Tensor.Empty(factors.OuterLeft.Shape, middle.DType);
        MatMul(x, true, h, false, dfolded, scale);
        if (IsDouble(middle)) FoldBackward<double>(factors, middle, dfolded, douterLeft, dinnerLeft, dsingularValues, dinnerRight, adds);
        else FoldBackward<float>(factors, middle, dfolded, douterLeft, dinnerLeft, dsingularValues, dinnerRight, adds);
    }

    public override void Orthogonality(ReadOnlySpan<OrthogonalityPlane> planes, bool norms, double scale, Tensor loss, Tensor kept)
    {
        if (IsDouble(loss)) *loss.F64 = scale * Adapters.Orthogonality.Forward(Pointers<double>(planes, kept, default), planes.Length, norms);
        else *loss.F32 = (float)(scale * Adapters.Orthogonality.Forward(Pointers<float>(planes, kept, default), planes.Length, norms));
        Keep(loss, kept);
        KeepAll(planes);
    }

    public override void OrthogonalityBackward(
        ReadOnlySpan<OrthogonalityPlane> planes, Tensor kept, double scale, Tensor dloss, ReadOnlySpan<OrthogonalityGradients> gradients)
    {
        scale *= dloss.Item();
        if (IsDouble(kept)) Adapters.Orthogonality.Backward(Pointers<double>(planes, kept, gradients), planes.Length, scale);
        else Adapters.Orthogonality.Backward(Pointers<float>(planes, kept, gradients), planes.Length, (float)scale);
        Keep(kept);
        KeepAll(planes);
        foreach (OrthogonalityGradients gradient in gradients) Keep(gradient.Outer, gradient.Inner);
    }

    private static void KeepAll(ReadOnlySpan<OrthogonalityPlane> planes)
    {
        foreach (OrthogonalityPlane plane in planes) Keep(plane.Outer, plane.Inner);
    }

    private static void Fold<T>(LoRA2Factors factors, Tensor middle, Tensor folded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Adapters.LoRA2Fold.Forward(Pointers<T>(factors), factors.OuterLeft.Shape[0], factors.OuterRank, factors.Rank, (T*)middle.Pointer, (T*)folded.Pointer);
        Keep(factors, middle, folded);
    }

    private static void FoldBackward<T>(
        LoRA2Factors factors, Tensor middle, Tensor dfolded, Tensor? douterLeft, Tensor? dinnerLeft, Tensor? dsingularValues, Tensor? dinnerRight, bool adds)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        FactorPointers<T> gradients = new()
        {
            OuterLeft = PointerTo<T>(douterLeft),
            InnerLeft = PointerTo<T>(dinnerLeft),
            SingularValues = PointerTo<T>(dsingularValues),
            InnerRight = PointerTo<T>(dinnerRight),
        };
        Adapters.LoRA2Fold.Backward(Pointers<T>(factors), factors.OuterLeft.Shape[0], factors.OuterRank, factors.Rank, (T*)middle.Pointer, (T*)dfolded.Pointer, gradients, adds);
        Keep(factors, middle, dfolded, douterLeft, dinnerLeft, dsingularValues, dinnerRight);
    }

    private static FactorPointers<T> Pointers<T>(LoRA2Factors factors)
        where T : unmanaged => new()
        {
            OuterLeft = PointerTo<T>(factors.OuterLeft),
            InnerLeft = PointerTo<T>(factors.InnerLeft),
            SingularValues = PointerTo<T>(factors.SingularValues),
            InnerRight = PointerTo<T>(factors.InnerRight),
        };

    private static PlanePointers<T>* Pointers<T>(ReadOnlySpan<OrthogonalityPlane> planes, Tensor kept, ReadOnlySpan<OrthogonalityGradients> gradients)
        where T : unmanaged
    {
        PlanePointers<T>* pointers = Scratch.Get<PlanePointers<T>>(ScratchSlot.Operands, planes.Length);
        for (int i = 0; i < planes.Length; i++)
        {
            OrthogonalityPlane plane = planes[i];
            OrthogonalityGradients gradient = gradients.IsEmpty ? default : gradients[i];
            pointers[i] = new()
            {
                Outer = PointerTo<T>(plane.Outer),
                Inner = PointerTo<T>(plane.Inner),
                Coefficients = (T*)kept.Pointer + ((nint)i * kept.Shape[1]),
                OuterGradient = PointerTo<T>(gradient.Outer),
                InnerGradient = PointerTo<T>(gradient.Inner),
                Width = plane.Outer.Shape[plane.IsLeft ? 0 : 1],
                K = plane.OuterRank,
                R = plane.Rank,
                IsLeft = plane.IsLeft,
                OfFactors = plane.OfFactors,
                OfProduct = plane.OfProduct,
            };
        }

        return pointers;
    }

    private static T* PointerTo<T>(Tensor? tensor)
        where T : unmanaged => tensor is null ? null : (T*)tensor.Pointer;

    private static void ReciprocalNorms<T>(Tensor squared, Tensor b, Tensor linear, Tensor quadratic, double s, Tensor reciprocal)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ReadOnlySpan<T> factors = b.AsSpan<T>(), first = linear.AsSpan<T>(), second = quadratic.AsSpan<T>();
        Span<T> values = reciprocal.AsSpan<T>();
        (int outputs, int rank) = (b.Shape[0], b.Shape[1]);
        for (int j = 0; j < outputs; j++)
        {
            double sum = squared.F64[j];
            for (int i = 0; i < rank; i++)
                sum += double.CreateTruncating(factors[(j * rank) + i]) * ((2 * s * double.CreateTruncating(first[(i * outputs) + j])) + (s * s * double.CreateTruncating(second[(i * outputs) + j])));
            values[j] = T.CreateTruncating(1 / Math.Sqrt(sum));
        }
    }
}
