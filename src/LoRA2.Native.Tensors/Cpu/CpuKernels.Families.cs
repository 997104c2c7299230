using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Factorisations;
using LoRA2.Native.Tensors.Cpu.Families;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Families of kernels, whose operation is a value.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void Unary(UnaryFunction f, Tensor x, Tensor y)
    {
        int count = x.Count;
        switch (x.DType)
        {
            case DType.Float32 when f.IsPredicate: UnaryLoops.RunPredicate(f.Kind, x.F32, (bool*)y.Pointer, count); break;
            case DType.Float64 when f.IsPredicate: UnaryLoops.RunPredicate(f.Kind, x.F64, (bool*)y.Pointer, count); break;
            case DType.Int32 when f.IsPredicate: UnaryLoops.RunPredicate(f.Kind, x.I32, (bool*)y.Pointer, count); break;
            case DType.Int64 when f.IsPredicate: UnaryLoops.RunPredicate(f.Kind, (long*)x.Pointer, (bool*)y.Pointer, count); break;
            case DType.Bool when f.IsPredicate: UnaryLoops.RunPredicate(f.Kind, x.Pointer, (bool*)y.Pointer, count); break;
            case DType.Float32: UnaryLoops.Run(f, x.F32, y.F32, count); break;
            case DType.Float64: UnaryLoops.Run(f, x.F64, y.F64, count); break;
            case DType.Int32: UnaryLoops.RunIntegers(f, x.I32, y.I32, count); break;
            case DType.Int64: UnaryLoops.RunIntegers(f, (long*)x.Pointer, (long*)y.Pointer, count); break;
            default: throw Unsupported(f.Kind.ToString(), x);
        }

        Keep(x, y);
    }

    public override void Binary(BinaryKind f, Tensor a, Tensor b, Tensor y)
    {
        var layout = new JointLayout(y.Shape, a, b);
        if (layout.Total > 0)
        {
            switch (a.DType)
            {
                case DType.Float32 when f.IsPredicate(): BinaryLoops.RunPredicate(f, a.F32, b.F32, (bool*)y.Pointer, layout); break;
                case DType.Float64 when f.IsPredicate(): BinaryLoops.RunPredicate(f, a.F64, b.F64, (bool*)y.Pointer, layout); break;
                case DType.Int32 when f.IsPredicate(): BinaryLoops.RunPredicate(f, a.I32, b.I32, (bool*)y.Pointer, layout); break;
                case DType.Int64 when f.IsPredicate(): BinaryLoops.RunPredicate(f, (long*)a.Pointer, (long*)b.Pointer, (bool*)y.Pointer, layout); break;
                case DType.Bool when f.IsPredicate(): BinaryLoops.RunPredicate(f, a.Pointer, b.Pointer, (bool*)y.Pointer, layout); break;
                case DType.Float32: BinaryLoops.Run(f, a.F32, b.F32, y.F32, layout); break;
                case DType.Float64: BinaryLoops.Run(f, a.F64, b.F64, y.F64, layout); break;
                case DType.Int32: BinaryLoops.RunIntegers(f, a.I32, b.I32, y.I32, layout); break;
                case DType.Int64: BinaryLoops.RunIntegers(f, (long*)a.Pointer, (long*)b.Pointer, (long*)y.Pointer, layout); break;
                default: throw Unsupported(f.ToString(), a);
            }
        }

        Keep(a, b, y);
    }

    public override void Select(Tensor condition, Tensor a, Tensor b, Tensor y)
    {
        var layout = new JointLayout(y.Shape, condition, a, b);
        if (layout.Total > 0)
        {
            bool* which = (bool*)condition.Pointer;
            switch (y.DType.Size())
            {
                case 1: BinaryLoops.Select(which, a.Pointer, b.Pointer, y.Pointer, layout); break;
                case 2: BinaryLoops.Select(which, (ushort*)a.Pointer, (ushort*)b.Pointer, (ushort*)y.Pointer, layout); break;
                case 4: BinaryLoops.Select(which, a.I32, b.I32, y.I32, layout); break;
                default: BinaryLoops.Select(which, (long*)a.Pointer, (long*)b.Pointer, (long*)y.Pointer, layout); break;
            }
        }

        Keep(condition, a, b, y);
    }

    public override void Reduce(ReduceKind kind, Tensor x, int outer, int length, int inner, Tensor y)
    {
        switch (x.DType)
        {
            case DType.Float32 when kind == ReduceKind.Sum: ReduceLoops.Sum(x.F32, outer, length, inner, y.F32); break;
            case DType.Float64 when kind == ReduceKind.Sum: ReduceLoops.Sum(x.F64, outer, length, inner, y.F64); break;
            case DType.Float32 when kind == ReduceKind.Product: ReduceLoops.Run<float, float, FloatProduct<float>>(x.F32, outer, length, inner, y.F32); break;
            case DType.Float64 when kind == ReduceKind.Product: ReduceLoops.Run<double, double, FloatProduct<double>>(x.F64, outer, length, inner, y.F64); break;
            case DType.Float32: ReduceOf(kind, x.F32, outer, length, inner, y); break;
            case DType.Float64: ReduceOf(kind, x.F64, outer, length, inner, y); break;
            case DType.Int32 when kind is ReduceKind.Sum or ReduceKind.Product: ReduceIntegers(kind, x.I32, outer, length, inner, y); break;
            case DType.Int64 when kind is ReduceKind.Sum or ReduceKind.Product: ReduceIntegers(kind, (long*)x.Pointer, outer, length, inner, y); break;
            case DType.Bool when kind is ReduceKind.Sum or ReduceKind.Product: ReduceIntegers(kind, x.Pointer, outer, length, inner, y); break;
            case DType.Int32: ReduceOf(kind, x.I32, outer, length, inner, y); break;
            case DType.Int64: ReduceOf(kind, (long*)x.Pointer, outer, length, inner, y); break;
            case DType.Bool: ReduceOf(kind, x.Pointer, outer, length, inner, y); break;
            default: throw Unsupported(kind.ToString(), x);
        }

        Keep(x, y);
    }

    public override void Scan(ScanKind kind, Tensor x, int outer, int length, int inner, Tensor y)
    {
        switch (x.DType)
        {
            case DType.Float32: ScanLoops.Run(kind, x.F32, outer, length, inner, y.F32); break;
            case DType.Float64: ScanLoops.Run(kind, x.F64, outer, length, inner, y.F64); break;
            case DType.Int32: ScanLoops.Run(kind, x.I32, outer, length, inner, y.I32); break;
            case DType.Int64: ScanLoops.Run(kind, (long*)x.Pointer, outer, length, inner, (long*)y.Pointer); break;
            default: throw Unsupported(kind.ToString(), x);
        }

        Keep(x, y);
    }

    public override void Sort(Tensor x, bool descending, Tensor order)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        long* places = (long*)order.Pointer;
        switch (x.DType)
        {
            case DType.Float32: SortRows.Run(x.F32, rows, columns, descending, places); break;
            case DType.Float64: SortRows.Run(x.F64, rows, columns, descending, places); break;
            case DType.Int32: SortRows.Run(x.I32, rows, columns, descending, places); break;
            case DType.Int64: SortRows.Run((long*)x.Pointer, rows, columns, descending, places); break;
            case DType.Bool: SortRows.Run(x.Pointer, rows, columns, descending, places); break;
            default: throw Unsupported(nameof(Sort), x);
        }

        Keep(x, order);
    }

    public override void Index(IndexAccess access, Tensor dense, int outer, int length, int inner, Tensor index, Tensor picked)
    {
        int lines = outer * inner;
        int count = lines == 0 ? 0 : picked.Count / lines;
        var shape = new IndexShape(outer, length, inner, count, index.Shape.Rank == 1 && index.Count == count);
        long* places = (long*)index.Pointer;
        switch (dense.DType.Size())
        {
            case var _ when access == IndexAccess.Add: AddByIndex(dense, shape, places, picked); break;
            case 1: MoveByIndex(access, dense.Pointer, shape, places, picked.Pointer); break;
            case 2: MoveByIndex(access, (ushort*)dense.Pointer, shape, places, (ushort*)picked.Pointer); break;
            case 4: MoveByIndex(access, dense.I32, shape, places, picked.I32); break;
            default: MoveByIndex(access, (long*)dense.Pointer, shape, places, (long*)picked.Pointer); break;
        }

        Keep(dense, index, picked);
    }

    public override void Place(Tensor source, Tensor destination)
    {
        var layout = new JointLayout(destination.Shape, destination);
        switch (destination.DType.Size())
        {
            case 1: StridedPlace.Write(source.Pointer, destination.Pointer, layout); break;
            case 4: StridedPlace.Write(source.I32, destination.I32, layout); break;
            case 8: StridedPlace.Write((long*)source.Pointer, (long*)destination.Pointer, layout); break;
            default: StridedPlace.Write((ushort*)source.Pointer, (ushort*)destination.Pointer, layout); break;
        }

        Keep(source, destination);
    }

    public override void Factorise(Factorisation kind, Tensor a, Tensor first, Tensor? second = null, Tensor? third = null)
    {
        if (IsDouble(a)) Matrices.Factorise<double>(kind, a, first, second, third);
        else Matrices.Factorise<float>(kind, a, first, second, third);
        Keep(a, first, second, third);
    }

    public override void SolveTriangular(Tensor a, bool upper, bool transposed, bool unit, Tensor b, Tensor y)
    {
        if (IsDouble(a)) Matrices.SolveTriangular<double>(a, upper, transposed, unit, b, y);
        else Matrices.SolveTriangular<float>(a, upper, transposed, unit, b, y);
        Keep(a, b, y);
    }

    private static void ReduceOf<T>(ReduceKind kind, T* x, int outer, int length, int inner, Tensor y)
        where T : unmanaged, INumber<T>
    {
        switch (kind)
        {
            case ReduceKind.Max: ReduceLoops.Extreme<T, Larger<T>>(x, outer, length, inner, (T*)y.Pointer); break;
            case ReduceKind.Min: ReduceLoops.Extreme<T, Smaller<T>>(x, outer, length, inner, (T*)y.Pointer); break;
            case ReduceKind.ArgMax: ReduceLoops.Run<T, long, FirstPlace<T, Greater<T>>>(x, outer, length, inner, (long*)y.Pointer); break;
            case ReduceKind.ArgMin: ReduceLoops.Run<T, long, FirstPlace<T, Less<T>>>(x, outer, length, inner, (long*)y.Pointer); break;
            case ReduceKind.Any: ReduceLoops.Run<T, bool, AnyTrue<T>>(x, outer, length, inner, (bool*)y.Pointer); break;
            case ReduceKind.All: ReduceLoops.Run<T, bool, AllTrue<T>>(x, outer, length, inner, (bool*)y.Pointer); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "there is no such reduction");
        }
    }

    private static void ReduceIntegers<T>(ReduceKind kind, T* x, int outer, int length, int inner, Tensor y)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (kind == ReduceKind.Sum) ReduceLoops.Run<T, long, IntegerSum<T>>(x, outer, length, inner, (long*)y.Pointer);
        else ReduceLoops.Run<T, long, IntegerProduct<T>>(x, outer, length, inner, (long*)y.Pointer);
    }

    private static void MoveByIndex<T>(IndexAccess access, T* dense, IndexShape shape, long* index, T* picked)
        where T : unmanaged
    {
        if (access == IndexAccess.Take) IndexLoops.Take(dense, shape, index, picked);
        else IndexLoops.Put(dense, shape, index, picked);
    }

    private static void AddByIndex(Tensor dense, IndexShape shape, long* index, Tensor picked)
    {
        switch (dense.DType)
        {
            case DType.Float32: IndexLoops.Add(dense.F32, shape, index, picked.F32); break;
            case DType.Float64: IndexLoops.Add(dense.F64, shape, index, picked.F64); break;
            case DType.Int32: IndexLoops.Add(dense.I32, shape, index, picked.I32); break;
            case DType.Int64: IndexLoops.Add((long*)dense.Pointer, shape, index, (long*)picked.Pointer); break;
            default: throw Unsupported("Add by index", dense);
        }
    }
}
