using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Checks;

namespace LoRA2.Native.Tests.Shared.Tensors;

/// <summary>Generators of shapes, tensors, sources of an op's cases, and ops.</summary>
public static class TensorArbitraries
{
    private const int MostElements = 4000;

    /// <summary>Extents that kernels treat in different ways: none, one, primes, and numbers around a vector's width and its multiples.</summary>
    private static readonly int[] Extents = [0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 31, 33, 61, 67];

    private static readonly int[] Limits = [0, 1, 2, 3, 5, 8, 13, 17, 33];

    /// <summary>Shapes of 0 to 6 axes; shrunk to fewer axes and smaller extents.</summary>
    public static Arbitrary<Shape> Shapes() => Arb.From(
        from rank in Gen.Choose(0, 6)
        from extents in Gen.Elements(Extents).ArrayOf(rank)
        select Limited(extents),
        Shrink);

    /// <summary>The types that ops compute in.</summary>
    public static Arbitrary<DType> ComputingTypes() => Gen.Elements(DType.Float32, DType.Float64).ToArbitrary();

    /// <summary>Tensors, contiguous or not; shrunk to contiguous ones of smaller shapes.</summary>
    public static Arbitrary<DrawnTensor> Tensors() => Arb.From(
        from shape in Shapes().Generator
        from type in ComputingTypes().Generator
        from layout in Gen.Elements(Enum.GetValues<DrawnLayout>())
        from seed in Seeds
        select new DrawnTensor(shape, type, layout, seed),
        Shrink);

    /// <summary>Sources of cases; shrunk to ones whose extents are smaller.</summary>
    public static Arbitrary<CaseSource> Sources() => Arb.From(
        Seeds.Select(seed => new CaseSource(seed)),
        source => Smaller(source.MostExtent).Select(most => new CaseSource(source.Seed) { MostExtent = most }));

    /// <summary>Every op of the catalogue with a case; shrunk to single ops, then to cases of smaller extents.</summary>
    public static Arbitrary<DrawnOps> Ops() => OpsOf([.. OpCatalogue.All]);

    /// <summary>The same for some ops.</summary>
    public static Arbitrary<DrawnOps> OpsOf(params OpEntry[] ops) => Arb.From(Seeds.Select(seed => new DrawnOps(ops, seed)), Shrink);

    /// <summary>As wide at every size: FsCheck's own integers would be the same few hundred.</summary>
    private static Gen<int> Seeds => Gen.Choose(0, int.MaxValue - 1);

    private static IEnumerable<int> Smaller(int most) => Limits.Where(limit => limit < most);

    private static Shape Limited(int[] extents)
    {
        int count = 1;
        for (int i = 0; i < extents.Length; i++)
        {
            extents[i] = Math.Min(extents[i], MostElements / Math.Max(count, 1));
            count *= extents[i];
        }

        return new Shape(extents);
    }

    private static IEnumerable<Shape> Shrink(Shape shape)
    {
        int[] extents = shape.Extents.ToArray();
        for (int axis = 0; axis < extents.Length; axis++) yield return new Shape([.. extents.Where((_, at) => at != axis)]);
        for (int axis = 0; axis < extents.Length; axis++)
        {
            foreach (int smaller in Extents.Distinct().Where(extent => extent < extents[axis])) yield return shape.With(axis, smaller);
        }
    }

    private static IEnumerable<DrawnOps> Shrink(DrawnOps drawn) => drawn.Ops.Count > 1
        ? drawn.Ops.Select(op => drawn with { Ops = [op] })
        : Smaller(drawn.MostExtent).Select(most => drawn with { MostExtent = most });

    private static IEnumerable<DrawnTensor> Shrink(DrawnTensor drawn)
    {
        if (drawn.Layout != DrawnLayout.Contiguous) yield return drawn with { Layout = DrawnLayout.Contiguous };
        foreach (Shape smaller in Shrink(drawn.Shape)) yield return drawn with { Shape = smaller };
    }
}
