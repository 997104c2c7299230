using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>Running sums and products along the middle of outer × length × inner; each line is one part's.</summary>
internal static unsafe class ScanLoops
{
    public static void Run<T>(ScanKind kind, T* x, nint outer, nint length, nint inner, T* y)
        where T : unmanaged, INumber<T>
    {
        nint rows = SimdTask.RowsPerPart(length * inner);
        ThreadTeam.Run(SimdTask.Parts(outer, rows), new Task<T>(kind, x, outer, length, inner, rows, y));
    }

    private readonly struct Task<T>(ScanKind kind, T* x, nint outer, nint length, nint inner, nint rows, T* y) : IParallelTask
        where T : unmanaged, INumber<T>
    {
        public void Run(int index)
        {
            nint end = Math.Min(outer, (index + 1) * rows);
            for (nint o = index * rows; o < end; o++)
            {
                T* from = x + (o * length * inner);
                T* to = y + (o * length * inner);
                for (nint i = 0; i < inner; i++) Line(from + i, to + i);
            }
        }

        private void Line(T* from, T* to)
        {
            switch (kind)
            {
                case ScanKind.Sum:
                    T sum = T.Zero;
                    for (nint n = 0; n < length; n++) to[n * inner] = sum += from[n * inner];
                    break;
                case ScanKind.Product:
                    T product = T.One;
                    for (nint n = 0; n < length; n++) to[n * inner] = product *= from[n * inner];
                    break;
                default:
                    T rest = T.Zero;
                    for (nint n = length - 1; n >= 0; n--) to[n * inner] = rest += from[n * inner];
                    break;
            }
        }
    }
}
