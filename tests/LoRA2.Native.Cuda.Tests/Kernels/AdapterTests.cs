using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Cuda.Tests.Kernels;

/// <summary>LoRA2's factors at all ranks, with every subset of their gradients.</summary>
public sealed class AdapterTests : KernelTest
{
    private const double Close = 2e-6;

    private static readonly (int Inputs, int Outputs, int K, int R)[] Sizes = [(1, 1, 1, 1), (5, 7, 3, 2), (0, 3, 2, 2), (67, 130, 8, 8), (130, 129, 4, 11), (300, 5, 16, 3), (9, 9, 2, 0), (70, 5, 90, 2)];

    [Fact]
    public void FoldAndItsGradients()
    {
        foreach ((int inputs, int outputs, int k, int r) in Sizes)
        {
            for (int wanted = 0; wanted < 16; wanted += 3)
            {
                AssertClose(Close, side =>
                {
                    LoRA2Factors factors = Factors(side, inputs, outputs, k, r);
                    (Tensor middle, Tensor folded) = (side.Unset(k, k), side.Unset(inputs, k));
                    side.Kernels.LoRA2Fold(factors, middle, folded);
                    Tensor?[] gradients = [side.Unset(inputs, k), side.Unset(k, r), side.Unset(r), side.Unset(r, k)];
                    for (int i = 0; i < 4; i++)
                    {
                        if ((wanted >> i & 1) == 0) gradients[i] = null;
                    }

                    int tokens = inputs == 1 ? 0 : 3 * outputs;
                    (Tensor x, Tensor h) = (side.Of(Normal(tokens * inputs, 6), tokens, inputs), side.Of(Normal(tokens * k, 7), tokens, k));
                    side.Kernels.LoRA2FoldBackward(factors, middle, x, h, 0.2, gradients[0], gradients[1], gradients[2], gradients[3], adds: false);
                    Tensor[] once = [.. gradients.OfType<Tensor>().Select(gradient => gradient.Clone())];
                    side.Kernels.LoRA2FoldBackward(factors, middle, x, h, 0.2, gradients[0], gradients[1], gradients[2], gradients[3], adds: true);
                    return [middle, folded, .. once, .. gradients.OfType<Tensor>()];
                }, $"{inputs}, {k}, {r}, wanted {wanted}");
            }
        }
    }

    [Fact]
    public void OrthogonalityOfManyPlanes()
    {
        foreach (bool norms in (bool[])[false, true])
        {
            foreach (int terms in (int[])[1, 2, 3])
            {
                AssertClose(Close, side =>
                {
                    var planes = new List<OrthogonalityPlane>();
                    foreach ((int inputs, int outputs, int k, int r) in Sizes)
                    {
                        LoRA2Factors factors = Factors(side, inputs, outputs, k, r);
                        planes.Add(new(factors.OuterLeft, norms ? null : factors.InnerLeft, true, norms || (terms & 1) != 0, !norms && (terms & 2) != 0));
                        planes.Add(new(factors.OuterRight, norms ? null : factors.InnerRight, false, norms || (terms & 1) != 0, !norms && (terms & 2) != 0));
                    }

                    int most = planes.Max(plane => plane.OuterRank * (plane.OuterRank + plane.Rank));
                    (Tensor loss, Tensor kept) = (side.Unset(), side.Unset(planes.Count, most));
                    side.Kernels.Orthogonality(planes.ToArray(), norms, 0.25, loss, kept);
                    OrthogonalityGradients[] gradients = [.. planes.Select((plane, i) => new OrthogonalityGradients(
                        i % 5 == 4 ? null : Like(side, plane.Outer), plane.Inner is null || i % 7 == 3 ? null : Like(side, plane.Inner)))];
                    side.Kernels.OrthogonalityBackward(planes.ToArray(), kept, 0.25, side.Of([0.5f]), gradients);
                    return [loss, .. gradients.SelectMany(gradient => (Tensor?[])[gradient.Outer, gradient.Inner]).OfType<Tensor>()];
                }, $"norms {norms}, terms {terms}");
            }
        }
    }

    private static Tensor Like(Side side, Tensor x) => side.Of(Normal(x.Count, 7), x.Shape.Extents.ToArray());

    private static LoRA2Factors Factors(Side side, int inputs, int outputs, int k, int r) => new(
        side.Of(Normal(inputs * k, 1, 0.5), inputs, k), side.Of(Normal(k * r, 2, 0.5), k, r), side.Of(Normal(r, 3), r), side.Of(Normal(r * k, 4, 0.5), r, k), side.Of(Normal(k * outputs, 5, 0.5), k, outputs));
}
