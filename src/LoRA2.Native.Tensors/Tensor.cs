using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors;

/// <summary>
/// A dense array of one <see cref="DType"/>: a view of native memory with a shape and strides. Tensors made inside a <see cref="TensorScope"/>
/// are freed by it; others by <see cref="Dispose"/> or, at the latest, the garbage collector.
/// </summary>
public sealed unsafe partial class Tensor : IDisposable
{
    private Shape.Axes strides;
    private int offset;
    private int generation;
    private bool disposed = true;
    private bool fromArena;

    internal Tensor()
    {
    }

    /// <summary>The element type.</summary>
    public DType DType { get; private set; }

    /// <summary>The extents.</summary>
    public Shape Shape { get; private set; }

    /// <summary>Number of elements.</summary>
    public int Count => Shape.Elements;

    /// <summary>Distance between neighbours along each axis, in elements; 0 along a broadcast axis.</summary>
    public ReadOnlySpan<int> Strides => ((ReadOnlySpan<int>)strides)[..Shape.Rank];

    /// <summary>Whether the elements lie in memory in order and without gaps.</summary>
    public bool IsContiguous { get; private set; }

    /// <summary>Where the memory is.</summary>
    public Device Device => Storage.Device;

    /// <summary>
    /// Whether gradients flow to this tensor. Set it on leaves (parameters); an op's result has it when an input has it and a <see cref="Tape"/> records.
    /// </summary>
    public bool RequiresGrad
    {
        get;
        set
        {
            if (value && IsConstant) throw new InvalidOperationException("a frozen tensor can't require a gradient");
            if (value && DType is not (DType.Float32 or DType.Float64))
                throw new InvalidOperationException($"a tensor of {DType} can't require a gradient; Float32 or Float64 can");
            field = value;
        }
    }

    /// <summary>The gradient that the last backward passes added up, or null. Of leaves only; an inner tensor's is freed as soon as it was used.</summary>
    public Tensor? Grad { get; internal set; }

    /// <summary>
    /// Whether the elements were promised never to change (<see cref="Freeze"/>): kernels may then keep a copy in the layout they prefer.
    /// </summary>
    public bool IsConstant { get; private set; }

    /// <summary>
    /// The precision of the products that this tensor is the weight of: forward, and for both gradients. Float32 unless set; it matters for weights of
    /// <see cref="Ops.Linear"/> and its relatives alone.
    /// </summary>
    public Precision Precision { get; set; }

    internal Storage Storage { get; private set; } = null!;

    internal Node? Producer { get; set; }

    internal ScopeFrame? Owner { get; set; }

    internal int OwnerIndex { get; set; }

    /// <summary>Whether the arena that made it may hand it out again: it was disposed of, and never left the arena's scopes.</summary>
    internal bool IsReusable => fromArena && disposed;

    /// <summary>What a backend keeps with a frozen tensor: its packed forms.</summary>
    internal IDisposable?[]? BackendCache { get; set; }

    /// <summary>Where the first element is, in this process's memory.</summary>
    /// <exception cref="InvalidOperationException">It is in a device's.</exception>
    internal byte* Pointer
    {
        get
        {
            if (!Storage.IsHost) throw new InvalidOperationException($"tensor {this.Description} is on {Device.Name}; this needs one on {Device.Cpu.Name}");
            return Address;
        }
    }

    /// <summary>Where the first element is, in its device's addresses.</summary>
    internal byte* Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(Storage.Generation != generation && Count > 0, this);
            return Storage.Pointer + ((nint)offset * DType.Size());
        }
    }

    internal nuint Bytes => (nuint)Count * (nuint)DType.Size();

    internal float* F32 => (float*)Pointer;

    internal double* F64 => (double*)Pointer;

    internal int* I32 => (int*)Pointer;

    /// <summary>Promises that the elements never change again, so that kernels may pack them once.</summary>
    /// <exception cref="InvalidOperationException">The tensor requires a gradient.</exception>
    public Tensor Freeze()
    {
        if (RequiresGrad) throw new InvalidOperationException("a tensor that requires a gradient can't be frozen");
        IsConstant = true;
        return this;
    }

    /// <summary>Gives up this view of the memory, its gradient, and packed copies. Other views, and what a tape saved, stay valid.</summary>
    public void Dispose()
    {
        // Two threads may do so at once: the memory has one owner less only once.
        if (Interlocked.Exchange(ref disposed, true)) return;
        Owner?.Forget(this);
        if (BackendCache is not null)
        {
            foreach (IDisposable? packed in BackendCache) packed?.Dispose();
        }

        // While a tape holds the op that made it, the tape still needs the gradient, and frees it.
        if (Producer is null or { Tape: null }) ClearGrad();
        Storage.Release();
    }

    /// <summary>Forgets the gradient and frees its memory.</summary>
    public void ClearGrad()
    {
        Grad?.Dispose();
        Grad = null;
    }

    /// <summary>Type and shape, for messages.</summary>
    internal string Description => $"{DType} {Shape}";

    /// <summary>A view with one owner of <paramref name="storage"/>, which the caller has counted, in the current scope.</summary>
    internal static Tensor Of(Storage storage, DType dtype, in Shape shape, ReadOnlySpan<int> strides, int offset)
    {
        ObjectArena? arena = ObjectArena.Current;
        Tensor tensor = arena is null ? new Tensor() : arena.NextTensor();
        tensor.Storage = storage;
        tensor.generation = storage.Generation;
        tensor.DType = dtype;
        tensor.Shape = shape;
        strides.CopyTo(tensor.strides);
        tensor.offset = offset;
        tensor.IsContiguous = tensor.ComputeContiguous();
        tensor.disposed = false;
        tensor.fromArena = arena is not null;
        tensor.RequiresGrad = false;
        tensor.IsConstant = false;
        tensor.Precision = default;
        tensor.Grad = null;
        tensor.Producer = null;
        tensor.BackendCache = null;
        ScopeFrame.Current?.Adopt(tensor);
        return tensor;
    }

    /// <summary>Lets go of a block that is not this tensor's any more.</summary>
    internal void ForgetStorage() => Storage = Storage.None;

    /// <summary>Counts one more owner of the memory.</summary>
    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    internal Storage RetainStorage()
    {
        Storage storage = Storage;
        ObjectDisposedException.ThrowIf(!storage.TryRetain(generation), this);
        return storage;
    }

    /// <summary>Keeps the memory from being given back, and from becoming another tensor's, until the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    private HeldStorage Hold() => new(RetainStorage());

    /// <summary>Takes it out of every scope, for good.</summary>
    internal Tensor Leave()
    {
        Owner?.Forget(this);
        fromArena = false;
        if (Producer is not null) Producer.MayBeReused = false;
        return this;
    }

    /// <summary>Another view of the same memory.</summary>
    internal Tensor View(Shape shape, ReadOnlySpan<int> viewStrides, int elementOffset = 0) =>
        Of(RetainStorage(), DType, shape, viewStrides, offset + elementOffset);

    /// <summary>The same contiguous elements in another shape.</summary>
    internal Tensor View(Shape shape)
    {
        Span<int> contiguous = stackalloc int[shape.Rank];
        shape.ContiguousStrides(contiguous);
        return View(shape, contiguous);
    }

    /// <summary>The same contiguous elements as a matrix: one row for each position of the first axis, or rows of the given width.</summary>
    internal Tensor AsRows(int width = -1)
    {
        int columns = width >= 0 ? width : Shape[0] == 0 ? 0 : Count / Shape[0];
        int rows = width >= 0 ? (width == 0 ? 0 : Count / width) : Shape[0];
        return View([rows, columns]);
    }

    internal Tensor Alias() => View(Shape, Strides);

    private bool ComputeContiguous()
    {
        int expected = 1;
        for (int i = Shape.Rank - 1; i >= 0; i--)
        {
            if (Shape[i] != 1 && strides[i] != expected) return Count == 0;
            expected *= Shape[i];
        }

        return true;
    }
}
