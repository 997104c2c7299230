using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda.Operations;

/// <summary>How a precision multiplies: operands as sums of bfloat16 terms, and which products of two terms are added, the smallest first.</summary>
/// <param name="Planes">Terms of an operand.</param>
/// <param name="Products">Products of terms.</param>
/// <param name="Codes">Four bits for each product: the left operand's term in the lower two, the right one's in the upper.</param>
internal readonly record struct SplitTerms(int Planes, int Products, int Codes)
{
    private static readonly SplitTerms One = new(1, 1, 0);
    private static readonly SplitTerms Two = new(2, 3, 0x041);
    private static readonly SplitTerms Three = new(3, 6, 0x041852);

    /// <summary>
    /// Float32 takes three terms: their 24 bits are all that a float has, the three products left out are below its last bit, and on the tensor cores six
    /// products take less time than one on the ordinary units.
    /// </summary>
    public static SplitTerms Of(Precision precision) => precision switch
    {
        Precision.BFloat16 => One,
        Precision.BFloat16x3 => Two,
        _ => Three,
    };

    /// <summary>The same for a low-rank term, whose own error has to stay small beside that of the product.</summary>
    public static SplitTerms OfLowRank(Precision precision) => precision is Precision.BFloat16 or Precision.BFloat16x3 ? Two : Three;
}
