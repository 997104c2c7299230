using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>Writes a contiguous array into a strided one; elements of the strided array don't overlap.</summary>
internal static unsafe class StridedPlace
{
    public static void Write<T>(T* source, T* destination, in JointLayout layout)
        where T : unmanaged
    {
        nint rows = SimdTask.RowsPerPart(layout.RowLength);
        ThreadTeam.Run(SimdTask.Parts(layout.Rows, rows), new WriteTask<T>(source, destination, layout, rows));
    }

    private readonly struct WriteTask<T>(T* source, T* destination, JointLayout layout, nint rows) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            nint stride = layout.RowStride(0), length = layout.RowLength;
            nint end = Math.Min(layout.Rows, (index + 1) * rows);
            for (nint r = index * rows; r < end; r++)
            {
                T* to = destination + layout.RowOffset(r, 0);
                T* from = source + (r * length);
                for (nint i = 0; i < length; i++) to[i * stride] = from[i];
            }
        }
    }
}
