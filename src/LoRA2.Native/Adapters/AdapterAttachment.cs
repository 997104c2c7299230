using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Adapters;

/// <summary>Puts adapters on a model and decides what is trained.</summary>
public static class AdapterAttachment
{
    /// <summary>
    /// Freezes the model, puts a fresh adapter on every target and makes it and the head trainable; or, for <see cref="AdapterMethod.Full"/>, makes
    /// everything trainable.
    /// </summary>
    /// <exception cref="InputException">A target matches nothing, or a rank is below 1.</exception>
    public static void Attach(this SequenceClassifier model, AdapterSettings settings, ulong seed)
    {
        if (settings.Method == AdapterMethod.Full)
        {
            model.TrainAll();
            return;
        }

        if (settings.Rank < 1) throw new InputException($"rank {settings.Rank} is below 1");
        if (settings.Method == AdapterMethod.LoRA2 && settings.OuterRank < 1) throw new InputException($"outer rank {settings.OuterRank} is below 1");
        using var scope = new TensorScope();
        model.FreezeBase();
        uint number = 0;
        foreach (LinearLayer layer in TargetModules.Resolve(model, settings.Targets))
        {
            var random = new Philox(seed, 0x61646170_00000000ul | number++);
            layer.Adapter?.Dispose();
            layer.Adapter = settings.Method == AdapterMethod.LoRA
                ? LoRAAdapter.Create(layer.Name, layer.Inputs, layer.Outputs, settings.Rank, settings.Alpha, random)
                : LoRA2Adapter.Create(layer.Name, layer.Inputs, layer.Outputs, settings.OuterRank, settings.Rank, settings.Alpha, settings.InitialDeviation, random);
        }

        model.TrainHead(settings.Head);
    }

    /// <summary>Makes the head, or its classifier alone, trainable.</summary>
    public static void TrainHead(this SequenceClassifier model, HeadTraining head)
    {
        foreach (LinearLayer layer in model.TrainedHeadLayers(head))
        {
            layer.Weight.Train();
            layer.Bias.Train();
        }
    }

    /// <summary>The head's layers that are trained. PEFT's "classifier" is RoBERTa's whole head.</summary>
    public static IEnumerable<LinearLayer> TrainedHeadLayers(this SequenceClassifier model, HeadTraining head) =>
        head == HeadTraining.PoolerAndClassifier || model.Config.Family == EncoderFamily.Roberta ? model.HeadLayers : model.HeadLayers.TakeLast(1);

    /// <summary>Trained values in adapters, or in the encoder when it is trained itself.</summary>
    public static long AdapterParameterCount(this SequenceClassifier model) => Trained(model) - HeadParameterCount(model);

    /// <summary>Trained values in the head.</summary>
    public static long HeadParameterCount(this SequenceClassifier model) =>
        model.HeadLayers.SelectMany(layer => (Parameter[])[layer.Weight, layer.Bias]).Where(parameter => parameter.IsTrainable).Sum(parameter => (long)parameter.Count);

    /// <summary>Adds every adapter to its layer's weight and takes it off.</summary>
    public static void Merge(this SequenceClassifier model)
    {
        foreach (LinearLayer layer in model.AdaptableLayers)
        {
            if (layer.Adapter is not { } adapter) continue;
            using var scope = new TensorScope();
            layer.Weight.Replace(scope.Detach(Ops.Add(layer.Weight.Value, adapter.Delta())));
            layer.Adapter = null;
            adapter.Dispose();
        }
    }

    private static long Trained(SequenceClassifier model) => model.Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => (long)parameter.Count);
}
