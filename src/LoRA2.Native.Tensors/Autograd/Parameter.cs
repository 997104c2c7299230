using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Autograd;

/// <summary>A named tensor of a model: trained, or frozen and then packed by the kernels as they like.</summary>
public sealed class Parameter
{
    /// <summary>Names a contiguous Float32 or Float64 tensor. It is taken out of every scope.</summary>
    public Parameter(string name, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        if (!value.IsContiguous) throw new ArgumentException($"parameter {name} is not contiguous");
        value.Leave();
        Name = name;
        Value = value;
    }

    private Parameter(Parameter owner) => (Name, Value, IsShared) = (owner.Name, owner.Value, true);

    /// <summary>Whether the tensor is another parameter's, which frees it.</summary>
    internal bool IsShared { get; private set; }

    /// <summary>The name, as HuggingFace saves it.</summary>
    public string Name { get; }

    /// <summary>The elements; <see cref="Tensor.Grad"/> holds the gradient.</summary>
    public Tensor Value { get; private set; }

    /// <summary>Whether it is trained.</summary>
    public bool IsTrainable => Value.RequiresGrad;

    /// <summary>Number of elements.</summary>
    public int Count => Value.Count;

    /// <summary>
    /// The precision of the products that this is the weight of (<see cref="Tensor.Precision"/>). A frozen weight of <see cref="Precision.BFloat16"/>
    /// is kept rounded, in half the memory.
    /// </summary>
    /// <exception cref="InvalidOperationException">The frozen weight was rounded for a lower precision.</exception>
    public Precision Precision
    {
        get => Value.Precision;
        set
        {
            if (value == Value.Precision) return;
            if (Value.DType == DType.BFloat16) throw new InvalidOperationException($"parameter {Name} was rounded for {Value.Precision}; load it again for {value}");
            Value.Precision = value;
            if (Value.IsConstant) Freeze();
        }
    }

    /// <summary>Lets it be trained. A frozen one gets a new tensor, for kernels may have packed the old.</summary>
    public void Train()
    {
        if (Value.IsConstant) Put(Value.DType == DType.BFloat16 ? Value.To(DType.Float32) : Value.Clone());
        Value.RequiresGrad = true;
    }

    /// <summary>Promises that it never changes.</summary>
    public void Freeze()
    {
        Value.RequiresGrad = false;
        Value.ClearGrad();
        if (Value is { Precision: Precision.BFloat16, DType: DType.Float32 }) Put(Value.To(DType.BFloat16));
        Value.Freeze();
    }

    /// <summary>Puts another tensor of the same shape in its place, with the same role.</summary>
    public void Replace(Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Shape != Value.Shape) throw new ArgumentException($"parameter {Name} has shape {Value.Shape}; {value.Shape} can't replace it");
        bool train = Value.RequiresGrad;
        bool constant = Value.IsConstant;
        Put(value);
        if (train) Value.RequiresGrad = true;
        else if (constant) Freeze();
    }

    /// <summary>Moves it to a device, with its role; a gradient is forgotten.</summary>
    public void MoveTo(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device != Value.Device) Replace(Value.To(device));
    }

    /// <summary>The same frozen tensor, with its packed forms, in another model: what is put in its place there is that model's own.</summary>
    internal Parameter Share() => Value.IsConstant ? new Parameter(this) : throw new InvalidOperationException($"parameter {Name} is not frozen: two models can't share it");

    /// <summary>Frees the tensor, unless it is another parameter's.</summary>
    internal void Free()
    {
        if (!IsShared) Value.Dispose();
    }

    private void Put(Tensor value)
    {
        value.Leave();
        value.Precision = Value.Precision;
        Free();
        IsShared = false;
        Value = value;
    }
}
