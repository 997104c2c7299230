using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.RandomNumbers;

/// <summary>
/// A counter-based random generator, Philox4x32-10: every value is a pure function of the seed, the stream and an index, so it is the same
/// on every processor and for every number of threads, and nothing has to be saved to resume but the numbers themselves.
/// Use one stream for one purpose: the different kinds of draws from a stream share its words.
/// </summary>
/// <param name="seed">The run's seed.</param>
/// <param name="stream">Tells apart the uses of one seed.</param>
public readonly struct Philox(ulong seed, ulong stream = 0)
{
    private const double Unit53 = 1.0 / (1UL << 53);

    /// <summary>The stream of one operation in one training step.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="operation">The operation's number.</param>
    public Philox(ulong seed, uint step, uint operation)
        : this(seed, step | ((ulong)operation << 32))
    {
    }

    /// <summary>The run's seed.</summary>
    public ulong Seed => seed;

    /// <summary>Tells apart the uses of one seed.</summary>
    public ulong Stream => stream;

    /// <summary>The stream's 32-bit word number <paramref name="index"/>, uniform.</summary>
    public unsafe uint UInt32At(ulong index)
    {
        uint* words = stackalloc uint[4];
        PhiloxBlocks.One(seed, stream, index >> 2, words);
        return words[index & 3];
    }

    /// <summary>The stream's 64-bit word number <paramref name="index"/>, uniform.</summary>
    public unsafe ulong UInt64At(ulong index)
    {
        uint* words = stackalloc uint[4];
        PhiloxBlocks.One(seed, stream, index >> 1, words);
        return ((ulong*)words)[index & 1];
    }

    /// <summary>Number <paramref name="index"/> of a sequence uniform in [0, 1), a multiple of 2⁻⁵³.</summary>
    public double DoubleAt(ulong index) => (UInt64At(index) >> 11) * Unit53;

    /// <summary>Number <paramref name="index"/> of a sequence of standard normal numbers (Box and Muller's, in double precision).</summary>
    public double NormalAt(ulong index)
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - DoubleAt(index & ~1UL)));
        double angle = 2 * Math.PI * DoubleAt(index | 1);
        return radius * ((index & 1) == 0 ? Math.Cos(angle) : Math.Sin(angle));
    }

    /// <summary>destination[i] = mean + deviation · <see cref="NormalAt"/>(i), rounded.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    public unsafe void FillNormal<T>(Span<T> destination, double mean, double deviation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* to = destination)
            ThreadTeam.Run(SimdTask.Parts(destination.Length), new NormalTask<T>(this, mean, deviation, to, destination.Length));
    }

    /// <summary>
    /// destination[i] = low + (high − low) · <see cref="DoubleAt"/>(i), rounded; rounding to float may give <paramref name="high"/> itself.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    public unsafe void FillUniform<T>(Span<T> destination, double low, double high)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (T* to = destination)
            ThreadTeam.Run(SimdTask.Parts(destination.Length), new UniformTask<T>(this, low, high, to, destination.Length));
    }

    /// <summary>A permutation of 0 … <paramref name="length"/> − 1, each equally likely.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    public int[] Permutation(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var order = new int[length];
        for (int i = 0; i < length; i++) order[i] = i;
        Shuffle<int>(order);
        return order;
    }

    /// <summary>Puts the elements in random order (Fisher and Yates's shuffle with unbiased bounded integers).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        ulong index = 0;
        for (int last = items.Length - 1; last > 0; last--)
        {
            uint bound = (uint)last + 1;
            ulong product = (ulong)UInt32At(index++) * bound;
            // Lemire's rejection: the first 2³² mod bound low parts would make some results likelier.
            if ((uint)product < bound)
            {
                uint reject = (0 - bound) % bound;
                while ((uint)product < reject) product = (ulong)UInt32At(index++) * bound;
            }

            int other = (int)(product >> 32);
            (items[last], items[other]) = (items[other], items[last]);
        }
    }

    /// <summary>Words 4 · first … of the stream, four a block.</summary>
    internal unsafe void Fill(ulong first, nint blocks, uint* words) => PhiloxBlocks.Fill(seed, stream, first, blocks, words);

    private readonly unsafe struct NormalTask<T>(Philox random, double mean, double deviation, T* to, nint count) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            nint end = Math.Min(count, ((nint)index + 1) * SimdTask.BlockElements);
            for (nint i = (nint)index * SimdTask.BlockElements; i < end; i++)
                to[i] = VectorMath.Scalar<T>(mean + (deviation * random.NormalAt((ulong)i)));
        }
    }

    private readonly unsafe struct UniformTask<T>(Philox random, double low, double high, T* to, nint count) : IParallelTask
        where T : unmanaged
    {
        public void Run(int index)
        {
            nint end = Math.Min(count, ((nint)index + 1) * SimdTask.BlockElements);
            for (nint i = (nint)index * SimdTask.BlockElements; i < end; i++)
                to[i] = VectorMath.Scalar<T>(low + ((high - low) * random.DoubleAt((ulong)i)));
        }
    }
}
