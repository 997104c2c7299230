using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// The parts of one region over many arrays: array i is split into blocks of <see cref="SimdTask.BlockElements"/>, which are the parts
/// starts[i] … starts[i + 1] − 1.
/// </summary>
internal readonly unsafe struct ManyParts(int* starts, int arrays)
{
    /// <summary>Parts of all arrays.</summary>
    public int Total => starts[arrays];

    /// <summary>Room for the starts of some arrays, of which the first is set; <see cref="Add"/> sets the others, one after the other.</summary>
    public static ManyParts For(int arrays)
    {
        int* starts = Scratch.Get<int>(ScratchSlot.Starts, arrays + 1);
        starts[0] = 0;
        return new ManyParts(starts, arrays);
    }

    /// <summary>Gives an array its parts.</summary>
    public void Add(int array, nint count) => starts[array + 1] = checked(starts[array] + SimdTask.Parts(count));

    /// <summary>Parts of an array.</summary>
    public int Of(int array) => starts[array + 1] - starts[array];

    /// <summary>The array that a part belongs to, and where in it the part starts.</summary>
    public int ArrayOf(int part, out nint start)
    {
        (int low, int high) = (0, arrays - 1);
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (starts[middle] <= part) low = middle;
            else high = middle - 1;
        }

        start = (nint)(part - starts[low]) * SimdTask.BlockElements;
        return low;
    }
}
