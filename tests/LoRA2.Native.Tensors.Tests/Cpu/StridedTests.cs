using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class StridedTests : KernelTest
{
    // Shapes with strides, and the number of elements they reach into.
    private static readonly (nint[] Shape, nint[] Strides)[] Cases =
    [
        ([], []),
        ([0], [1]),
        ([1], [7]),
        ([5], [1]),
        ([5], [3]),
        ([5], [0]),
        ([4, 6], [6, 1]),
        ([4, 6], [1, 4]),
        ([37, 29], [1, 37]),
        ([3, 0, 4], [0, 4, 1]),
        ([2, 3, 4], [0, 4, 1]),
        ([2, 3, 4], [4, 0, 1]),
        ([2, 3, 4], [3, 1, 0]),
        ([2, 3, 4], [0, 0, 0]),
        ([2, 5, 3, 4], [60, 4, 20, 1]),
        ([2, 3, 5, 4], [60, 4, 12, 1]),
        ([2, 1, 3, 1, 5, 4], [60, 9, 20, 9, 4, 1]),
        ([2, 3, 2, 3, 2, 3], [3, 0, 12, 1, 6, 24]),
        ([4, 64, 12, 64], [49152, 64, 4096, 1]),
        ([300, 200], [1, 300]),
        ([300, 200], [0, 1]),
        ([300, 200], [1, 0]),
        ([60000], [0]),
        ([7, 100, 90], [0, 1, 100]),
        ([100, 7, 90], [90, 0, 1]),
        ([2, 40000], [0, 1]),
    ];

    [Fact]
    public void Float() => All<float>();

    [Fact]
    public void Double() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((nint[] shape, nint[] strides) in Cases)
        {
            int[] offsets = Offsets(shape, strides);
            int extent = offsets.DefaultIfEmpty(-1).Max() + 1;
            double[] strided = Random(extent, 1), dense = Random(offsets.Length, 2);
            using var source = Array<T>(strided);
            using var gradient = Array<T>(dense);
            using var copy = SameForAnyThreads<T>(dense, o => StridedCopy.Run(source.Pointer, shape, strides, o.Pointer));
            Close(offsets.Select(o => strided[o]).ToArray(), copy, single: 0, twice: 0);

            double[] expected = [.. strided];
            for (int i = 0; i < offsets.Length; i++) expected[offsets[i]] += dense[i];
            using var sums = SameForAnyThreads<T>(strided, o => StridedAccumulate.Run(gradient.Pointer, shape, strides, o.Pointer));
            Close(expected, sums, single: 2e-5, twice: 1e-11);
        }
    }

    [Fact]
    public void OtherTypesAndNegativeStrides()
    {
        int* source = stackalloc int[] { 1, 2, 3, 4, 5, 6 };
        int* reversed = stackalloc int[6];
        StridedCopy.Run(source + 5, [2, 3], [-3, -1], reversed);
        Assert.Equal([6, 5, 4, 3, 2, 1], new ReadOnlySpan<int>(reversed, 6).ToArray());
    }

    [Fact]
    public void TooManyDimensionsAreRefused()
    {
        Assert.Contains("at most 6", Assert.Throws<ArgumentException>(() => new StridedLayout(new nint[7], new nint[7])).Message);
        Assert.Contains("has 1 strides", Assert.Throws<ArgumentException>(() => new StridedLayout(new nint[2], new nint[1])).Message);
    }

    private static int[] Offsets(nint[] shape, nint[] strides)
    {
        IEnumerable<int> offsets = [0];
        for (int d = 0; d < shape.Length; d++)
        {
            int size = (int)shape[d], stride = (int)strides[d];
            offsets = offsets.SelectMany(o => Enumerable.Range(0, size).Select(i => o + (i * stride)));
        }

        return offsets.ToArray();
    }
}
