using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

namespace LoRA2.Native.Tensors.Tests.Cpu;

/// <summary>Instructions that a test is about and a processor may lack.</summary>
public enum Instructions
{
    /// <summary>512-bit vectors.</summary>
    Vector512,

    /// <summary>Products of bfloat16, on the tile unit or by vdpbf16ps.</summary>
    BFloat16,

    /// <summary>AVX512-VNNI.</summary>
    Vnni,
}

/// <summary>A test that is skipped, saying so, where the processor or the settings lack what it is about.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class InstructionsFactAttribute : FactAttribute
{
    public InstructionsFactAttribute(Instructions needed)
    {
        Needed = needed;
        bool has = needed switch
        {
            Instructions.Vector512 => Vector512.IsHardwareAccelerated,
            Instructions.BFloat16 => BFloat16Paths.IsSupported(BFloat16Path.Amx) || BFloat16Paths.IsSupported(BFloat16Path.Avx512),
            _ => ByteCode.IsCurrent,
        };
        if (!has) Skip = $"this processor, or what LORA2_SIMD leaves of it, has no {needed}";
    }

    public Instructions Needed { get; }
}
