using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>The CPU backend: every kernel in the element type of its operands, over SIMD code that is written once for both.</summary>
internal sealed unsafe partial class CpuKernels : Kernels
{
    protected override string DeviceName => "cpu";

    public override void Fill(Tensor x, double value)
    {
        switch (x.DType)
        {
            case DType.Float32: Elementwise.Fill((float)value, x.Count, x.F32); break;
            case DType.Float64: Elementwise.Fill(value, x.Count, x.F64); break;
            case DType.Int32: new Span<int>(x.I32, x.Count).Fill((int)value); break;
            case DType.Int64: new Span<long>(x.Pointer, x.Count).Fill((long)value); break;
            case DType.Bool: new Span<bool>(x.Pointer, x.Count).Fill(value != 0); break;
            default: throw Unsupported(nameof(Fill), x);
        }
        Keep(x);
    }

    public override bool IsFinite(Tensor x)
    {
        bool finite = IsDouble(x) ? Reduction.AllFinite(x.F64, x.Count) : Reduction.AllFinite(x.F32, x.Count);
        Keep(x);
        return finite;
    }

    public override void Add(Tensor a, Tensor b, Tensor y)
    {
        if (IsDouble(y)) Elementwise.Add(a.F64, b.F64, y.Count, y.F64);
        else Elementwise.Add(a.F32, b.F32, y.Count, y.F32);
        Keep(a, b, y);
    }

    public override void Subtract(Tensor a, Tensor b, Tensor y)
    {
        if (IsDouble(y)) Elementwise.Subtract(a.F64, b.F64, y.Count, y.F64);
        else Elementwise.Subtract(a.F32, b.F32, y.Count, y.F32);
        Keep(a, b, y);
    }

    public override void Multiply(Tensor a, Tensor b, Tensor y)
    {
        if (IsDouble(y)) Elementwise.Multiply(a.F64, b.F64, y.Count, y.F64);
        else Elementwise.Multiply(a.F32, b.F32, y.Count, y.F32);
        Keep(a, b, y);
    }

    public override void Scale(Tensor x, double s, Tensor y)
    {
        if (IsDouble(y)) Elementwise.Scale(x.F64, s, y.Count, y.F64);
        else Elementwise.Scale(x.F32, (float)s, y.Count, y.F32);
        Keep(x, y);
    }

    public override void ScaleBy(Tensor x, Tensor factor, Tensor y) => Scale(x, factor.Item(), y);

    public override void AddScaled(Tensor x, double s, Tensor y)
    {
        if (IsDouble(y)) Elementwise.AddScaled(x.F64, s, y.Count, y.F64);
        else Elementwise.AddScaled(x.F32, (float)s, y.Count, y.F32);
        Keep(x, y);
    }

    public override void AddRow(Tensor x, Tensor row, Tensor y)
    {
        if (IsDouble(y)) Cpu.Pointwise.AddRow.Run(x.F64, row.F64, y.Shape.Rows, y.Shape.Columns, y.F64);
        else Cpu.Pointwise.AddRow.Run(x.F32, row.F32, y.Shape.Rows, y.Shape.Columns, y.F32);
        Keep(x, row, y);
    }

    public override void SumRows(Tensor x, Tensor sums)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (IsDouble(x)) ColumnSum.Run(x.F64, rows, columns, columns, sums.F64, accumulate: false);
        else ColumnSum.Run(x.F32, rows, columns, columns, sums.F32, accumulate: false);
        Keep(x, sums);
    }

    public override void SumColumns(Tensor x, Tensor sums)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (rows == 1)
        {
            if (IsDouble(x)) *sums.F64 = Reduction.Sum(x.F64, columns);
            else *sums.F32 = (float)Reduction.Sum(x.F32, columns);
        }
        else if (IsDouble(x))
        {
            RowSum.Run(x.F64, 1.0, rows, columns, sums.F64, accumulate: false);
        }
        else
        {
            RowSum.Run(x.F32, 1f, rows, columns, sums.F32, accumulate: false);
        }
        Keep(x, sums);
    }

    public override void Activate(Activation activation, Tensor x, Tensor y)
    {
        if (IsDouble(x)) Activations.Forward(activation, x.F64, x.Count, y.F64);
        else Activations.Forward(activation, x.F32, x.Count, y.F32);
        Keep(x, y);
    }

    public override void ActivateBackward(Activation activation, Tensor x, Tensor dy, Tensor dx)
    {
        if (IsDouble(x)) Activations.Backward(activation, x.F64, dy.F64, x.Count, dx.F64, accumulate: false);
        else Activations.Backward(activation, x.F32, dy.F32, x.Count, dx.F32, accumulate: false);
        Keep(x, dy, dx);
    }

    public override void Dropout(Tensor x, DropoutMask mask, Tensor y)
    {
        if (mask.Rows is not null)
        {
            (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
            if (IsDouble(x)) Cpu.Pointwise.Dropout.Rows(x.F64, rows, columns, new RowDropout(mask), y.F64);
            else Cpu.Pointwise.Dropout.Rows(x.F32, rows, columns, new RowDropout(mask), y.F32);
        }
        else if (IsDouble(x)) Cpu.Pointwise.Dropout.Run(x.F64, x.Count, mask.Probability, RandomOf(mask), y.F64, accumulate: false);
        else Cpu.Pointwise.Dropout.Run(x.F32, x.Count, mask.Probability, RandomOf(mask), y.F32, accumulate: false);
        Keep(x, y, mask.Rows);
    }

    /// <summary>
    /// Holds the operands until here. A kernel works on bare pointers, so without this the collector could take a tensor that no scope owns for
    /// dead, and hand its memory to another thread, while the kernel still runs.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep(params ReadOnlySpan<object?> operands) => _ = operands.Length;

    private static Philox RandomOf(DropoutMask mask) => mask.Random;

    private static bool IsDouble(Tensor x) => x.DType switch
    {
        DType.Float32 => false,
        DType.Float64 => true,
        _ => throw Unsupported("this kernel", x),
    };

    private static ArgumentException Unsupported(string kernel, Tensor x) => new($"{kernel} does not take a tensor of {x.DType}");
}
