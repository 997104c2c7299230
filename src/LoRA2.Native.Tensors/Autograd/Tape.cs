using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Autograd;

/// <summary>
/// Records the ops applied on this thread while it is the current tape, so that <see cref="Backward"/> can run them in reverse. Without a tape
/// nothing is recorded and nothing is kept.
/// </summary>
/// <example><code>
/// using var scope = new TensorScope();
/// using var tape = new Tape();
/// Tensor loss = Ops.Mean(Ops.Gelu(Ops.Linear(x, w, b)));
/// tape.Backward(loss);          // w.Grad and b.Grad now hold the gradients
/// </code></example>
public readonly struct Tape : IDisposable
{
    private readonly Recording recording;
    private readonly int generation;

    /// <summary>Starts recording on this thread.</summary>
    public Tape()
    {
        recording = Recording.Open();
        generation = recording.Generation;
    }

    /// <summary>Whether every result and every gradient is checked for NaN and infinity, which costs a pass over each.</summary>
    public bool DetectAnomaly
    {
        get => IsOpen && recording.DetectAnomaly;
        init => recording.DetectAnomaly = value;
    }

    /// <summary>Number of ops recorded.</summary>
    public int Length => IsOpen ? recording.Length : 0;

    private bool IsOpen => recording?.Generation == generation;

    /// <summary>Whether a tape is current on this thread.</summary>
    internal static bool IsCurrent => Recording.Current is not null;

    /// <summary>Whether an op on these inputs has to be recorded: a tape is current and one of them requires a gradient.</summary>
    public static bool Records(params ReadOnlySpan<Tensor?> inputs)
    {
        if (Recording.Current is null) return false;
        foreach (Tensor? input in inputs)
        {
            if (input is { RequiresGrad: true }) return true;
        }

        return false;
    }

    /// <summary>The result of some ops, without recording them: what an op of your own computes of others, when its node knows the gradient of the whole.</summary>
    public static Tensor Unrecorded(Func<Tensor> ops)
    {
        ArgumentNullException.ThrowIfNull(ops);
        return Recording.Unrecorded(ops);
    }

    /// <summary>Records that <paramref name="node"/> made <paramref name="output"/>. Call it only when <see cref="Records"/> said so.</summary>
    /// <exception cref="AnomalyException"><see cref="DetectAnomaly"/> is on and the output holds a NaN or an infinity.</exception>
    public static Tensor Record(Node node, Tensor output)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(output);
        Recording recording = Recording.Current ?? throw new InvalidOperationException("no tape is recording on this thread");
        node.Output = output;
        node.Tape = recording;
        output.RequiresGrad = true;
        output.Producer = node;
        recording.Add(node);
        if (recording.DetectAnomaly && !Recording.IsFinite(output)) throw new AnomalyException(node.Name, "result");
        return output;
    }

    /// <summary>
    /// Adds the gradients of <paramref name="loss"/> to the <see cref="Tensor.Grad"/> of every leaf that requires one, and empties the tape, also
    /// when it fails.
    /// </summary>
    /// <param name="loss">The last result; one element, unless <paramref name="seed"/> is given.</param>
    /// <param name="seed">The gradient of <paramref name="loss"/>, of its shape; 1 when left out.</param>
    /// <exception cref="ArgumentException">The loss was not recorded here, or the seed's shape or type differs.</exception>
    /// <exception cref="InvalidOperationException">Backward already ran since the loss was computed.</exception>
    /// <exception cref="ObjectDisposedException">The tape was disposed.</exception>
    /// <exception cref="AnomalyException"><see cref="DetectAnomaly"/> is on and a gradient holds a NaN or an infinity.</exception>
    public void Backward(Tensor loss, Tensor? seed = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        Require(loss, seed);
        recording.Backward(loss, seed);
    }

    /// <summary>
    /// The gradients of <paramref name="y"/> with respect to <paramref name="inputs"/>, leaves or results on this tape, as new tensors of the current scope; no
    /// <see cref="Tensor.Grad"/> changes. Zeros where y does not depend on an input.
    /// </summary>
    /// <param name="y">A result; one element, unless <paramref name="seed"/> is given.</param>
    /// <param name="inputs">What to differentiate with respect to; each requires a gradient.</param>
    /// <param name="seed">The gradient of <paramref name="y"/>, of its shape; 1 when left out.</param>
    /// <param name="createGraph">
    /// Whether the gradients are recorded on this tape too, so that what is computed of them can be differentiated, as PyTorch's <c>create_graph</c>. The tape then keeps its
    /// ops; without it the tape is emptied.
    /// </param>
    /// <exception cref="ArgumentException">y was not recorded here, an input requires no gradient, or the seed's shape or type differs.</exception>
    /// <exception cref="NotSupportedException">createGraph was asked for, and an op has no second derivative.</exception>
    public Tensor[] Gradients(Tensor y, ReadOnlySpan<Tensor> inputs, Tensor? seed = null, bool createGraph = false)
    {
        ArgumentNullException.ThrowIfNull(y);
        Require(y, seed);
        foreach (Tensor input in inputs)
        {
            if (!input.RequiresGrad) throw new ArgumentException($"tensor {input.Description} requires no gradient");
        }

        return recording.Gradients(y, seed, inputs, createGraph);
    }

    private void Require(Tensor loss, Tensor? seed)
    {
        if (!loss.RequiresGrad) throw new ArgumentException("the loss was not computed, on a tape, from anything that requires a gradient");
        if (loss.Producer is { Tape: null }) throw new InvalidOperationException("the tape was emptied since this loss was computed: Backward runs once, or the tape was disposed");
        if (!IsOpen) throw new ObjectDisposedException(nameof(Tape));
        if (loss.Producer is { } producer && producer.Tape != recording) throw new ArgumentException("the loss was recorded on another tape");
        if (seed is null && loss.Count != 1) throw new ArgumentException($"a loss of shape {loss.Shape} needs a seed gradient");
        if (seed is not null && (seed.Shape != loss.Shape || seed.DType != loss.DType)) throw new ArgumentException($"a seed of {seed.Description} was given for a loss of {loss.Description}");
    }

    /// <summary>Stops recording and frees what was saved.</summary>
    public void Dispose()
    {
        if (IsOpen) recording.Close();
    }
}
