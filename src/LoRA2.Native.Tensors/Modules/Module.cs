using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>
/// A part of a network: parameters, buffers (tensors that are kept but not trained) and parts of its own, each under the name that PyTorch gives it. A module owns its tensors and frees them when it is disposed of.
/// </summary>
/// <example><code>
/// var random = new ParameterRandom(seed: 1);
/// using var model = new Sequential(new Linear(2, 8, random), new Activate(Activation.Gelu), new Linear(8, 1, random));
/// Tensor y = model.Forward(x);
/// model.Save("model.safetensors");
/// </code></example>
public abstract class Module : IDisposable
{
    private readonly List<(string Name, Module Child)> children = [];
    private readonly List<Parameter> parameters = [];
    private readonly List<(string Name, Tensor Value)> buffers = [];

    /// <summary>Whether it behaves as in training: dropouts drop, and batch normalisation takes its statistics from the batch.</summary>
    public bool IsTraining { get; private set; } = true;

    /// <summary>Its parts by name.</summary>
    public IEnumerable<(string Name, Module Child)> Children => children;

    /// <summary>All parameters, its parts' too, by PyTorch's names: "0.weight".</summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters =>
        parameters.Select(parameter => (parameter.Name, parameter)).Concat(children.SelectMany(part => part.Child.NamedParameters.Select(inner => ($"{part.Name}.{inner.Name}", inner.Parameter))));

    /// <summary>All parameters.</summary>
    public IEnumerable<Parameter> Parameters => NamedParameters.Select(named => named.Parameter);

    /// <summary>All buffers, its parts' too, by PyTorch's names.</summary>
    public IEnumerable<(string Name, Tensor Value)> NamedBuffers =>
        buffers.Concat(children.SelectMany(part => part.Child.NamedBuffers.Select(inner => ($"{part.Name}.{inner.Name}", inner.Value))));

    /// <summary>The result for an input.</summary>
    public abstract Tensor Forward(Tensor x);

    /// <summary>Lets it and its parts behave as in training, or not.</summary>
    public void Train(bool training = true)
    {
        IsTraining = training;
        foreach ((_, Module child) in children) child.Train(training);
    }

    /// <summary>Lets it and its parts behave as after training.</summary>
    public void Evaluate() => Train(false);

    /// <summary>Moves its parameters to a device. Buffers stay where kernels on the device don't need them.</summary>
    public void MoveTo(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        foreach (Parameter parameter in Parameters) parameter.MoveTo(device);
    }

    /// <summary>Frees its tensors and its parts'.</summary>
    public void Dispose()
    {
        foreach ((_, Module child) in children) child.Dispose();
        foreach (Parameter parameter in parameters) parameter.Value.Dispose();
        foreach ((_, Tensor value) in buffers) value.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives it a trained parameter.</summary>
    protected Parameter AddParameter(string name, Tensor value)
    {
        var parameter = new Parameter(name, value);
        parameter.Train();
        parameters.Add(parameter);
        return parameter;
    }

    /// <summary>Gives it a part.</summary>
    protected T AddModule<T>(string name, T child)
        where T : Module
    {
        children.Add((name, child));
        return child;
    }

    /// <summary>Gives it a buffer.</summary>
    protected Tensor AddBuffer(string name, Tensor value)
    {
        buffers.Add((name, value.Leave()));
        return value;
    }
}

/// <summary>Parts one after the other, named 0, 1, …</summary>
public sealed class Sequential : Module
{
    private readonly Module[] parts;

    /// <summary>Takes the parts over.</summary>
    public Sequential(params ReadOnlySpan<Module> parts)
    {
        this.parts = parts.ToArray();
        for (int i = 0; i < parts.Length; i++) AddModule(i.ToString(System.Globalization.CultureInfo.InvariantCulture), parts[i]);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x)
    {
        foreach (Module part in parts) x = part.Forward(x);
        return x;
    }
}

/// <summary>A function without parameters as a part.</summary>
public sealed class Lambda(Func<Tensor, Tensor> function) : Module
{
    private readonly Func<Tensor, Tensor> function = function ?? throw new ArgumentNullException(nameof(function));

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => function(x);
}

/// <summary>An activation as a part.</summary>
public sealed class Activate(Activation activation) : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Ops.Activate(x, activation);
}
