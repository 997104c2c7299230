namespace LoRA2.Native.Tensors;

/// <summary>What becomes of the losses of the elements.</summary>
public enum LossReduction
{
    /// <summary>Their mean; with weights their sum over that of the weights.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>They stay as they are.</summary>
    None,
}

/// <content>What losses have in common.</content>
public static partial class Ops
{
    private static Tensor ReducedLoss(Tensor losses, LossReduction reduction) => reduction switch
    {
        LossReduction.Mean => Mean(losses, []),
        LossReduction.Sum => Sum(losses, []),
        _ => losses,
    };
}
