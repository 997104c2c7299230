using System.Numerics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Convolutions;

/// <summary>The arrays of a convolution: x and its gradient [batch, channels, ..], y and its gradient [batch, outputs, ..], and the weight and its gradient.</summary>
internal readonly unsafe struct ConvolutionArrays<T>(int batch, int channels, int outputs, int groups, WindowPlan windows, T* x, T* weight, T* y)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Batch => batch;

    public int Groups => groups;

    public WindowPlan Windows => windows;

    /// <summary>Channels of x in a group.</summary>
    public int Channels => channels / groups;

    /// <summary>Channels of y in a group.</summary>
    public int Outputs => outputs / groups;

    /// <summary>Elements that a product sums: those of a window through a group's channels.</summary>
    public int Depth => Channels * windows.Size;

    /// <summary>A group's channels of an image, groups numbered through the batch.</summary>
    public T* ImageOf(int group) => x + ((nint)group * Channels * windows.Positions);

    /// <summary>What is made of them.</summary>
    public T* ResultOf(int group) => y + ((nint)group * Outputs * windows.Count);

    /// <summary>The weight of a group.</summary>
    public T* WeightOf(int group) => weight + ((nint)(group % groups) * Outputs * Depth);
}

/// <summary>
/// Convolutions as products with the matrix of an image's windows, which exists for one image and group at a time. Those are the parts of a region, so that a result does not depend on the number of threads; a weight's
/// gradient is summed over the images in their order.
/// </summary>
internal static unsafe class Convolution
{
    /// <summary>y of x and the weight, and a bias or null.</summary>
    public static void Forward<T>(in ConvolutionArrays<T> arrays, T* bias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ThreadTeam.Run(arrays.Batch * arrays.Groups, new ForwardTask<T>(arrays, bias));

    /// <summary>x, the gradient, of the weight and y, the gradient.</summary>
    public static void Input<T>(in ConvolutionArrays<T> arrays)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ThreadTeam.Run(arrays.Batch * arrays.Groups, new InputTask<T>(arrays));

    /// <summary>The weight's gradient of x and y, the gradient; added to what is there with <paramref name="adds"/>.</summary>
    public static void Weight<T>(in ConvolutionArrays<T> arrays, bool adds)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (arrays.Batch == 0 && !adds) new Span<T>(arrays.WeightOf(0), arrays.Groups * arrays.Outputs * arrays.Depth).Clear();
        for (int i = 0; i < arrays.Batch * arrays.Groups; i++)
        {
            T* matrix = MatrixOf(arrays, i);
            Gemm.Multiply(
                false, true, arrays.Outputs, arrays.Depth, arrays.Windows.Count, T.One, arrays.ResultOf(i), arrays.Windows.Count, matrix, arrays.Windows.Count,
                adds || i >= arrays.Groups ? T.One : T.Zero, arrays.WeightOf(i), arrays.Depth);
        }
    }

    private static T* MatrixOf<T>(in ConvolutionArrays<T> arrays, int group)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (arrays.Windows.IsIdentity) return arrays.ImageOf(group);
        T* matrix = Cpu.Scratch.Get<T>(ScratchSlot.Windows, (nint)arrays.Depth * arrays.Windows.Count);
        WindowMatrix.Gather(arrays.ImageOf(group), arrays.Channels, arrays.Windows, matrix);
        return matrix;
    }

    private readonly struct ForwardTask<T>(ConvolutionArrays<T> arrays, T* bias) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            (int outputs, int count, int depth) = (arrays.Outputs, arrays.Windows.Count, arrays.Depth);
            T* y = arrays.ResultOf(index);
            T* own = bias + ((nint)(index % arrays.Groups) * outputs);
            for (int i = 0; bias != null && i < outputs; i++) new Span<T>(y + ((nint)i * count), count).Fill(own[i]);
            Gemm.Multiply(false, false, outputs, count, depth, T.One, arrays.WeightOf(index), depth, MatrixOf(arrays, index), count, bias == null ? T.Zero : T.One, y, count);
        }
    }

    private readonly struct InputTask<T>(ConvolutionArrays<T> arrays) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            (int outputs, int count, int depth) = (arrays.Outputs, arrays.Windows.Count, arrays.Depth);
            T* dx = arrays.ImageOf(index);
            T* matrix = arrays.Windows.IsIdentity ? dx : Cpu.Scratch.Get<T>(ScratchSlot.Windows, (nint)depth * count);
            Gemm.Multiply(true, false, depth, count, outputs, T.One, arrays.WeightOf(index), depth, arrays.ResultOf(index), count, T.Zero, matrix, count);
            if (!arrays.Windows.IsIdentity) WindowMatrix.Add(matrix, arrays.Channels, arrays.Windows, dx);
        }
    }
}
