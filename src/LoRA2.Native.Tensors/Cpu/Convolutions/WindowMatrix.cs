using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Convolutions;

/// <summary>
/// The windows of an image as the right operand of a product: [channels · rows · columns of a window, windows], zeros where a window reads padding; and the sum that is its gradient. One channel is one part.
/// </summary>
internal static unsafe class WindowMatrix
{
    /// <summary>matrix = the windows of so many channels.</summary>
    public static void Gather<T>(T* image, int channels, in WindowPlan windows, T* matrix)
        where T : unmanaged => ThreadTeam.Run(channels, new GatherTask<T>(image, windows, matrix));

    /// <summary>image = for each position the sum of the elements of the matrix that were read from it, in their order.</summary>
    public static void Add<T>(T* matrix, int channels, in WindowPlan windows, T* image)
        where T : unmanaged, System.Numerics.INumber<T> => ThreadTeam.Run(channels, new AddTask<T>(matrix, windows, image));

    private readonly struct GatherTask<T>(T* image, WindowPlan windows, T* matrix) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            (WindowAxis down, WindowAxis across) = (windows.Down, windows.Across);
            T* plane = image + ((nint)index * windows.Positions);
            T* row = matrix + ((nint)index * windows.Size * windows.Count);
            for (int j = 0; j < down.Size; j++)
            {
                (int top, int bottom) = down.Within(j);
                for (int k = 0; k < across.Size; k++, row += windows.Count)
                {
                    (int left, int right) = across.Within(k);
                    new Span<T>(row, top * across.Count).Clear();
                    T* from = plane + ((nint)((top * down.Stride) + down.Start(j)) * across.Length) + (left * across.Stride) + across.Start(k);
                    T* to = row + (top * across.Count);
                    for (int y = top; y < bottom; y++, from += down.Stride * (nint)across.Length, to += across.Count)
                    {
                        for (int x = 0; x < left; x++) to[x] = default;
                        Copy(from, across.Stride, right - left, to + left);
                        for (int x = right; x < across.Count; x++) to[x] = default;
                    }

                    new Span<T>(to, (down.Count - bottom) * across.Count).Clear();
                }
            }
        }

        private static void Copy(T* from, int stride, int count, T* to)
        {
            if (stride == 1) new Span<T>(from, count).CopyTo(new Span<T>(to, count));
            else for (int i = 0; i < count; i++) to[i] = from[i * stride];
        }
    }

    private readonly struct AddTask<T>(T* matrix, WindowPlan windows, T* image) : IParallelTask
        where T : unmanaged, System.Numerics.INumber<T>
    {
        public void Run(int index)
        {
            (WindowAxis down, WindowAxis across) = (windows.Down, windows.Across);
            T* plane = image + ((nint)index * windows.Positions);
            T* row = matrix + ((nint)index * windows.Size * windows.Count);
            new Span<T>(plane, windows.Positions).Clear();
            for (int j = 0; j < down.Size; j++)
            {
                (int top, int bottom) = down.Within(j);
                for (int k = 0; k < across.Size; k++, row += windows.Count)
                {
                    (int left, int right) = across.Within(k);
                    T* to = plane + ((nint)((top * down.Stride) + down.Start(j)) * across.Length) + (left * across.Stride) + across.Start(k);
                    T* from = row + (top * across.Count) + left;
                    for (int y = top; y < bottom; y++, to += down.Stride * (nint)across.Length, from += across.Count) Add(from, right - left, across.Stride, to);
                }
            }
        }

        private static void Add(T* from, int count, int stride, T* to)
        {
            int i = 0;
            if (stride == 1)
            {
                for (; i <= count - System.Numerics.Vector<T>.Count; i += System.Numerics.Vector<T>.Count)
                    System.Numerics.Vector.Store(System.Numerics.Vector.Load(to + i) + System.Numerics.Vector.Load(from + i), to + i);
            }

            for (; i < count; i++) to[i * stride] += from[i];
        }
    }
}
