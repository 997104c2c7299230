using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>What turns token ids into the first hidden states.</summary>
public interface IEmbeddings
{
    /// <summary>The batch with all that is made of ids one by one, where the ids are.</summary>
    EncoderBatch Prepare(in EncoderBatch batch) => batch;

    /// <summary>[batch, length, width].</summary>
    Tensor Forward(EncoderBatch batch, ForwardContext context);
}
