using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.Convolutions;

/// <summary>Where the largest of each window is, one image a part.</summary>
internal static unsafe class MaxPool
{
    /// <summary>As <see cref="Kernels.MaxPool"/>.</summary>
    public static void Places<T>(T* x, int images, in WindowPlan windows, long* places)
        where T : unmanaged, INumber<T> => ThreadTeam.Run(images, new PlacesTask<T>(x, windows, places));

    private readonly struct PlacesTask<T>(T* x, WindowPlan windows, long* places) : IParallelTask
        where T : unmanaged, INumber<T>
    {
        public void Run(int index)
        {
            (WindowAxis down, WindowAxis across) = (windows.Down, windows.Across);
            T* plane = x + ((nint)index * windows.Positions);
            long* to = places + ((nint)index * windows.Count);
            int* left = Scratch.Get<int>(ScratchSlot.Row, across.Count);
            for (int i = 0; i < across.Count; i++) left[i] = (i * across.Stride) + across.Start(across.Inside(i).First);
            for (int y = 0; y < down.Count; y++, to += across.Count)
            {
                (int top, int bottom) = down.Inside(y);
                int row = ((y * down.Stride) + down.Start(top)) * across.Length;
                for (int i = 0; i < across.Count; i++) to[i] = row + left[i];
                for (int j = top; j < bottom; j++, row += down.Dilation * across.Length)
                {
                    for (int k = 0; k < across.Size; k++)
                    {
                        (int first, int end) = across.Within(k);
                        int at = row + across.Start(k) + (first * across.Stride);
                        for (int i = first; i < end; i++, at += across.Stride) to[i] = Larger(plane, to[i], at);
                    }
                }
            }
        }

        // Without a jump, which the processor could not foretell. The first of equal ones stays, and the first NaN.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static long Larger(T* plane, long place, long at)
        {
            (T largest, T value) = (plane[place], plane[at]);
            bool larger = (value > largest) | (T.IsNaN(value) & !T.IsNaN(largest));
            return place ^ ((place ^ at) & -(long)Unsafe.BitCast<bool, byte>(larger));
        }
    }
}
