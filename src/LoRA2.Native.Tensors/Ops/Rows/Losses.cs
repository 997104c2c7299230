using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Task losses.</content>
public static partial class Ops
{
    /// <summary>
    /// The mean cross-entropy of logits [rows, classes] against labels [rows] (Int32), over the rows whose label is not negative; 0 when there is
    /// none. Rank 0.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes don't fit, or a label is not a class.</exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        if (logits.Shape.Rank != 2 || labels.Shape != [logits.Shape[0]])
            throw new ArgumentException($"CrossEntropy: logits {logits.Shape} need labels of shape [{(logits.Shape.Rank > 0 ? logits.Shape[0] : 0)}], not {labels.Shape}");
        if (labels.DType != DType.Int32) throw new ArgumentException($"CrossEntropy: labels are {labels.DType}; Int32 is needed");
        labels = labels.To(labels.DType);
        RequireLabels(labels, logits.Shape[1]);

        logits = Operand("CrossEntropy", logits);
        Tensor loss = Tensor.Empty([], logits.DType, logits.Device);
        Tensor dlogits = Tensor.Empty(logits.Shape, logits.DType, logits.Device);
        logits.Device.Kernels.CrossEntropy(logits, labels, loss, dlogits);
        return Tape.Records(logits) ? Tape.Record(LossNode.Of("CrossEntropy", logits, dlogits), loss) : loss;
    }

    /// <summary>The mean of (x − target)² over all elements; 0 when there is none. Rank 0. The target gets no gradient.</summary>
    /// <exception cref="ArgumentException">Shapes or types differ.</exception>
    public static Tensor MeanSquaredError(Tensor x, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(target);
        RequireSameType("MeanSquaredError", x, target);
        if (x.Shape != target.Shape) throw new ArgumentException($"MeanSquaredError: shapes {x.Shape} and {target.Shape} differ");
        x = Contiguous(x);
        Tensor loss = Tensor.Empty([], x.DType, x.Device);
        Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.MeanSquaredError(x, target.To(target.DType), loss, dx);
        return Tape.Records(x) ? Tape.Record(LossNode.Of("MeanSquaredError", x, dx), loss) : loss;
    }

    /// <summary>
    /// The mean over all elements of the binary cross-entropy of logits x against targets from 0 to 1, −t ln σ(x) − (1 − t) ln(1 − σ(x)); 0 when there is none. Rank 0. The target
    /// gets no gradient. As PyTorch's <c>binary_cross_entropy_with_logits</c>.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types differ.</exception>
    public static Tensor BinaryCrossEntropy(Tensor x, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(target);
        RequireSameType("BinaryCrossEntropy", x, target);
        if (x.Shape != target.Shape) throw new ArgumentException($"BinaryCrossEntropy: shapes {x.Shape} and {target.Shape} differ");
        x = Contiguous(x);
        Tensor loss = Tensor.Empty([], x.DType, x.Device);
        Tensor dx = Tensor.Empty(x.Shape, x.DType, x.Device);
        x.Device.Kernels.BinaryCrossEntropy(x, target.To(target.DType), loss, dx);
        return Tape.Records(x) ? Tape.Record(LossNode.Of("BinaryCrossEntropy", x, dx), loss) : loss;
    }

    /// <summary>Labels on a device are not read back to be checked: its kernel leaves out what is not a class.</summary>
    private static void RequireLabels(Tensor labels, int classes)
    {
        if (labels.Device != Device.Cpu) return;
        foreach (int label in labels.AsSpan<int>())
        {
            if (label >= classes) throw new ArgumentException($"CrossEntropy: label {label} is not one of {classes} classes");
        }
    }

    private sealed class LossNode : Node
    {
        private string name = "";
        private Tensor x = null!;
        private Tensor dx = null!;

        public static LossNode Of(string name, Tensor x, Tensor dx)
        {
            LossNode node = Take<LossNode>();
            node.name = name;
            node.x = x;
            node.dx = node.Save(dx);
            return node;
        }

        public override string Name => name;

        protected internal override void Backward(Tensor gradient)
        {
            Tensor scaled = Tensor.Empty(x.Shape, x.DType, x.Device);
            x.Device.Kernels.ScaleBy(dx, gradient, scaled);
            Accumulate(x, scaled);
        }
    }
}
