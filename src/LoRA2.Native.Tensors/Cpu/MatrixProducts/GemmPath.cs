using System.Numerics;
using System.Runtime.Intrinsics;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>Hands a product to the driver of a <see cref="SimdPath"/>.</summary>
internal static unsafe class GemmPath<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Columns of a packed panel.</summary>
    public static int PanelColumns(SimdPath path) => path switch
    {
        SimdPath.Vector512 => ProductTask<T, Vector512<T>, Simd512<T>>.PanelColumns,
        SimdPath.Vector256 => ProductTask<T, Vector256<T>, Simd256<T>>.PanelColumns,
        _ => ProductTask<T, Vector128<T>, Simd128<T>>.PanelColumns,
    };

    public static void Multiply(SimdPath path, in MatrixProduct<T> call, T* b, int ldb, bool transB, in Epilogue<T> epilogue)
    {
        switch (path)
        {
            case SimdPath.Vector512: GemmDriver<T, Vector512<T>, Simd512<T>>.Multiply(call, b, ldb, transB, epilogue); break;
            case SimdPath.Vector256: GemmDriver<T, Vector256<T>, Simd256<T>>.Multiply(call, b, ldb, transB, epilogue); break;
            default: GemmDriver<T, Vector128<T>, Simd128<T>>.Multiply(call, b, ldb, transB, epilogue); break;
        }
    }

    public static void Multiply(in MatrixProduct<T> call, PackedMatrix<T> b, in Epilogue<T> epilogue)
    {
        Multiply(b.Path, call, b.Data, epilogue);
        GC.KeepAlive(b);
    }

    /// <summary>The product with panels that were packed for the path.</summary>
    public static void Multiply(SimdPath path, in MatrixProduct<T> call, T* panels, in Epilogue<T> epilogue)
    {
        switch (path)
        {
            case SimdPath.Vector512: GemmDriver<T, Vector512<T>, Simd512<T>>.Multiply(call, panels, epilogue); break;
            case SimdPath.Vector256: GemmDriver<T, Vector256<T>, Simd256<T>>.Multiply(call, panels, epilogue); break;
            default: GemmDriver<T, Vector128<T>, Simd128<T>>.Multiply(call, panels, epilogue); break;
        }
    }
}
