using LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tensors.Tests;

public sealed class ComputeTests
{
    [Fact]
    public void APrecisionSaysWhatItRunsAsAndWhereItGainsNothing()
    {
        foreach (Precision precision in Enum.GetValues<Precision>())
        {
            string said = Compute.Describe(precision);
            Assert.StartsWith(precision.ToString().ToLowerInvariant(), said, StringComparison.Ordinal);
            bool isOfTerms = precision is not (Precision.Float32 or Precision.Int8), hasNothing = isOfTerms && (Compute.BFloat16Path == "vector" || (Compute.BFloat16Path != "AMX" && precision != Precision.BFloat16));
            Assert.Equal(hasNothing, said.Contains("faster", StringComparison.Ordinal));
            Assert.Contains(isOfTerms && !hasNothing ? Compute.BFloat16Path : precision == Precision.Int8 && ByteCode.IsCurrent ? Bytes : Compute.SimdPath, said, StringComparison.Ordinal);
        }

        SimdPaths.Forced = SimdPath.Vector512;
        try
        {
            // Asked for its name alone: without VNNI products in 8 bits have no kernel of that width.
            Assert.StartsWith(ByteCode.IsCurrent ? $"int8 on {Bytes}" : "int8 on vectors (Vector256)", Compute.Describe(Precision.Int8), StringComparison.Ordinal);
        }
        finally
        {
            SimdPaths.Forced = null;
        }

        // Under a just-in-time compiler nothing is left out.
        Assert.Null(Compute.Shortfall);
    }

    private static string Bytes => ByteCode.Current == BytePath.Amx ? "AMX" : "AVX512-VNNI";

    [Theory]
    [InlineData("LORA2_THREADS", "abc", "the environment variable LORA2_THREADS is \"abc\"; a whole number from 1 to 1024 was expected")]
    [InlineData("LORA2_THREADS", "0", "LORA2_THREADS is \"0\"")]
    [InlineData("LORA2_SIMD", "banana", "the environment variable LORA2_SIMD is \"banana\"; 512, 256 or portable was expected")]
    [InlineData("LORA2_BF16", "no", "LORA2_BF16 is \"no\"; amx, avx512 or vector was expected")]
    [InlineData("LORA2_INT8", "x", "LORA2_INT8 is \"x\"; amx, vnni or vector was expected")]
    [InlineData("LORA2_THREADS", "4", null)]
    [InlineData("LORA2_SIMD", "", null)]
    [InlineData("LORA2_SIMD", null, null)]
    public void AVariableThatMeansNothingIsNamed(string name, string? value, string? sentence)
    {
        Exception? e = Record.Exception(() => Compute.RequireEnvironment(asked => asked == name ? value : null));
        if (sentence is null) Assert.Null(e);
        else Assert.Contains(sentence, Assert.IsType<InputException>(e).Message, StringComparison.Ordinal);
    }
}
