using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>Which row of a table of absolute positions each token has.</summary>
internal static class AbsolutePositions
{
    /// <summary>The batch with its positions, counted where the ids are, unless it has them.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="longest">Tokens that the table is enough for.</param>
    /// <param name="padding">−1: positions are counted from 0. Else only tokens that are not this id are counted, from this number + 1, and the others have its row (RoBERTa).</param>
    /// <exception cref="ArgumentException">The batch is longer than the table is enough for.</exception>
    public static EncoderBatch Counted(in EncoderBatch batch, int longest, int padding = -1)
    {
        if (batch.Positions is not null) return batch;
        if (batch.Length > longest) throw new ArgumentException($"a batch of {batch.Length} tokens is longer than the model's {longest} positions");
        Tensor positions = Tensor.Zeros(batch.Ids.Shape, DType.Int32, Device.Cpu);
        Span<int> found = positions.AsSpan<int>();
        ReadOnlySpan<int> ids = batch.Ids.To(Device.Cpu).AsSpan<int>();
        for (int row = 0; row < batch.Size; row++)
        {
            int count = 0;
            for (int i = row * batch.Length; i < (row + 1) * batch.Length; i++)
            {
                if (padding < 0) found[i] = count++;
                else found[i] = ids[i] == padding ? padding : padding + ++count;
            }
        }

        return batch with { Positions = positions };
    }
}
