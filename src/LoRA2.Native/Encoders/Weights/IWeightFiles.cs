using LoRA2.Native.Files;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders.Weights;

/// <summary>The weights of a model by name, whatever the format of its files.</summary>
internal interface IWeightFiles : IDisposable
{
    /// <summary>The file, or one of them, for messages about what is missing.</summary>
    string Path { get; }

    /// <summary>What such a message says besides; empty for nothing.</summary>
    string Remark { get; }

    /// <summary>The names of all that there is.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>The weight of this name, or null.</summary>
    /// <exception cref="InputException">There are several that it could be.</exception>
    IWeight? Find(string name);
}

/// <summary>A weight that has not been read yet.</summary>
internal interface IWeight
{
    /// <summary>The file that it is in.</summary>
    string File { get; }

    /// <summary>The extents.</summary>
    ReadOnlySpan<long> Shape { get; }

    /// <summary>Reads it as a Float32 tensor on the CPU.</summary>
    /// <exception cref="InputException">Its elements are no floating-point numbers, one is a NaN or an infinity, or it has 2³¹ elements or more.</exception>
    Tensor Load();
}
