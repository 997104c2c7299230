namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;

/// <summary>What multiplies bytes. Their sums are exact, so that the bits of a result don't depend on it.</summary>
internal enum BytePath
{
    /// <summary>Nothing here: pairs of 16 bits are multiplied instead.</summary>
    None,

    /// <summary>AVX512-VNNI's <c>vpdpbusd</c>.</summary>
    Vnni,

    /// <summary>The tile unit's <c>tdpbusd</c> (AMX-INT8).</summary>
    Amx,
}
