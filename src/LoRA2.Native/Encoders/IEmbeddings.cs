using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>What turns token ids into the first hidden states.</summary>
internal interface IEmbeddings
{
    /// <summary>[batch, length, width].</summary>
    Tensor Forward(EncoderBatch batch, ForwardContext context);
}
