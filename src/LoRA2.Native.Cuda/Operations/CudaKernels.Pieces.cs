using System.Runtime.InteropServices;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Kernels over many arrays, a block for each piece of one.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>Elements of one piece of an array of many.</summary>
    private const int Piece = 4096;

    /// <summary>Makes the table of the pieces of Float32 tensors; returns their number.</summary>
    private static int Pieces(ReadOnlySpan<Tensor> tensors, DeviceTable table)
    {
        int pieces = 0;
        foreach (Tensor tensor in tensors) pieces += Blocks(tensor.Count, Piece);
        if (pieces == 0) return 0;
        Span<PieceRecord> records = MemoryMarshal.Cast<byte, PieceRecord>(table.Next(pieces * sizeof(PieceRecord)));
        int at = 0;
        uint place = 0;
        foreach (Tensor tensor in tensors)
        {
            for (int first = 0; first < tensor.Count; first += Piece)
            {
                var count = (uint)Math.Min(Piece, tensor.Count - first);
                records[at++] = new PieceRecord((ulong)tensor.Address + (4UL * (uint)first), count, place);
                place += count;
            }
        }

        return pieces;
    }

    /// <summary>Where a piece is, its elements, and the place of the first of them among those of all tensors.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private readonly record struct PieceRecord(ulong Address, uint Count, uint Place);
}
