using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Adapters.Methods;

/// <summary>
/// DoRA (arXiv 2402.09353) in PEFT's convention: y = (m / n) ∘ (x Wᵀ + s (x Aᵀ) Bᵀ) + b with A and B as in LoRA, n the norm of each row of W + s B A, which takes
/// no gradient (the paper's section 4.3), and m [out] trained from the norm of W's rows. s is LoRA's.
/// </summary>
/// <remarks>PEFT forms W + s B A for its norms; here they come from W Aᵀ and A Aᵀ, so that the layer costs about what LoRA's does.</remarks>
public sealed record DoRAMethod : LoRAMethod
{
    /// <inheritdoc/>
    public override string Name => "dora";

    /// <inheritdoc/>
    public override string Title => "DoRA";

    /// <inheritdoc/>
    protected override bool UsesMagnitude => true;

    /// <inheritdoc/>
    public override Adapter Create(LinearLayer layer, Philox random)
    {
        (Tensor a, Tensor b) = Fresh(layer, Rank, random);
        return new DoRAAdapter(layer.Name, a, b, DoRAAdapter.RowNorms(layer.Weight.Value), Scale);
    }

    /// <inheritdoc/>
    public override Adapter Read(AdapterTensors tensors, LinearLayer layer)
    {
        LoRAMethod own = Of(layer.Name);
        (Tensor a, Tensor b) = own.Factors(tensors, layer);
        return new DoRAAdapter(layer.Name, a, b, tensors.Part(layer, "lora_magnitude_vector", [layer.Outputs]), own.Scale);
    }
}

/// <summary>DoRA's two factors and magnitudes on one layer.</summary>
public sealed class DoRAAdapter : Adapter
{
    private readonly Parameter a;
    private readonly Parameter b;
    private readonly Parameter magnitude;
    private readonly double scale;
    private readonly Lock measuring = new();
    private (Tensor Weight, Tensor SquaredNorms)? measured;

    /// <summary>Takes over A [r, in], B [out, r] and m [out].</summary>
    public DoRAAdapter(string module, Tensor a, Tensor b, Tensor magnitude, double scale)
        : base(module)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(magnitude);
        this.a = Trained("lora_A", a);
        this.b = Trained("lora_B", b);
        this.magnitude = Trained("lora_magnitude_vector", magnitude);
        this.scale = scale;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [a, b, magnitude];

    /// <inheritdoc/>
    public override bool KeepsNothing => true;

    /// <inheritdoc/>
    public override int EffectiveRank => a.Value.Shape[0];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Tensor weight, Tensor? bias, Activation activation = Activation.None)
    {
        Tensor factor = Ops.Multiply(magnitude.Value, ReciprocalNorms(weight));
        Tensor y = Ops.Multiply(Ops.LoRALinear(x, weight, null, a.Value, b.Value, scale), factor);
        return Ops.Activate(bias is null ? y : Ops.Add(y, bias), activation);
    }

    /// <inheritdoc/>
    public override Tensor Merged(Tensor weight)
    {
        Tensor factor = Ops.Multiply(magnitude.Value, ReciprocalNorms(weight));
        Tensor updated = Ops.Add(weight, Ops.Scale(Ops.MatMul(b.Value, a.Value), scale));
        return Ops.Multiply(updated, Ops.Reshape(factor, factor.Count, 1));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Suffix, Tensor Value)> ToPeft() =>
        [("lora_A.weight", a.Value), ("lora_B.weight", b.Value), ("lora_magnitude_vector", magnitude.Value)];

    /// <inheritdoc/>
    public override void Dispose()
    {
        measured?.SquaredNorms.Dispose();
        base.Dispose();
    }

    /// <summary>The norm of each row, [out].</summary>
    internal static Tensor RowNorms(Tensor weight)
    {
        double[] squared = SquaredRowNorms(weight);
        Tensor norms = Tensor.Empty([squared.Length]);
        Span<float> values = norms.AsSpan<float>();
        for (int j = 0; j < values.Length; j++) values[j] = (float)Math.Sqrt(squared[j]);
        return norms;
    }

    /// <summary>
    /// 1 / ‖W_j + s B_j A‖ for each row j, without gradient: ‖W_j‖² + Σ_i B_ji C_ij with C = 2 s A Wᵀ + s² (A Aᵀ) Bᵀ. The row's own part is measured once.
    /// </summary>
    private Tensor ReciprocalNorms(Tensor weight)
    {
        Tensor squaredNorms = SquaredNormsOf(weight);
        using var scope = new TensorScope();
        // Copies take no part in the tape.
        Tensor constantA = a.Value.Clone(), constantB = b.Value.Clone();
        Tensor linear = Ops.Linear(constantA, weight);
        Tensor quadratic = Ops.Linear(Ops.Linear(constantA, constantA), constantB);
        Tensor reciprocal = Tensor.Empty([constantB.Shape[0]], constantB.DType, constantB.Device);
        reciprocal.Device.Kernels.ReciprocalNorms(squaredNorms, constantB, linear, quadratic, scale, reciprocal);
        return scope.Keep(reciprocal);
    }

    /// <summary>Measured once, by one of the threads that ask.</summary>
    private Tensor SquaredNormsOf(Tensor weight)
    {
        lock (measuring)
        {
            if (measured?.Weight != weight) MeasureApart(weight);
            return measured!.Value.SquaredNorms;
        }
    }

    // A method of its own: the closure would be made at every call where it is written.
    private void MeasureApart(Tensor weight) => weight.Device.Apart(() => Measure(weight));

    private void Measure(Tensor weight)
    {
        using var scope = new TensorScope();
        double[] squared = SquaredRowNorms(weight);
        measured?.SquaredNorms.Dispose();
        measured = (weight, scope.Detach(Tensor.From(squared, [squared.Length]).To(weight.Device)));
    }

    private static double[] SquaredRowNorms(Tensor weight)
    {
        using var scope = new TensorScope();
        ReadOnlySpan<float> values = weight.To(Device.Cpu).To(DType.Float32).AsSpan<float>();
        double[] squared = new double[weight.Shape[0]];
        int width = weight.Shape[1];
        for (int j = 0; j < squared.Length; j++)
        {
            foreach (float value in values.Slice(j * width, width)) squared[j] += (double)value * value;
        }

        return squared;
    }
}
