using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Rows;

/// <summary>What makes one vector of a text's many: the largest of each column, and rows divided by their length.</summary>
[KernelFamily]
internal static unsafe class Pooling
{
    /// <summary>y = x r with r = 1 / max(‖x‖₂, ε), which is kept negative where ε was divided by; a block a row.</summary>
    public static void Normalize(nint x, float epsilon, nint y, nint reciprocal, uint columns)
    {
        uint row = (uint)Grid.IdxX;
        uint first = row * columns;
        float squares = 0;
        for (uint c = (uint)Group.IdxX; c < columns; c += BlockReduction.Threads)
        {
            float v = ((float*)x)[first + c];
            squares = Single.MultiplyAdd(v, v, squares);
        }

        float length = MathF.Sqrt(BlockReduction.Sum(squares));
        float r = 1 / (length < epsilon ? epsilon : length);
        if (Group.IdxX == 0) ((float*)reciprocal)[row] = length < epsilon ? -r : r;
        for (uint c = (uint)Group.IdxX; c < columns; c += BlockReduction.Threads) ((float*)y)[first + c] = ((float*)x)[first + c] * r;
    }

    /// <summary>dx = |r| (dy − y Σ_c y dy), without the sum where r is negative; a block a row.</summary>
    public static void NormalizeBackward(nint y, nint reciprocal, nint dy, nint dx, uint columns)
    {
        uint row = (uint)Grid.IdxX;
        uint first = row * columns;
        float dot = 0;
        for (uint c = (uint)Group.IdxX; c < columns; c += BlockReduction.Threads) dot = Single.MultiplyAdd(((float*)y)[first + c], ((float*)dy)[first + c], dot);
        dot = BlockReduction.Sum(dot);
        float r = ((float*)reciprocal)[row];
        if (r < 0) dot = 0;
        r = IntrinsicMath.Abs(r);
        for (uint c = (uint)Group.IdxX; c < columns; c += BlockReduction.Threads)
            ((float*)dx)[first + c] = (((float*)dy)[first + c] - (((float*)y)[first + c] * dot)) * r;
    }

    /// <summary>y[b, c] = the largest x[b, t, c] with mask[b, t] ≠ 0, and its first t; 0 and −1 where the mask keeps none. The first NaN counts as the largest. A thread a column.</summary>
    public static void MaskedMax(nint x, nint mask, nint y, nint places, uint length, uint width, uint count)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint text = i / width;
            uint column = i - (text * width);
            float largest = 0;
            int place = -1;
            for (uint t = 0; t < length; t++)
            {
                uint token = (text * length) + t;
                if (((int*)mask)[token] == 0) continue;
                float v = ((float*)x)[(token * width) + column];
                bool isNaN = !(v <= float.PositiveInfinity), wasNaN = !(largest <= float.PositiveInfinity);
                bool larger = place < 0 || v > largest || (isNaN && !wasNaN);
                largest = larger ? v : largest;
                place = larger ? (int)t : place;
            }

            ((float*)y)[i] = largest;
            ((int*)places)[i] = place;
        }
    }

    /// <summary>dx[b, places[b, c], c] = dy[b, c].</summary>
    public static void MaskedMaxBackward(nint places, nint dy, nint dx, uint length, uint width, uint count)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            uint text = i / width;
            int place = ((int*)places)[i];
            if (place >= 0) ((float*)dx)[(((text * length) + (uint)place) * width) + (i - (text * width))] = ((float*)dy)[i];
        }
    }
}
