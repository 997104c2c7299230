using System.Numerics;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>y = f(a, b) over strided arrays: picks the code of a <see cref="BinaryKind"/> and walks the rows on the thread team.</summary>
internal static unsafe class BinaryLoops
{
    /// <summary>Floating-point numbers to the same type.</summary>
    public static void Run<T>(BinaryKind f, T* a, T* b, T* y, in JointLayout layout)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (f)
        {
            case BinaryKind.Add: Rows<T, T, Add<T>>(a, b, y, layout); break;
            case BinaryKind.Subtract: Rows<T, T, Subtract<T>>(a, b, y, layout); break;
            case BinaryKind.Multiply: Rows<T, T, Multiply<T>>(a, b, y, layout); break;
            case BinaryKind.Divide: Rows<T, T, Divide<T>>(a, b, y, layout); break;
            case BinaryKind.FloorDivide: Each<T, T, FloorDivide<T>>(a, b, y, layout); break;
            case BinaryKind.TruncateDivide: Each<T, T, TruncateDivide<T>>(a, b, y, layout); break;
            case BinaryKind.Remainder: Each<T, T, Remainder<T>>(a, b, y, layout); break;
            case BinaryKind.FMod: Each<T, T, FMod<T>>(a, b, y, layout); break;
            case BinaryKind.Power: Each<T, T, Power<T>>(a, b, y, layout); break;
            case BinaryKind.Maximum: Rows<T, T, Maximum<T>>(a, b, y, layout); break;
            case BinaryKind.Minimum: Rows<T, T, Minimum<T>>(a, b, y, layout); break;
            case BinaryKind.Atan2: Each<T, T, Atan2<T>>(a, b, y, layout); break;
            case BinaryKind.Hypot: Each<T, T, Hypot<T>>(a, b, y, layout); break;
            default: throw new ArgumentOutOfRangeException(nameof(f), f, "there is no such function of floating-point numbers");
        }
    }

    /// <summary>Integers to the same type. Division by 0 is refused.</summary>
    public static void RunIntegers<T>(BinaryKind f, T* a, T* b, T* y, in JointLayout layout)
        where T : unmanaged, IBinaryInteger<T>
    {
        switch (f)
        {
            case BinaryKind.Add: Rows<T, T, Add<T>>(a, b, y, layout); break;
            case BinaryKind.Subtract: Rows<T, T, Subtract<T>>(a, b, y, layout); break;
            case BinaryKind.Multiply: Rows<T, T, Multiply<T>>(a, b, y, layout); break;
            case BinaryKind.FloorDivide: Each<T, T, IntegerFloorDivide<T>>(a, b, y, layout); break;
            case BinaryKind.TruncateDivide: Each<T, T, IntegerDivide<T>>(a, b, y, layout); break;
            case BinaryKind.Remainder: Each<T, T, IntegerRemainder<T>>(a, b, y, layout); break;
            case BinaryKind.FMod: Each<T, T, IntegerFMod<T>>(a, b, y, layout); break;
            case BinaryKind.Power: Each<T, T, IntegerPower<T>>(a, b, y, layout); break;
            case BinaryKind.Maximum: Rows<T, T, Maximum<T>>(a, b, y, layout); break;
            case BinaryKind.Minimum: Rows<T, T, Minimum<T>>(a, b, y, layout); break;
            default: throw new ArgumentException($"{f} is not defined for integers");
        }
    }

    /// <summary>Numbers to truth values.</summary>
    public static void RunPredicate<T>(BinaryKind f, T* a, T* b, bool* y, in JointLayout layout)
        where T : unmanaged, INumber<T>
    {
        switch (f)
        {
            case BinaryKind.Equal: Rows<T, bool, Compared<T, Equal<T>>>(a, b, y, layout); break;
            case BinaryKind.NotEqual: Rows<T, bool, Compared<T, NotEqual<T>>>(a, b, y, layout); break;
            case BinaryKind.Less: Rows<T, bool, Compared<T, Less<T>>>(a, b, y, layout); break;
            case BinaryKind.LessOrEqual: Rows<T, bool, Compared<T, LessOrEqual<T>>>(a, b, y, layout); break;
            case BinaryKind.Greater: Rows<T, bool, Compared<T, Greater<T>>>(a, b, y, layout); break;
            case BinaryKind.GreaterOrEqual: Rows<T, bool, Compared<T, GreaterOrEqual<T>>>(a, b, y, layout); break;
            case BinaryKind.LogicalAnd: Rows<T, bool, Compared<T, LogicalAnd<T>>>(a, b, y, layout); break;
            case BinaryKind.LogicalOr: Rows<T, bool, Compared<T, LogicalOr<T>>>(a, b, y, layout); break;
            case BinaryKind.LogicalXor: Rows<T, bool, Compared<T, LogicalXor<T>>>(a, b, y, layout); break;
            default: throw new ArgumentOutOfRangeException(nameof(f), f, "there is no such predicate");
        }
    }

    /// <summary>y = condition ? a : b, of elements of any type.</summary>
    public static void Select<T>(bool* condition, T* a, T* b, T* y, in JointLayout layout)
        where T : unmanaged
    {
        var parts = new JointParts(layout);
        ThreadTeam.Run(parts.Count, new SelectTask<T>(condition, a, b, y, layout, parts));
    }

    private static void Each<T, TResult, TOperator>(T* a, T* b, TResult* y, in JointLayout layout)
        where T : unmanaged
        where TResult : unmanaged
        where TOperator : struct, IEachBinary<T, TResult> => Rows<T, TResult, Pairwise<T, TResult, TOperator>>(a, b, y, layout);

    private static void Rows<T, TResult, TOperator>(T* a, T* b, TResult* y, in JointLayout layout)
        where T : unmanaged
        where TResult : unmanaged
        where TOperator : struct, IRowBinary<T, TResult>
    {
        var parts = new JointParts(layout);
        ThreadTeam.Run(parts.Count, new RowsTask<T, TResult, TOperator>(a, b, y, layout, parts));
    }

    private readonly struct RowsTask<T, TResult, TOperator>(T* a, T* b, TResult* y, JointLayout layout, JointParts parts) : IParallelTask
        where T : unmanaged
        where TResult : unmanaged
        where TOperator : struct, IRowBinary<T, TResult>
    {
        public void Run(int index)
        {
            parts.Of(index, layout, out nint row, out nint end, out nint from, out nint length);
            nint sa = layout.RowStride(0), sb = layout.RowStride(1);
            int n = checked((int)length);
            for (; row < end; row++)
            {
                T* left = a + layout.RowOffset(row, 0) + (from * sa);
                T* right = b + layout.RowOffset(row, 1) + (from * sb);
                TResult* to = y + (row * layout.RowLength) + from;
                if (sa == 1 && sb == 1) TOperator.Rows(new(left, n), new(right, n), new(to, n));
                else if (sa == 1 && sb == 0) TOperator.RightScalar(new(left, n), *right, new(to, n));
                else if (sa == 0 && sb == 1) TOperator.LeftScalar(*left, new(right, n), new(to, n));
                else for (nint i = 0; i < length; i++) to[i] = TOperator.Invoke(left[i * sa], right[i * sb]);
            }
        }
    }

    private readonly struct SelectTask<T>(bool* condition, T* a, T* b, T* y, JointLayout layout, JointParts parts) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            parts.Of(index, layout, out nint row, out nint end, out nint from, out nint length);
            nint sc = layout.RowStride(0), sa = layout.RowStride(1), sb = layout.RowStride(2);
            for (; row < end; row++)
            {
                bool* which = condition + layout.RowOffset(row, 0) + (from * sc);
                T* left = a + layout.RowOffset(row, 1) + (from * sa);
                T* right = b + layout.RowOffset(row, 2) + (from * sb);
                T* to = y + (row * layout.RowLength) + from;
                if (sc == 1 && sa is 0 or 1 && sb is 0 or 1) Selection.Row(which, left, sa, right, sb, to, length);
                else for (nint i = 0; i < length; i++) to[i] = which[i * sc] ? left[i * sa] : right[i * sb];
            }
        }
    }
}
