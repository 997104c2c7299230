using System.Numerics;
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
            for (int y = 0; y < down.Count; y++)
            {
                (int top, int bottom) = down.Inside(y);
                for (int i = 0; i < across.Count; i++)
                {
                    (int left, int right) = across.Inside(i);
                    int row = (((y * down.Stride) + down.Start(top)) * across.Length) + (i * across.Stride) + across.Start(left);
                    int place = row;
                    T largest = plane[place];
                    for (int j = top; j < bottom; j++, row += down.Dilation * across.Length)
                    {
                        int at = row;
                        for (int k = left; k < right; k++, at += across.Dilation)
                        {
                            // False where the largest so far is NaN already.
                            if (!(plane[at] > largest) && !(T.IsNaN(plane[at]) && !T.IsNaN(largest))) continue;
                            (place, largest) = (at, plane[at]);
                        }
                    }

                    *to++ = place;
                }
            }
        }
    }
}
