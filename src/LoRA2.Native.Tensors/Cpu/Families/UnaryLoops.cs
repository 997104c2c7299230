using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Special;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>y = f(x) over arrays: picks the code of a <see cref="UnaryKind"/> and runs it in blocks on the thread team.</summary>
internal static unsafe class UnaryLoops
{
    /// <summary>Floating-point numbers to the same type.</summary>
    public static void Run<T>(UnaryFunction f, T* x, T* y, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T a = T.CreateTruncating(f.A), b = T.CreateTruncating(f.B);
        switch (f.Kind)
        {
            case UnaryKind.Exp: Map.Unary(default(Exp<T>), x, y, count); break;
            case UnaryKind.Expm1: Each<Expm1<T>>(); break;
            case UnaryKind.Log: Spans<Log<T>>(); break;
            case UnaryKind.Log1p: Each<Log1p<T>>(); break;
            case UnaryKind.Log2: Spans<Log2<T>>(); break;
            case UnaryKind.Log10: Spans<Log10<T>>(); break;
            case UnaryKind.Sqrt: Spans<Sqrt<T>>(); break;
            case UnaryKind.Rsqrt: Each<Rsqrt<T>>(); break;
            case UnaryKind.Reciprocal: Spans<Reciprocal<T>>(); break;
            case UnaryKind.Square: Spans<Square<T>>(); break;
            case UnaryKind.Abs: Spans<Abs<T>>(); break;
            case UnaryKind.Sign: Each<Sign<T>>(); break;
            case UnaryKind.Negate: Spans<Negate<T>>(); break;
            case UnaryKind.Sin: Spans<Sin<T>>(); break;
            case UnaryKind.Cos: Spans<Cos<T>>(); break;
            case UnaryKind.Tan: Spans<Tan<T>>(); break;
            case UnaryKind.Sinh: Each<Sinh<T>>(); break;
            case UnaryKind.Cosh: Each<Cosh<T>>(); break;
            case UnaryKind.Asin: Each<Asin<T>>(); break;
            case UnaryKind.Acos: Each<Acos<T>>(); break;
            case UnaryKind.Atan: Each<Atan<T>>(); break;
            case UnaryKind.Asinh: Each<Asinh<T>>(); break;
            case UnaryKind.Acosh: Each<Acosh<T>>(); break;
            case UnaryKind.Atanh: Each<Atanh<T>>(); break;
            case UnaryKind.Sigmoid: Map.Unary(default(Sigmoid<T>), x, y, count); break;
            case UnaryKind.LogSigmoid: Each<LogSigmoid<T>>(); break;
            case UnaryKind.Erf: Map.Unary(default(Erf<T>), x, y, count); break;
            case UnaryKind.Erfc: Map.Unary(default(Erfc<T>), x, y, count); break;
            case UnaryKind.Erfinv: Each<Erfinv<T>>(); break;
            case UnaryKind.LogGamma: Each<LogGamma<T>>(); break;
            case UnaryKind.Polygamma: Each<Polygamma<T>>(); break;
            case UnaryKind.Floor: Spans<Floor<T>>(); break;
            case UnaryKind.Ceiling: Spans<Ceiling<T>>(); break;
            case UnaryKind.Round: Spans<Round<T>>(); break;
            case UnaryKind.Truncate: Spans<Truncate<T>>(); break;
            case UnaryKind.Softplus: Each<Softplus<T>>(); break;
            case UnaryKind.Elu: Each<Elu<T>>(); break;
            case UnaryKind.LeakyRelu: Each<LeakyRelu<T>>(); break;
            case UnaryKind.Clamp: Each<Clamp<T>>(); break;
            case UnaryKind.HardSwish: Each<HardSwish<T>>(); break;
            case UnaryKind.Power: Each<PowerOf<T>>(); break;
            default: throw new ArgumentOutOfRangeException(nameof(f), f.Kind, "there is no such function of floating-point numbers");
        }

        void Spans<TOperator>()
            where TOperator : struct, ISpanUnary<T> => ThreadTeam.Run(SimdTask.Parts(count), new SpanTask<T, TOperator>(x, y, count, a, b));

        void Each<TOperator>()
            where TOperator : struct, IScalarUnary<T, T> => Spans<Scalarwise<T, TOperator>>();
    }

    /// <summary>Integers to integers.</summary>
    public static void RunIntegers<T>(UnaryFunction f, T* x, T* y, nint count)
        where T : unmanaged, IBinaryInteger<T>
    {
        var from = new ReadOnlySpan<T>(x, checked((int)count));
        var to = new Span<T>(y, (int)count);
        switch (f.Kind)
        {
            case UnaryKind.Square: System.Numerics.Tensors.TensorPrimitives.Multiply(from, from, to); break;
            case UnaryKind.Abs: System.Numerics.Tensors.TensorPrimitives.Abs(from, to); break;
            case UnaryKind.Negate: System.Numerics.Tensors.TensorPrimitives.Negate(from, to); break;
            case UnaryKind.Sign:
                for (int i = 0; i < to.Length; i++) to[i] = T.CreateTruncating(T.Sign(from[i]));
                break;
            case UnaryKind.Clamp:
                T least = T.CreateSaturating(Math.Ceiling(f.A)), most = T.CreateSaturating(Math.Floor(f.B));
                for (int i = 0; i < to.Length; i++) to[i] = T.Min(T.Max(from[i], least), most);
                break;
            default: from.CopyTo(to); break;
        }
    }

    /// <summary>Numbers to truth values.</summary>
    public static void RunPredicate<T>(UnaryKind kind, T* x, bool* y, nint count)
        where T : unmanaged, INumberBase<T>
    {
        switch (kind)
        {
            case UnaryKind.IsNaN: Test<IsNaN<T>>(); break;
            case UnaryKind.IsInfinite: Test<IsInfinite<T>>(); break;
            case UnaryKind.IsFinite: Test<IsFinite<T>>(); break;
            case UnaryKind.LogicalNot: Test<IsZero<T>>(); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "there is no such predicate");
        }

        void Test<TOperator>()
            where TOperator : struct, IScalarUnary<T, bool> => ThreadTeam.Run(SimdTask.Parts(count), new EachTask<T, bool, TOperator>(x, y, count));
    }

    private readonly struct SpanTask<TFrom, TOperator>(TFrom* x, TFrom* y, nint count, TFrom a, TFrom b) : IParallelTask
        where TFrom : unmanaged
        where TOperator : struct, ISpanUnary<TFrom>
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            int length = (int)Math.Min(SimdTask.BlockElements, count - start);
            TOperator.Invoke(new ReadOnlySpan<TFrom>(x + start, length), new Span<TFrom>(y + start, length), a, b);
        }
    }

    private readonly struct EachTask<TFrom, TTo, TOperator>(TFrom* x, TTo* y, nint count) : IParallelTask
        where TFrom : unmanaged
        where TTo : unmanaged
        where TOperator : struct, IScalarUnary<TFrom, TTo>
    {
        public void Run(int index)
        {
            nint start = (nint)index * SimdTask.BlockElements;
            nint end = Math.Min(start + SimdTask.BlockElements, count);
            for (nint i = start; i < end; i++) y[i] = TOperator.Invoke(x[i], default, default);
        }
    }
}
