using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Convolutions;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Convolutions and pooling.</content>
internal sealed unsafe partial class CpuKernels
{
    public override bool Convolves => true;

    public override void Convolution(Tensor x, Tensor weight, Tensor? bias, WindowPlan windows, int groups, Tensor y)
    {
        if (IsDouble(x)) Convolutions.Convolution.Forward(ArraysOf<double>(x, weight, y, windows, groups), PointerTo<double>(bias));
        else Convolutions.Convolution.Forward(ArraysOf<float>(x, weight, y, windows, groups), PointerTo<float>(bias));
        Keep(x, weight, bias, y);
    }

    public override void ConvolutionInput(Tensor weight, Tensor dy, WindowPlan windows, int groups, Tensor dx)
    {
        if (IsDouble(dx)) Convolutions.Convolution.Input(ArraysOf<double>(dx, weight, dy, windows, groups));
        else Convolutions.Convolution.Input(ArraysOf<float>(dx, weight, dy, windows, groups));
        Keep(weight, dy, dx);
    }

    public override void ConvolutionWeight(Tensor x, Tensor dy, WindowPlan windows, int groups, Tensor dweight, bool adds)
    {
        if (IsDouble(x)) Convolutions.Convolution.Weight(ArraysOf<double>(x, dweight, dy, windows, groups), adds);
        else Convolutions.Convolution.Weight(ArraysOf<float>(x, dweight, dy, windows, groups), adds);
        Keep(x, dy, dweight);
    }

    public override void MaxPool(Tensor x, WindowPlan windows, Tensor places)
    {
        int images = windows.Count == 0 ? 0 : places.Count / windows.Count;
        long* to = (long*)places.Pointer;
        switch (x.DType)
        {
            case DType.Float32: Convolutions.MaxPool.Places(x.F32, images, windows, to); break;
            case DType.Float64: Convolutions.MaxPool.Places(x.F64, images, windows, to); break;
            case DType.Int32: Convolutions.MaxPool.Places(x.I32, images, windows, to); break;
            case DType.Int64: Convolutions.MaxPool.Places((long*)x.Pointer, images, windows, to); break;
            default: throw Unsupported(nameof(MaxPool), x);
        }

        Keep(x, places);
    }

    private static ConvolutionArrays<T> ArraysOf<T>(Tensor x, Tensor weight, Tensor y, WindowPlan windows, int groups)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        new(x.Shape[0], x.Shape[1], y.Shape[1], groups, windows, (T*)x.Pointer, (T*)weight.Pointer, (T*)y.Pointer);
}
