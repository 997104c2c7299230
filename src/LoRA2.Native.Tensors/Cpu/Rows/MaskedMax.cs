using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>The largest of each column over the rows of a matrix that a mask keeps, one matrix after the other.</summary>
internal static unsafe class MaskedMax
{
    /// <summary>y[b, c] = the largest x[b, t, c] with mask[b, t] ≠ 0, and the first t that has it; 0 and −1 where the mask keeps none. The first NaN counts as the largest.</summary>
    public static void Forward<T>(T* x, int* mask, nint batch, nint length, nint width, T* y, int* places)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ThreadTeam.Run(checked((int)batch), new ForwardTask<T>(x, mask, length, width, y, places));

    /// <summary>dx[b, places[b, c], c] = dy[b, c]; the rest of dx is left as it is.</summary>
    public static void Backward<T>(int* places, T* dy, nint batch, nint length, nint width, T* dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (nint b = 0; b < batch; b++)
        {
            for (nint c = 0; c < width; c++)
            {
                nint at = (b * width) + c;
                if (places[at] >= 0) dx[(((b * length) + places[at]) * width) + c] = dy[at];
            }
        }
    }

    private readonly struct ForwardTask<T>(T* x, int* mask, nint length, nint width, T* y, int* places) : IParallelTask
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run(int index)
        {
            T* largest = y + (index * width);
            int* place = places + (index * width);
            for (nint c = 0; c < width; c++) (largest[c], place[c]) = (T.Zero, -1);
            for (nint t = 0; t < length; t++)
            {
                if (mask[(index * length) + t] == 0) continue;
                T* row = x + (((index * length) + t) * width);
                for (nint c = 0; c < width; c++)
                {
                    // False where the largest so far is NaN already.
                    if (place[c] < 0 || row[c] > largest[c] || (T.IsNaN(row[c]) && !T.IsNaN(largest[c]))) (largest[c], place[c]) = (row[c], (int)t);
                }
            }
        }
    }
}
