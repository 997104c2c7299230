using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>
/// The sum of each column: the gradient of a bias. A part takes a strip of columns through all rows; rows are added in order, in groups
/// of 32 whose sums are then added in order, which keeps the rounding error of long columns down.
/// </summary>
internal static unsafe class ColumnSum
{
    private const int Group = 32;
    private const int Registers = 4;

    /// <summary>output[c] = (or +=) Σ_r a[r, c], with rows <paramref name="stride"/> elements apart.</summary>
    public static void Run<T>(T* a, nint rows, nint columns, nint stride, T* output, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        SumTask<T> task = new(a, rows, columns, stride, output, accumulate);
        int parts = SimdTask.Parts(columns, Strip<T>());
        if (rows * columns > SimdTask.BlockElements)
        {
            SimdTask.Run<T, SumTask<T>>(parts, task);
            return;
        }

        for (int i = 0; i < parts; i++) SimdTask.RunPart<T, SumTask<T>>(task, i);
    }

    // 64 bytes a register at most, whatever the register: the strips are the same on every machine.
    private static nint Strip<T>()
        where T : unmanaged => Registers * 64 / sizeof(T);

    private readonly struct SumTask<T>(T* a, nint rows, nint columns, nint stride, T* output, bool accumulate) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint c = index * Strip<T>();
            nint end = Math.Min(columns, c + Strip<T>());
            for (; c <= end - (Registers * TSimd.Count); c += Registers * TSimd.Count) Four<TSimd>(c);
            for (; c < end; c += TSimd.Count) One<TSimd>(c, (int)Math.Min(TSimd.Count, end - c));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Four<TSimd>(nint c)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd total0 = default, total1 = default, total2 = default, total3 = default;
            for (nint r = 0; r < rows;)
            {
                TSimd sum0 = default, sum1 = default, sum2 = default, sum3 = default;
                nint stop = Math.Min(rows, r + Group);
                for (; r < stop; r++)
                {
                    T* from = a + (r * stride) + c;
                    sum0 += TSimd.Load(from);
                    sum1 += TSimd.Load(from + TSimd.Count);
                    sum2 += TSimd.Load(from + (2 * TSimd.Count));
                    sum3 += TSimd.Load(from + (3 * TSimd.Count));
                }

                total0 += sum0;
                total1 += sum1;
                total2 += sum2;
                total3 += sum3;
            }

            Put(total0, c, TSimd.Count);
            Put(total1, c + TSimd.Count, TSimd.Count);
            Put(total2, c + (2 * TSimd.Count), TSimd.Count);
            Put(total3, c + (3 * TSimd.Count), TSimd.Count);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One<TSimd>(nint c, int lanes)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            TSimd total = default;
            for (nint r = 0; r < rows;)
            {
                TSimd sum = default;
                nint stop = Math.Min(rows, r + Group);
                for (; r < stop; r++) sum += TSimd.LoadPartial(a + (r * stride) + c, lanes, default);
                total += sum;
            }

            Put(total, c, lanes);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Put<TSimd>(TSimd value, nint c, int lanes)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            if (accumulate) value = TSimd.LoadPartial(output + c, lanes, default) + value;
            TSimd.StorePartial(value, output + c, lanes);
        }
    }
}
